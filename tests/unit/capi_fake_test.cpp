// SPDX-License-Identifier: Apache-2.0
//
// The C ABI from end to end on GLINT_BACKEND_FAKE: calls, host functions with tokens, interrupts, deadlines,
// and the counts that must be zero at the end.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "glint/glint.h"
#include "unit/elf_builder.hpp"

namespace {

using glint::test::elf_function;

std::string text(glint_str s) { return {s.data, s.size}; }
glint_str str(std::string_view s) { return {s.data(), s.size()}; }

glint_live_objects live_objects() {
  glint_live_objects live{};
  live.struct_size = sizeof(live);
  EXPECT_EQ(glint_get_live_objects(&live), GLINT_OK);
  return live;
}

class CapiFake : public testing::Test {
 protected:
  void SetUp() override {
    glint_engine_options options;
    glint_engine_options_init(&options, sizeof(options));
    options.backend = GLINT_BACKEND_FAKE;
    ASSERT_EQ(glint_engine_create(&options, &engine_, nullptr), GLINT_OK);
    glint::test::ElfBuilder builder;
    builder.functions = {
        elf_function(GLINT_ABI_EXPORT, "echo", GLINT_ABI_I64, {GLINT_ABI_I64}),
        elf_function(GLINT_ABI_EXPORT, "ask", GLINT_ABI_STRING, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_IMPORT, "host_ask", GLINT_ABI_STRING, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {}),
        elf_function(GLINT_ABI_EXPORT, "count", GLINT_ABI_U32, {GLINT_ABI_STRING}),
    };
    const auto program = builder.build().bytes;
    ASSERT_EQ(glint_image_load_bytes(engine_, program.data(), program.size(), nullptr, &image_, nullptr),
              GLINT_OK);
    ASSERT_EQ(glint_host_functions_create(&functions_, nullptr), GLINT_OK);
    const uint32_t string = GLINT_STRING;
    ASSERT_EQ(glint_host_functions_add(functions_, str("host_ask"), GLINT_STRING, &string, 1, &on_ask, this,
                                       &count_destroy, nullptr),
              GLINT_OK);
    ASSERT_EQ(glint_interrupt_create(&interrupt_, nullptr), GLINT_OK);
    glint_call_options_init(&options_, sizeof(options_));
  }

  void TearDown() override {
    glint_sandbox_free(sandbox_);
    glint_interrupt_free(interrupt_);
    glint_host_functions_free(functions_);
    glint_image_free(image_);
    glint_engine_free(engine_);
    const glint_live_objects live = live_objects();
    EXPECT_EQ(live.engines + live.images + live.sandboxes + live.interrupts + live.errors + live.doctors +
                  live.host_function_sets + live.host_functions + live.host_tokens,
              0u);
    EXPECT_EQ(destroyed_, 1);
  }

  void open(uint32_t flags = 0) {
    glint_sandbox_options options;
    glint_sandbox_options_init(&options, sizeof(options));
    options.flags = flags;
    ASSERT_EQ(glint_sandbox_create(image_, functions_, &options, &sandbox_, nullptr), GLINT_OK);
  }

  glint_status call(const char* name, const glint_value* argument, glint_value* result, glint_error** error) {
    uint32_t function = 0;
    EXPECT_EQ(glint_image_find_export(image_, str(name), &function, nullptr), GLINT_OK);
    return glint_call(sandbox_, function, argument, argument == nullptr ? 0 : 1, &options_, result, error);
  }

  static void count_destroy(void* self) { ++static_cast<CapiFake*>(self)->destroyed_; }
  static void count_token(void* self) { ++static_cast<CapiFake*>(self)->tokens_destroyed_; }
  static void count_notify(void* self) { ++static_cast<CapiFake*>(self)->notified_; }

  static glint_status on_ask(void* user_data, glint_host_call* call) {
    auto* self = static_cast<CapiFake*>(user_data);
    uint32_t count = 0;
    const glint_value* arguments = glint_host_call_arguments(call, &count);
    return self->answer_ ? self->answer_(call, arguments) : glint_host_call_return(call, arguments, nullptr);
  }

  glint_engine* engine_ = nullptr;
  glint_image* image_ = nullptr;
  glint_host_functions* functions_ = nullptr;
  glint_sandbox* sandbox_ = nullptr;
  glint_interrupt* interrupt_ = nullptr;
  glint_call_options options_{};
  std::function<glint_status(glint_host_call*, const glint_value*)> answer_;
  int destroyed_ = 0, tokens_destroyed_ = 0;
  std::atomic<int> notified_{0};
  std::atomic<bool> done_{false};
};

glint_value string_value(std::string_view s) {
  glint_value value{};
  value.type = GLINT_STRING;
  value.as.bytes.data = s.data();
  value.as.bytes.size = s.size();
  return value;
}

TEST_F(CapiFake, AnswersWithTheFirstArgumentOrWithNothing) {
  open();
  EXPECT_EQ(text(glint_engine_backend(engine_)), "fake");
  glint_value number{}, result{};
  number.type = GLINT_I64;
  number.as.i64 = -5;
  ASSERT_EQ(call("echo", &number, &result, nullptr), GLINT_OK);
  EXPECT_EQ(result.as.i64, -5);
  const glint_value word = string_value("abc");
  ASSERT_EQ(call("count", &word, &result, nullptr), GLINT_OK);
  EXPECT_EQ(result.type, GLINT_U32);
  EXPECT_EQ(result.as.u32, 0u);
}

TEST_F(CapiFake, ForwardsToTheHostFunctionOfItsName) {
  open();
  answer_ = [](glint_host_call* host, const glint_value*) {
    const glint_value answer = string_value("forty-two");
    return glint_host_call_return(host, &answer, nullptr);
  };
  const glint_value word = string_value("?");
  glint_value result{};
  ASSERT_EQ(call("ask", &word, &result, nullptr), GLINT_OK);
  EXPECT_EQ(std::string_view(static_cast<const char*>(result.as.bytes.data), result.as.bytes.size),
            "forty-two");
}

TEST_F(CapiFake, CarriesLargeArgumentsThrough) {
  open();
  const std::string large(3 << 20, 'x');
  const glint_value word = string_value(large);
  glint_value result{};
  ASSERT_EQ(call("ask", &word, &result, nullptr), GLINT_OK);
  EXPECT_EQ(result.as.bytes.size, large.size());
}

TEST_F(CapiFake, ErrorsOfResultsSayWhatIsWrong) {
  open();
  answer_ = [](glint_host_call* host, const glint_value*) {
    glint_value wrong{};
    wrong.type = GLINT_I64;
    glint_error* error = nullptr;
    EXPECT_EQ(glint_host_call_return(host, &wrong, &error), GLINT_E_SIGNATURE);
    EXPECT_NE(text(glint_error_message(error)).find("host_ask"), std::string::npos);
    glint_error_free(error);
    error = nullptr;
    void* data = nullptr;
    EXPECT_EQ(glint_host_call_reserve(host, uint64_t{1} << 40, &data, &error), GLINT_E_TOO_LARGE);
    glint_error_free(error);
    return glint_status{11};
  };
  const glint_value word = string_value("?");
  glint_error* error = nullptr;
  EXPECT_EQ(call("ask", &word, nullptr, &error), GLINT_E_GUEST_ERROR);
  EXPECT_EQ(glint_error_guest_code(error), 11);
  EXPECT_EQ(glint_error_host_token(error), nullptr);
  glint_error_free(error);
}

TEST_F(CapiFake, ATokenComesOutOfTheErrorAndIsDestroyedWithIt) {
  open();
  answer_ = [this](glint_host_call* host, const glint_value*) {
    glint_host_call_fail_with(host, this, &count_token);
    glint_host_call_fail_with(host, this, &count_token);  // takes the place of the first
    EXPECT_EQ(tokens_destroyed_, 1);
    return GLINT_E_HOST_FUNCTION;
  };
  const glint_value word = string_value("?");
  glint_error* error = nullptr;
  EXPECT_EQ(call("ask", &word, nullptr, &error), GLINT_E_GUEST_ERROR);
  EXPECT_EQ(glint_error_host_token(error), this);
  EXPECT_EQ(live_objects().host_tokens, 1u);
  EXPECT_EQ(tokens_destroyed_, 1);
  glint_error_free(error);
  EXPECT_EQ(tokens_destroyed_, 2);
}

TEST_F(CapiFake, ATokenOfACallbackThatSucceedsOrWithoutACallIsDestroyed) {
  open();
  answer_ = [this](glint_host_call* host, const glint_value* arguments) {
    glint_host_call_fail_with(host, this, &count_token);
    return glint_host_call_return(host, arguments, nullptr);
  };
  const glint_value word = string_value("?");
  EXPECT_EQ(call("ask", &word, nullptr, nullptr), GLINT_OK);
  EXPECT_EQ(tokens_destroyed_, 1);
  glint_host_call_fail_with(nullptr, this, &count_token);
  EXPECT_EQ(tokens_destroyed_, 2);
}

TEST_F(CapiFake, AHostFailureCanEndTheCall) {
  open(GLINT_SANDBOX_END_ON_HOST_FAILURE);
  answer_ = [](glint_host_call*, const glint_value*) { return glint_status{5}; };
  const glint_value word = string_value("?");
  EXPECT_EQ(call("ask", &word, nullptr, nullptr), GLINT_E_HOST_FUNCTION);
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_POISONED);
}

TEST_F(CapiFake, AnInterruptEndsALoopAndStaysRaised) {
  open();
  options_.interrupt = interrupt_;
  options_.deadline_ns = GLINT_DEADLINE_NONE;
  std::thread other([this] {
    glint_interrupt* mine = nullptr;
    ASSERT_EQ(glint_interrupt_clone(interrupt_, &mine, nullptr), GLINT_OK);
    while (glint_interrupt_raise(mine) == 0) {
      if (glint_interrupt_raised(interrupt_) != 0 && done_) break;
      std::this_thread::yield();
    }
    glint_interrupt_free(mine);
  });
  EXPECT_EQ(call("spin", nullptr, nullptr, nullptr), GLINT_E_INTERRUPTED);
  done_ = true;
  other.join();
  EXPECT_EQ(glint_interrupt_raised(interrupt_), 1u);
}

TEST_F(CapiFake, AHostFunctionIsToldOfTheInterrupt) {
  open();
  options_.interrupt = interrupt_;
  answer_ = [this](glint_host_call* host, const glint_value* arguments) {
    EXPECT_EQ(glint_host_call_state(host), GLINT_OK);
    EXPECT_EQ(glint_host_call_on_interrupt(host, &count_notify, this, nullptr), GLINT_OK);
    EXPECT_EQ(glint_host_call_on_interrupt(host, &count_notify, this, nullptr), GLINT_E_BUSY);
    EXPECT_EQ(glint_host_call_on_interrupt(nullptr, &count_notify, this, nullptr), GLINT_E_INVALID_ARGUMENT);
    EXPECT_EQ(glint_interrupt_raise(interrupt_), 1u);
    EXPECT_EQ(notified_, 1);
    EXPECT_EQ(glint_host_call_state(host), GLINT_E_INTERRUPTED);
    return glint_host_call_return(host, arguments, nullptr);
  };
  const glint_value word = string_value("?");
  EXPECT_EQ(call("ask", &word, nullptr, nullptr), GLINT_E_INTERRUPTED);
}

TEST_F(CapiFake, ANotificationThatWasTakenBackDoesNotCome) {
  open();
  options_.interrupt = interrupt_;
  answer_ = [this](glint_host_call* host, const glint_value* arguments) {
    EXPECT_EQ(glint_host_call_on_interrupt(host, &count_notify, this, nullptr), GLINT_OK);
    EXPECT_EQ(glint_host_call_on_interrupt(host, nullptr, nullptr, nullptr), GLINT_OK);
    EXPECT_EQ(glint_interrupt_raise(interrupt_), 1u);
    EXPECT_EQ(notified_, 0);
    // Whoever asks again learns it at once.
    EXPECT_EQ(glint_host_call_on_interrupt(host, &count_notify, this, nullptr), GLINT_OK);
    EXPECT_EQ(notified_, 1);
    return glint_host_call_return(host, arguments, nullptr);
  };
  const glint_value word = string_value("?");
  EXPECT_EQ(call("ask", &word, nullptr, nullptr), GLINT_E_INTERRUPTED);
}

TEST_F(CapiFake, ADeadlineEndsALoop) {
  open();
  options_.deadline_ns = 2'000'000;
  glint_error* error = nullptr;
  EXPECT_EQ(call("spin", nullptr, nullptr, &error), GLINT_E_DEADLINE);
  EXPECT_NE(text(glint_error_message(error)).find("deadline"), std::string::npos);
  glint_error_free(error);
}

TEST_F(CapiFake, TheEnginesDeadlineHoldsForCallsThatAreNotToldOtherwise) {
  glint_image_free(image_);
  glint_engine_free(engine_);
  engine_ = nullptr, image_ = nullptr;
  glint_engine_options engine_options;
  glint_engine_options_init(&engine_options, sizeof(engine_options));
  engine_options.backend = GLINT_BACKEND_FAKE;
  engine_options.deadline_ns = 2'000'000;
  ASSERT_EQ(glint_engine_create(&engine_options, &engine_, nullptr), GLINT_OK);
  glint::test::ElfBuilder builder;
  builder.functions = {elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {})};
  const auto program = builder.build().bytes;
  ASSERT_EQ(glint_image_load_bytes(engine_, program.data(), program.size(), nullptr, &image_, nullptr),
            GLINT_OK);
  open();
  EXPECT_EQ(glint_call(sandbox_, 0, nullptr, 0, nullptr, nullptr, nullptr), GLINT_E_DEADLINE);
}

TEST_F(CapiFake, RefusesOptionsThatItDoesNotKnow) {
  open();
  options_.reserved = 1;
  glint_value number{};
  number.type = GLINT_I64;
  EXPECT_EQ(call("echo", &number, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  options_.reserved = 0;
  options_.struct_size = 8;
  EXPECT_EQ(call("echo", &number, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_sandbox_run(sandbox_, &options_, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
}

TEST(CapiBase, SaysWhatTheBuildCanDoAndHowLargeItsStructsAre) {
  constexpr uint64_t kAll =
      GLINT_CAPABILITY_KVM | GLINT_CAPABILITY_FAKE | GLINT_CAPABILITY_INTERRUPT | GLINT_CAPABILITY_SNAPSHOT;
  EXPECT_EQ(glint_capabilities() & kAll, kAll);
  EXPECT_EQ(glint_struct_size(GLINT_STRUCT_VALUE), sizeof(glint_value));
  EXPECT_EQ(glint_struct_size(GLINT_STRUCT_CALL_OPTIONS), sizeof(glint_call_options));
  EXPECT_EQ(glint_struct_size(GLINT_STRUCT_LIVE_OBJECTS), sizeof(glint_live_objects));
  for (uint32_t which = GLINT_STRUCT_STR; which <= GLINT_STRUCT_POOL_COUNTERS; ++which) {
    EXPECT_NE(glint_struct_size(which), 0u) << which;
  }
  EXPECT_EQ(glint_struct_size(0), 0u);
  EXPECT_EQ(glint_struct_size(GLINT_STRUCT_POOL_COUNTERS + 1), 0u);
}

TEST(CapiBase, LiveObjectsAskForASizeTheyKnow) {
  glint_live_objects live{};
  live.struct_size = 12;
  EXPECT_EQ(glint_get_live_objects(&live), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_get_live_objects(nullptr), GLINT_E_INVALID_ARGUMENT);
}

TEST(CapiInterrupt, RefusesNullAndIgnoresItWhereThatIsHarmless) {
  EXPECT_EQ(glint_interrupt_create(nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_interrupt* clone = nullptr;
  EXPECT_EQ(glint_interrupt_clone(nullptr, &clone, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_interrupt_raise(nullptr), 0u);
  EXPECT_EQ(glint_interrupt_raised(nullptr), 0u);
  glint_interrupt_free(nullptr);
}

}  // namespace
