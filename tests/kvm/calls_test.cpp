// SPDX-License-Identifier: Apache-2.0
//
// Calls both ways: every type, every size, errors, nesting, and what a call costs.

#include <cstdint>
#include <limits>

#include "kvm/callbacks.hpp"
#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

using std::string_literals::operator""s;

const std::vector<int32_t> kI32 = {0, 1, -1, INT32_MIN, INT32_MAX};
const std::vector<uint32_t> kU32 = {0, 1, 0x80000000u, UINT32_MAX};
const std::vector<int64_t> kI64 = {0, 1, -1, INT64_MIN, INT64_MAX, int64_t{INT32_MIN} - 1};
const std::vector<uint64_t> kU64 = {0, 1, uint64_t{1} << 63, UINT64_MAX, uint64_t{UINT32_MAX} + 1};
// Patterns, because a NaN is not equal to itself: zeroes, infinities, the smallest, quiet NaNs with payloads.
const std::vector<uint32_t> kF32 = {0, 0x80000000u, 0x3f800000u, 0x7f800000u, 1, 0x7fc12345u, 0xffc54321u};
const std::vector<uint64_t> kF64 = {0,
                                    0x8000000000000000u,
                                    0x3ff0000000000000u,
                                    0x7ff0000000000000u,
                                    1,
                                    0x7ff8123456789abcu,
                                    0xfff8cba987654321u,
                                    0x7ff0000000000001u};  // a signalling one: it is moved, not computed with
const std::vector<std::string> kStrings = {""s,
                                           "a"s,
                                           "NUL \0 inside"s,
                                           "\0"s,
                                           "\xf0\x9f\xa6\x86 four bytes"s,
                                           "\xf4\x8f\xbf\xbf"s,
                                           "\xc3\xa9\xe2\x82\xac"s,
                                           std::string(4095, 'x') + "\xc3\xa9"};

class Calls : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    echo = make_sandbox(load_image(engine, "echo"));
    callbacks = make_sandbox(load_image(engine, "callbacks"), host.functions);
  }

  // Through echo_X of the guest, and through the guest's call_echo_X and the host's host_echo_X.
  template <class T>
  void expect_round_trips(const std::string& type, const T& value) {
    const Value sent = to_value(value);
    for (const auto& [sandbox, function] :
         {std::pair(echo.get(), "echo_" + type), std::pair(callbacks.get(), "call_echo_" + type)}) {
      auto got = call_view(*sandbox, function, value);
      ASSERT_TRUE(succeeded(got)) << function;
      EXPECT_EQ(got->type, sent.type) << function;
      EXPECT_EQ(got->bits, sent.bits) << function;
      EXPECT_TRUE(std::ranges::equal(got->bytes, sent.bytes))
          << function << ", " << sent.bytes.size() << " bytes";
      sandbox->release_result();
    }
  }

  CallbackHost host;
  std::unique_ptr<Sandbox> echo, callbacks;
};

TEST_F(Calls, ScalarsOfAllTypesComeBackUnchanged) {
  for (bool v : {false, true}) expect_round_trips("bool", v);
  for (int32_t v : kI32) expect_round_trips("i32", v);
  for (uint32_t v : kU32) expect_round_trips("u32", v);
  for (int64_t v : kI64) expect_round_trips("i64", v);
  for (uint64_t v : kU64) expect_round_trips("u64", v);
  for (uint32_t v : kF32) expect_round_trips("f32", std::bit_cast<float>(v));
  for (uint64_t v : kF64) expect_round_trips("f64", std::bit_cast<double>(v));
}

TEST_F(Calls, StringsComeBackUnchanged) {
  for (const std::string& v : kStrings) {
    expect_round_trips("string", v);
    EXPECT_TRUE(gave(call<uint64_t>(*echo, "length_of", v), v.size()));
  }
  EXPECT_TRUE(gave(call<std::string>(*echo, "concat", kStrings[2], kStrings[4]), kStrings[2] + kStrings[4]));
}

TEST_F(Calls, BytesOfAllSizesComeBackUnchanged) {
  for (size_t size : {0u, 1u, 15u, 16u, 17u, 4095u, 4096u, 4097u, (1u << 20) - 1, 1u << 20, (1u << 20) + 1}) {
    expect_round_trips("bytes", pattern_bytes(size));
  }
}

TEST_F(Calls, SixtyFourMebibytesGoBothWays) {
  const Bytes most = pattern_bytes(GLINT_MAX_PAYLOAD);
  expect_round_trips("bytes", most);  // also through a host function, as argument and as result
  EXPECT_TRUE(gave(call<int32_t>(*callbacks, "send_too_much"), -5)) << "one byte more: the guest is told";
  EXPECT_TRUE(gave(call<int64_t>(*callbacks, "call_add", int64_t{1}, int64_t{2}), 3)) << "and all is well";
}

TEST_F(Calls, MoreThanSixtyFourMebibytesAreRefused) {
  const Bytes too_many(GLINT_MAX_PAYLOAD + 1);
  EXPECT_TRUE(
      failed_with(call_void(*echo, "echo_bytes", too_many), GLINT_E_TOO_LARGE, "echo_bytes, argument 1"));
  auto claimed = call_void(*echo, "claim_bytes", uint64_t{GLINT_MAX_PAYLOAD} + 1);
  EXPECT_TRUE(failed_with(claimed, GLINT_E_GUEST_ERROR, "64 MiB"));
  EXPECT_EQ(claimed.error().guest_code, -5);
  EXPECT_TRUE(gave(call<int64_t>(*echo, "add", int64_t{40}, int64_t{2}), 42));
}

TEST_F(Calls, AHostFunctionsResultIsLimitedLikeAnArgument) {
  host.on_echo_bytes = [](HostCall& call) {
    const Bytes too_many(GLINT_MAX_PAYLOAD + 1);
    auto set = call.set_result(to_value(too_many));
    EXPECT_TRUE(failed_with(set, GLINT_E_TOO_LARGE, "host_echo_bytes"));
    auto reserved = call.reserve(GLINT_MAX_PAYLOAD + 1);
    EXPECT_TRUE(failed_with(reserved, GLINT_E_TOO_LARGE, "host_echo_bytes"));
    return answer(call, to_value(pattern_bytes(10)));
  };
  EXPECT_TRUE(gave(call<Bytes>(*callbacks, "call_echo_bytes", Bytes(1)), pattern_bytes(10)));
}

TEST_F(Calls, NoArgumentsAndThirtyTwo) {
  EXPECT_TRUE(succeeded(call_void(*echo, "nothing")));
  auto index = echo->image().find_export("sum32");
  ASSERT_TRUE(succeeded(index));
  std::vector<Value> arguments;
  int64_t sums[4] = {};
  for (int64_t i = 0; i < 32; ++i) {
    arguments.push_back(to_value(i * i + 1));
    sums[i / 8] += i * i + 1;
  }
  auto sum = echo->call(*index, arguments);
  ASSERT_TRUE(succeeded(sum));
  EXPECT_EQ(static_cast<int64_t>(sum->bits),
            sums[0] + 10 * sums[1] + 100 * sums[2] + 1000 * sums[3] + 10000 * (31 * 31 + 1) - 10000);
  EXPECT_TRUE(gave(call<uint64_t>(*echo, "mixed", true, int32_t{2}, uint32_t{3}, int64_t{4}, uint64_t{5},
                                  6.0f, 7.0, "12345678", Bytes(9)),
                   45u));
}

TEST_F(Calls, WrongCallsAreRefusedBeforeTheGuestRuns) {
  EXPECT_TRUE(succeeded(call_void(*echo, "nothing")));
  const uint64_t exits = echo->counters().exits;
  EXPECT_TRUE(failed_with(call_void(*echo, "no_such"), GLINT_E_NOT_FOUND, "no_such"));
  EXPECT_TRUE(failed_with(call_void(*echo, "add", int64_t{1}), GLINT_E_SIGNATURE,
                          "add: expected 2 arguments, given 1"));
  EXPECT_TRUE(failed_with(call_void(*echo, "add", int64_t{1}, "2"), GLINT_E_SIGNATURE,
                          "add, argument 2: expected i64, given string"));
  EXPECT_TRUE(failed_with(call_void(*echo, "echo_string", "\xff"), GLINT_E_INVALID_ARGUMENT, "UTF-8"));
  EXPECT_TRUE(failed_with(echo->call(12345, {}), GLINT_E_NOT_FOUND));
  EXPECT_EQ(echo->counters().exits, exits);
}

TEST_F(Calls, MissingImportsAreListedWithTheirSignatures) {
  auto functions = std::make_shared<HostFunctions>();
  add_host(*functions, "progress", GLINT_ABI_BOOL, {GLINT_ABI_U32}, [](HostCall&) { return GLINT_OK; });
  auto made = Sandbox::create(load_image(engine, "callbacks"), functions, {});
  EXPECT_TRUE(failed_with(made, GLINT_E_MISSING_IMPORT, "host_add(i64, i64) -> i64"));
  EXPECT_TRUE(failed_with(made, GLINT_E_MISSING_IMPORT,
                          "progress(u32) -> void [the host offers it as (u32) -> bool]"));
}

TEST_F(Calls, AResultStandsAtEveryAlignment) {
  const Bytes made = [] {
    Bytes bytes(300);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7);
    return bytes;
  }();
  for (size_t size = 0; size < 300; size += 7) {
    const Bytes part(made.begin(), made.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_TRUE(gave(call<Bytes>(*echo, "make_bytes", uint64_t{size}), part));
    EXPECT_TRUE(gave(call<Bytes>(*callbacks, "call_swap_halves", part), [&] {
      Bytes swapped(part.begin() + static_cast<ptrdiff_t>(size / 2), part.end());
      swapped.insert(swapped.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(size / 2));
      return swapped;
    }()));
    Bytes twice = part;
    twice.insert(twice.end(), part.begin(), part.end());
    EXPECT_TRUE(gave(call<Bytes>(*callbacks, "call_mixed", part), twice));
    EXPECT_TRUE(gave(call<Bytes>(*callbacks, "call_chain", part, uint32_t{5}), part));
  }
}

TEST_F(Calls, AViewOfTheLastResultIsNoArgument) {
  auto view = call_view(*echo, "make_bytes", uint64_t{100});
  ASSERT_TRUE(succeeded(view));
  EXPECT_TRUE(
      failed_with(call_void(*echo, "echo_bytes", view->bytes), GLINT_E_INVALID_ARGUMENT, "copy it first"));
  EXPECT_TRUE(succeeded(call_void(*callbacks, "call_echo_bytes", view->bytes)))
      << "for another sandbox it is";
}

// ---- errors ----

TEST_F(Calls, AnErrorOfAGuestFunctionHasItsCodeAndTextAndHarmsNothing) {
  for (const auto& [code, text] : {std::pair(7, "seven"s), std::pair(INT32_MIN, ""s),
                                   std::pair(0, "z\xc3\xa9ro"s), std::pair(-1, std::string(4095, 'y'))}) {
    auto failed = call_void(*callbacks, "error_out", int32_t{code}, text);
    ASSERT_TRUE(failed_with(failed, GLINT_E_GUEST_ERROR, "error_out"));
    EXPECT_EQ(failed.error().guest_code, code);
    EXPECT_EQ(failed.error().message, "function 'error_out' failed with code " + std::to_string(code) +
                                          (text.empty() ? "" : ": " + text));
    EXPECT_EQ(callbacks->state(), Sandbox::State::kReady);
  }
  EXPECT_TRUE(gave(call<int64_t>(*callbacks, "call_add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Calls, TheTextOfAnErrorIsCutBetweenCharacters) {
  std::string text;
  while (text.size() < 6000) text += "\xe2\x82\xac";
  auto failed = call_void(*callbacks, "error_out", int32_t{1}, text);
  ASSERT_TRUE(failed_with(failed, GLINT_E_GUEST_ERROR));
  EXPECT_TRUE(failed.error().message.ends_with("\xe2\x82\xac"));
  EXPECT_LT(failed.error().message.size(), 4200u);
}

TEST_F(Calls, TheGuestHandlesAFailingHostFunction) {
  for (int32_t code : {1, -1, INT32_MIN, INT32_MAX}) {
    EXPECT_TRUE(gave(call<bool>(*callbacks, "handle_failure", code), true)) << code;
  }
  auto passed_on = call_void(*callbacks, "pass_on_failure", int32_t{77});
  ASSERT_TRUE(failed_with(passed_on, GLINT_E_GUEST_ERROR, "failed as asked"));
  EXPECT_EQ(passed_on.error().guest_code, 77);
  EXPECT_EQ(callbacks->state(), Sandbox::State::kReady);
}

// ---- cost ----

TEST_F(Calls, AnEmptyCallTakesOneExitAndOneIoctl) {
  ASSERT_TRUE(succeeded(call_void(*echo, "nothing")));
  const auto before = echo->counters();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(succeeded(call_void(*echo, "nothing")));
  const auto after = echo->counters();
  EXPECT_EQ(after.calls - before.calls, 100u);
  EXPECT_EQ(after.exits - before.exits, 100u);
  EXPECT_EQ(after.ioctls - before.ioctls, 100u);
}

TEST_F(Calls, ACallWithOneHostCallTakesTwoExitsAndTwoIoctls) {
  ASSERT_TRUE(succeeded(call_void(*callbacks, "call_progress", uint32_t{1})));
  const auto before = callbacks->counters();
  for (uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(succeeded(call_void(*callbacks, "call_progress", i)));
  const auto after = callbacks->counters();
  EXPECT_EQ(after.host_calls - before.host_calls, 100u);
  EXPECT_EQ(after.exits - before.exits, 200u);
  EXPECT_EQ(after.ioctls - before.ioctls, 200u);
  EXPECT_EQ(host.last_percent, 99u);
}

TEST_F(Calls, ManyCallsAllGiveTheRightResult) {
  const uint32_t count = scaled(10000);
  for (uint32_t i = 0; i < count; ++i) {
    auto sum = call<int64_t>(*echo, "add", int64_t{i}, int64_t{1} << 40);
    ASSERT_TRUE(gave(sum, int64_t{i} + (int64_t{1} << 40)));
  }
  EXPECT_TRUE(gave(call<int64_t>(*callbacks, "call_many", count), int64_t{count} * (int64_t{count} - 1) / 2));
  EXPECT_EQ(echo->counters().attaches, 1u) << "nobody else needs the shell";
}

// ---- nesting ----

TEST_F(Calls, GuestsCallEachOtherThroughTheHost) {
  CallbackHost inner_host;
  auto inner = make_sandbox(load_image(engine, "callbacks"), inner_host.functions);
  host.on_nested = [&](HostCall& call_of_guest) {
    const auto n = static_cast<int64_t>(call_of_guest.arguments()[0].bits);
    auto sum = call<int64_t>(*inner, "call_add", n, int64_t{1000});  // which asks the host again
    EXPECT_TRUE(succeeded(sum));
    return sum ? answer(call_of_guest, to_value(*sum)) : sum.error().code;
  };
  for (int64_t n = 0; n < 20; ++n) EXPECT_TRUE(gave(call<int64_t>(*callbacks, "call_nested", n), n + 1000));
}

TEST_F(Calls, ASandboxThatIsInACallCannotBeEnteredAgain) {
  host.on_nested = [&](HostCall& call_of_guest) {
    auto again = call<int64_t>(*callbacks, "call_add", int64_t{1}, int64_t{1});
    EXPECT_TRUE(failed_with(again, GLINT_E_BUSY, "in a call already"));
    EXPECT_TRUE(failed_with(callbacks->run(), GLINT_E_BUSY));
    callbacks->release_result();  // does nothing, and no harm
    call_of_guest.set_failure_text("busy");
    return again.error().code;
  };
  auto nested = call_void(*callbacks, "call_nested", int64_t{1});
  ASSERT_TRUE(failed_with(nested, GLINT_E_GUEST_ERROR, "busy"));
  EXPECT_EQ(nested.error().guest_code, GLINT_E_BUSY);
  EXPECT_TRUE(gave(call<int64_t>(*callbacks, "call_add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Calls, NestingHasALimit) {
  const auto image = load_image(engine, "callbacks");
  std::vector<std::unique_ptr<Sandbox>> chain;
  SandboxOptions options;
  options.max_depth = 5;
  int deepest = 0;
  host.on_nested = [&](HostCall& call_of_guest) {
    const auto depth = static_cast<int64_t>(call_of_guest.arguments()[0].bits);
    deepest = std::max(deepest, static_cast<int>(depth));
    auto result = call<int64_t>(*chain[static_cast<size_t>(depth)], "call_nested", depth + 1);
    if (!result) {
      call_of_guest.set_failure_text(result.error().message);
      return result.error().code == GLINT_E_GUEST_ERROR ? result.error().guest_code : result.error().code;
    }
    return answer(call_of_guest, to_value(*result));
  };
  for (int i = 0; i < 8; ++i) chain.push_back(make_sandbox(image, host.functions, options));
  auto nested = call_void(*chain[0], "call_nested", int64_t{1});
  ASSERT_TRUE(failed_with(nested, GLINT_E_GUEST_ERROR, "the sandbox allows 5"));
  EXPECT_EQ(nested.error().guest_code, GLINT_E_DEPTH);
  EXPECT_EQ(deepest, 5);
  for (auto& sandbox : chain)
    EXPECT_TRUE(gave(call<int64_t>(*sandbox, "call_add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Calls, AnExceptionOfAHostFunctionPoisonsTheSandboxOnly) {
  host.on_nested = [](HostCall&) -> int32_t { throw std::runtime_error("from the callback"); };
  EXPECT_THROW(static_cast<void>(call_void(*callbacks, "call_nested", int64_t{1})), std::runtime_error);
  EXPECT_EQ(callbacks->state(), Sandbox::State::kPoisoned);
  EXPECT_TRUE(failed_with(call_void(*callbacks, "call_progress", uint32_t{1}), GLINT_E_POISONED));
  auto next = make_sandbox(load_image(engine, "callbacks"), host.functions);
  EXPECT_TRUE(gave(call<int64_t>(*next, "call_add", int64_t{1}, int64_t{2}), 3));
}

}  // namespace
}  // namespace glint::test
