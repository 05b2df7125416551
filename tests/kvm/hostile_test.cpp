// SPDX-License-Identifier: Apache-2.0
//
// A guest that breaks the protocol (tests/guests/hostile.c): the host says so and goes on, and no other
// sandbox notices.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm/callbacks.hpp"
#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

constexpr uint64_t kPayload = GLINT_TRANSFER_PAYLOAD;
constexpr uint64_t kInitial = GLINT_TRANSFER_INITIAL;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class Hostile : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    own_engine = make_engine(2);
    image = load_image(own_engine, "hostile");
    witness = make_sandbox(image, host.functions);
    EXPECT_TRUE(gave(call<int64_t>(*witness, "honest"), 3));
  }

  void expect_no_harm() {
    EXPECT_TRUE(gave(call<int64_t>(*witness, "honest"), 3)) << "a sandbox that was there before";
    auto next = make_sandbox(image, host.functions);
    EXPECT_TRUE(gave(call<int64_t>(*next, "honest"), 3)) << "a new sandbox";
    EXPECT_LE(own_engine->counters().vms_created, 2u) << "the VMs are kept";
  }

  // The call fails with `code`, which poisons the sandbox.
  template <class... Arguments>
  void expect_failure(glint_status code, const char* function, const Arguments&... arguments) {
    SCOPED_TRACE(function + std::string(" (") + ::testing::PrintToString(std::tuple(arguments...)) + ")");
    auto sandbox = make_sandbox(image, host.functions);
    EXPECT_TRUE(failed_with(call_void(*sandbox, function, arguments...), code, function));
    EXPECT_EQ(sandbox->state(), Sandbox::State::kPoisoned);
    EXPECT_TRUE(failed_with(call_void(*sandbox, "honest"), GLINT_E_POISONED));
    expect_no_harm();
  }
  template <class... Arguments>
  void expect_breach(const char* function, const Arguments&... arguments) {
    expect_failure(GLINT_E_GUEST_PROTOCOL, function, arguments...);
  }
  // The call is odd but allowed.
  template <class T, class... Arguments>
  void expect_result(const T& expected, const char* function, const Arguments&... arguments) {
    auto sandbox = make_sandbox(image, host.functions);
    EXPECT_TRUE(gave(call<T>(*sandbox, function, arguments...), expected)) << function;
    EXPECT_TRUE(gave(call<int64_t>(*sandbox, "honest"), 3));
    expect_no_harm();
  }

  CallbackHost host;
  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
  std::unique_ptr<Sandbox> witness;
};

TEST_F(Hostile, UnknownReasonsToLeave) {
  for (uint32_t kind : {0u, 10u, 11u, 255u, 0x80000000u, UINT32_MAX}) expect_breach("exit_kind", kind);
  expect_breach("exit_without_kind");
}

TEST_F(Hostile, ReasonsToLeaveAtAWrongTime) {
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_READY});
  expect_breach("ready_again");
  // With fields that were never set.
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_RESULT});
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_ERROR});
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_HOST_CALL});
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_SIGNAL});
  expect_breach("exit_kind", uint32_t{GLINT_EXIT_INPUT});
  expect_result<int64_t>(0, "exit_kind", uint32_t{GLINT_EXIT_TEXT});
  expect_result<int64_t>(0, "exit_kind", uint32_t{GLINT_EXIT_GROW});
}

TEST_F(Hostile, GrowingBeyondTheLimitIsRefused) {
  expect_result<int64_t>(kInitial, "grow_to", uint64_t{0});
  expect_result<int64_t>(kInitial, "grow_to", uint64_t{GLINT_TRANSFER_MAX} + 1);
  expect_result<int64_t>(kInitial, "grow_to", UINT64_MAX);
  // Either VM may have been grown from here on.
  expect_result<int64_t>(GLINT_TRANSFER_MAX, "grow_to", uint64_t{GLINT_TRANSFER_MAX});
}

TEST_F(Hostile, InputToWhereItCannotBe) {
  expect_breach("input_at", uint64_t{0}, 8u);
  expect_breach("input_at", kPayload - 1, 1u);
  expect_breach("input_at", kInitial - 8, 9u);
  expect_breach("input_at", kInitial + 1, 0u);
  expect_breach("input_at", UINT64_MAX, 1u);
  expect_breach("input_at", UINT64_MAX - 7, 16u);
  expect_breach("input_at", kPayload, UINT32_MAX);
  expect_result<int64_t>(0, "input_at", kInitial - 8, 8u);
}

TEST_F(Hostile, SignalsThatDoNotExist) {
  for (int32_t number : {0, -1, 65, INT32_MIN, INT32_MAX})
    expect_breach("signal_number", number, uint64_t{0});
  for (uint64_t address : {uint64_t{0}, UINT64_MAX, uint64_t{GLINT_GVA_SYSTEM}}) {
    expect_failure(GLINT_E_GUEST_ABORT, "signal_number", int32_t{6}, address);
  }
}

TEST_F(Hostile, ExitStatusesAreThoseOfAProcess) {
  for (int32_t status : {0, 255, 256, -1, INT32_MIN}) {
    auto sandbox = make_sandbox(image, host.functions);
    EXPECT_TRUE(failed_with(call_void(*sandbox, "exit_status", status), GLINT_E_ENDED));
    auto ended = sandbox->run();
    ASSERT_TRUE(succeeded(ended));
    EXPECT_EQ(*ended, status & 0xff);
    expect_no_harm();
  }
}

TEST_F(Hostile, HostCallsOfWhatIsNoImport) {
  for (uint32_t index : {1000u, 4096u, 0x80000000u, UINT32_MAX}) expect_breach("call_function", index);
  expect_breach("call_an_export");
  expect_breach("call_padding");
}

TEST_F(Hostile, HostCallsWithWrongArguments) {
  for (uint32_t count : {0u, 1u, 3u, 32u, 33u, 0x10000001u, UINT32_MAX}) expect_breach("call_count", count);
  for (uint32_t type : {0u, 1u, 2u, 3u, 5u, 8u, 9u, 10u, 260u, UINT32_MAX}) expect_breach("call_type", type);
  for (uint64_t bits : {uint64_t{2}, uint64_t{255}, uint64_t{1} << 32, UINT64_MAX})
    expect_breach("call_bool", bits);
  expect_breach("call_frame", uint64_t{0});
  expect_breach("call_frame", kPayload - 16);
  expect_breach("call_frame", kPayload + 8);
  expect_breach("call_frame", kInitial);
  expect_breach("call_frame", UINT64_MAX - 15);
  expect_breach("call_frame", uint64_t{1} << 63);
  expect_breach("call_frame_at_end");
}

TEST_F(Hostile, HostCallsWithViewsOfWhatIsNotTheirs) {
  expect_breach("call_bytes", uint64_t{0}, 16u);
  expect_breach("call_bytes", kPayload - 1, 2u);
  expect_breach("call_bytes", kInitial, 1u);
  expect_breach("call_bytes", kInitial - 1, 2u);
  expect_breach("call_bytes", UINT64_MAX, 1u);
  expect_breach("call_bytes", UINT64_MAX - 15, 32u);
  expect_breach("call_bytes", kPayload, UINT32_MAX);
  expect_breach("call_bytes", kPayload, GLINT_MAX_PAYLOAD + 1u);
  expect_breach("call_bytes_past_end");
}

TEST_F(Hostile, StringsThatAreNoText) {
  const std::string_view malformed[] = {"\xff",      "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "a\xe2\x82", "\xf8"};
  for (std::string_view text : malformed) {
    expect_breach("call_string", bytes_of(text));
    expect_breach("result_string", bytes_of(text));
    expect_breach("error_text", bytes_of(text));
  }
  expect_result<int64_t>(0, "call_string", bytes_of("text \xe2\x82\xac"));
  auto sandbox = make_sandbox(image, host.functions);
  EXPECT_TRUE(
      failed_with(call_void(*sandbox, "error_text", bytes_of("text")), GLINT_E_GUEST_ERROR, "code 9: text"));
  EXPECT_EQ(sandbox->state(), Sandbox::State::kReady);
}

TEST_F(Hostile, AnswersToWhereTheyCannotBe) {
  for (uint64_t offset : {uint64_t{0}, kPayload - 16, kPayload + 8, kInitial + 16, UINT64_MAX,
                          UINT64_MAX - 15, uint64_t{1} << 63, uint64_t{GLINT_TRANSFER_MAX} + 16}) {
    expect_breach("call_reply", offset);
  }
  expect_breach("call_reply_over_arguments");
  // At the end there is no room yet: the host makes some.
  expect_result<int64_t>(0, "call_reply_at_end");
}

TEST_F(Hostile, ResultsOfAWrongKind) {
  for (uint32_t type : {0u, 1u, 2u, 5u, 8u, 9u, 10u, UINT32_MAX}) expect_breach("result_type", type);
  for (uint64_t bits : {uint64_t{2}, UINT64_MAX}) expect_breach("result_bool", bits);
  for (uint64_t bits : {uint64_t{1} << 32, UINT64_MAX}) expect_breach("result_i32", bits);
  for (uint64_t offset :
       {uint64_t{0}, kPayload - 16, kPayload + 8, kInitial, kInitial - 8, UINT64_MAX - 15}) {
    expect_breach("result_frame", offset);
    expect_breach("error_frame", offset);
  }
}

TEST_F(Hostile, ResultsThatAreViewsOfWhatIsNotTheirs) {
  expect_breach("result_bytes", uint64_t{0}, 16u);
  expect_breach("result_bytes", kPayload - 1, 2u);
  expect_breach("result_bytes", kInitial - 1, 2u);
  expect_breach("result_bytes", kInitial + 1, 0u);
  expect_breach("result_bytes", UINT64_MAX, 1u);
  expect_breach("result_bytes", kPayload, UINT32_MAX);
  expect_breach("result_in_header");
}

TEST_F(Hostile, TextRecordsThatAreMalformed) {
  for (uint32_t size :
       {1u, 7u, 8u, 100u, GLINT_TRANSFER_TEXT_SIZE, GLINT_TRANSFER_TEXT_SIZE + 1, UINT32_MAX}) {
    expect_breach("text_size", size);
  }
  expect_breach("text_record", 0u, 4u, 16u);
  expect_breach("text_record", 5u, 4u, 16u);
  expect_breach("text_record", UINT32_MAX, 4u, 16u);
  expect_breach("text_record", 1u, 9u, 16u);
  expect_breach("text_record", 1u, UINT32_MAX, 16u);
  expect_breach("text_record", 1u, UINT32_MAX - 7, 16u);
  expect_breach("text_record", 1u, 4u, 15u);
  expect_result<int64_t>(7, "text_record", 1u, 8u, 16u);
  // A system call's record of another size is counted, and nothing is reported.
  expect_result<int64_t>(7, "text_record", 3u, 8u, 16u);
}

TEST_F(Hostile, TextThatIsMalformedDoesNotHideAFault) {
  auto sandbox = make_sandbox(image, host.functions);
  auto failed = call_void(*sandbox, "scribble_on_everything", uint32_t{0xff});
  EXPECT_FALSE(failed);
  EXPECT_TRUE(failed_with(failed, GLINT_E_GUEST_PROTOCOL));
  expect_no_harm();
}

TEST_F(Hostile, ScribblingOverTheHostsFieldsGainsNothing) {
  for (uint32_t value : {0u, 0xffu, 0x55u}) {
    auto sandbox = make_sandbox(image, host.functions);
    // What it returns is well-formed, so this call may succeed; afterwards it is on its own.
    auto result = call<int64_t>(*sandbox, "scribble_on_host_fields", value);
    EXPECT_TRUE(gave(result, 5));
    auto after = call_void(*sandbox, "honest");
    EXPECT_TRUE(after ||
                (after.error().code <= GLINT_E_GUEST_ERROR && after.error().code > GLINT_E_HOST_FUNCTION));
    expect_no_harm();
  }
  expect_breach("scribble_on_everything", 0u);
  expect_breach("scribble_on_everything", 0xffu);
  expect_breach("scribble_on_everything", 0x41u);
}

// There is no deadline yet: a guest that never ends occupies its thread, and dies with the process.
TEST_F(Hostile, AGuestThatNeverEndsDiesWithItsHostAndTakesNoMemory) {
  for (const char* function : {"text_for_ever", "grow_for_ever"}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::alarm(1);
      auto sandbox = make_sandbox(load_image(make_engine(1), "hostile"), CallbackHost().functions);
      static_cast<void>(call_void(*sandbox, function));
      ::_exit(1);  // it came back
    }
    int status = 0;
    rusage usage{};
    ASSERT_EQ(::wait4(child, &status, 0, &usage), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) << function << ": " << status;
    EXPECT_LT(usage.ru_maxrss, 600L << 10) << "KiB";
  }
  expect_no_harm();
}

}  // namespace
}  // namespace glint::test
