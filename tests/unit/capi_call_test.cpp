// SPDX-License-Identifier: Apache-2.0
// Calls through the C ABI, into a guest that is played by the fake hypervisor.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "capi/handles.hpp"
#include "unit/fake_guest.hpp"

namespace glint::capi {
namespace {

using Guest = test::FakeGuest;

std::string text(glint_str s) { return {s.data, s.size}; }
glint_str str(std::string_view s) { return {s.data(), s.size()}; }

glint_value i64(int64_t number) {
  glint_value value{};
  value.type = GLINT_I64;
  value.as.i64 = number;
  return value;
}
glint_value u32(uint32_t number) {
  glint_value value{};
  value.type = GLINT_U32;
  value.as.u32 = number;
  return value;
}
glint_value string(std::string_view s) {
  glint_value value{};
  value.type = GLINT_STRING;
  value.as.bytes.data = s.data();
  value.as.bytes.size = s.size();
  return value;
}
std::string text(const glint_value& value) {
  return {static_cast<const char*>(value.as.bytes.data), value.as.bytes.size};
}

class CapiCall : public testing::Test {
 protected:
  void SetUp() override {
    engine_.engine = guest_.engine();
    const auto program = Guest::program();
    ASSERT_EQ(glint_image_load_bytes(&engine_, program.data(), program.size(), nullptr, &image_, &error_),
              GLINT_OK)
        << message();
    guest_.transfer_gpa = image_->image->layout().transfer_gpa;
    ASSERT_EQ(glint_host_functions_create(&functions_, nullptr), GLINT_OK);
    glint_sandbox_options_init(&options_, sizeof(options_));
  }
  void TearDown() override {
    glint_sandbox_free(sandbox_);
    glint_host_functions_free(functions_);
    glint_image_free(image_);
    glint_error_free(error_);
  }

  // Makes a sandbox whose import is `function`; its user data is where the sandbox will stand.
  void make(glint_host_function function = [](void*, glint_host_call*) -> glint_status { return GLINT_OK; }) {
    const uint32_t params[] = {GLINT_U32};
    ASSERT_EQ(glint_host_functions_add(functions_, str("progress"), GLINT_I32, params, 1, function,
                                       static_cast<void*>(&sandbox_), nullptr, nullptr),
              GLINT_OK);
    ASSERT_EQ(glint_sandbox_create(image_, functions_, &options_, &sandbox_, &error_), GLINT_OK) << message();
  }

  glint_status call(uint32_t function, std::vector<glint_value> arguments, glint_value* result) {
    glint_error_free(error_);
    error_ = nullptr;
    return glint_call(sandbox_, function, arguments.data(), static_cast<uint32_t>(arguments.size()), nullptr,
                      result, &error_);
  }
  std::string message() const { return text(glint_error_message(error_)); }

  test::FakeGuest guest_;
  glint_engine engine_{};
  glint_image* image_ = nullptr;
  glint_host_functions* functions_ = nullptr;
  glint_sandbox_options options_{};
  glint_sandbox* sandbox_ = nullptr;
  glint_error* error_ = nullptr;
  glint_value result_{};
  std::string heard_;
};

TEST_F(CapiCall, ReturnsNumbersAndViews) {
  make();
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_NEW);
  ASSERT_EQ(call(Guest::kAdd, {i64(40), i64(2)}, &result_), GLINT_OK) << message();
  EXPECT_EQ(result_.type, GLINT_I64);
  EXPECT_EQ(result_.as.i64, 42);
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_READY);
  ASSERT_EQ(call(Guest::kEcho, {string("hello")}, &result_), GLINT_OK) << message();
  EXPECT_EQ(text(result_), "hello");
  glint_result_release(sandbox_);
  glint_result_release(sandbox_);  // harmless
  ASSERT_EQ(call(Guest::kEcho, {string("dropped")}, nullptr), GLINT_OK) << message();
}

TEST_F(CapiCall, RunsTheStartUpCodeAlone) {
  make();
  int32_t exit_code = 99;
  ASSERT_EQ(glint_sandbox_run(sandbox_, nullptr, &exit_code, &error_), GLINT_OK) << message();
  EXPECT_EQ(exit_code, 0);
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_READY);
  EXPECT_EQ(glint_sandbox_run(sandbox_, nullptr, nullptr, nullptr), GLINT_OK);
}

TEST_F(CapiCall, RefusesWrongArgumentsBeforeTheGuestRuns) {
  make();
  EXPECT_EQ(call(Guest::kAdd, {i64(1)}, &result_), GLINT_E_SIGNATURE);
  EXPECT_EQ(call(Guest::kAdd, {i64(1), u32(2)}, &result_), GLINT_E_SIGNATURE);
  EXPECT_NE(message().find("argument 2"), std::string::npos) << message();
  EXPECT_EQ(call(Guest::kAdd, std::vector<glint_value>(33, i64(1)), &result_), GLINT_E_SIGNATURE);
  EXPECT_EQ(call(Guest::kAdd, {i64(1), glint_value{}}, &result_), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(call(Guest::kEcho, {string("\xff")}, &result_), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(call(Guest::kProgress, {u32(1)}, &result_), GLINT_E_NOT_FOUND);  // an import
  EXPECT_EQ(call(99, {}, &result_), GLINT_E_NOT_FOUND);
  EXPECT_EQ(glint_call(sandbox_, Guest::kAdd, nullptr, 2, nullptr, &result_, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(result_.type, GLINT_VOID);
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_NEW);
}

TEST_F(CapiCall, ReportsTheGuestsOwnErrors) {
  make();
  EXPECT_EQ(call(Guest::kFail, {}, &result_), GLINT_E_GUEST_ERROR);
  EXPECT_EQ(glint_error_guest_code(error_), 7);
  EXPECT_NE(message().find("no luck"), std::string::npos) << message();
  EXPECT_EQ(call(Guest::kAdd, {i64(1), i64(2)}, &result_), GLINT_OK) << "ready again";
}

TEST_F(CapiCall, PoisonsTheSandboxWhenItCrashes) {
  make();
  EXPECT_NE(call(Guest::kCrash, {}, &result_), GLINT_OK);
  EXPECT_EQ(glint_sandbox_state(sandbox_), GLINT_STATE_POISONED);
  EXPECT_EQ(call(Guest::kAdd, {i64(1), i64(2)}, &result_), GLINT_E_POISONED);
}

TEST_F(CapiCall, ServesHostFunctions) {
  make([](void*, glint_host_call* call) -> glint_status {
    const glint_value* arguments = glint_host_call_arguments(call, nullptr);
    glint_value answer{};
    answer.type = GLINT_I32;
    answer.as.i32 = static_cast<int32_t>(arguments[0].as.u32) * -2;
    return glint_host_call_return(call, &answer, nullptr);
  });
  ASSERT_EQ(call(Guest::kNotify, {u32(21)}, &result_), GLINT_OK) << message();
  EXPECT_EQ(result_.as.i32, -42);
}

TEST_F(CapiCall, GivesTheGuestAFailureOfTheHost) {
  make([](void*, glint_host_call* call) -> glint_status {
    glint_host_call_fail(call, str("disk full"));
    return 28;
  });
  EXPECT_EQ(call(Guest::kNotify, {u32(1)}, &result_), GLINT_E_GUEST_ERROR);  // this guest passes it on
  EXPECT_EQ(glint_error_guest_code(error_), 28);
  EXPECT_NE(message().find("disk full"), std::string::npos) << message();
}

TEST_F(CapiCall, RefusesToBeEnteredFromItsOwnHostFunction) {
  make([](void* user_data, glint_host_call* call) -> glint_status {
    glint_sandbox* sandbox = *static_cast<glint_sandbox**>(user_data);
    EXPECT_EQ(glint_sandbox_state(sandbox), GLINT_STATE_RUNNING);
    const glint_value arguments[] = {i64(1), i64(2)};
    EXPECT_EQ(glint_call(sandbox, Guest::kAdd, arguments, 2, nullptr, nullptr, nullptr), GLINT_E_BUSY);
    glint_value answer{};
    answer.type = GLINT_I32;
    return glint_host_call_return(call, &answer, nullptr);
  });
  EXPECT_EQ(call(Guest::kNotify, {u32(1)}, &result_), GLINT_OK) << message();
}

TEST_F(CapiCall, ForwardsWhatTheGuestPrints) {
  options_.output = [](void* user_data, uint32_t stream, const void* data, uint64_t size) {
    EXPECT_EQ(stream, 1u);
    *static_cast<std::string*>(user_data) += std::string(static_cast<const char*>(data), size);
  };
  options_.output_user_data = &heard_;
  make();
  EXPECT_EQ(call(Guest::kSay, {string("good ")}, nullptr), GLINT_OK) << message();
  EXPECT_EQ(call(Guest::kSay, {string("morning")}, &result_), GLINT_OK) << message();
  EXPECT_EQ(result_.type, GLINT_VOID);
  EXPECT_EQ(heard_, "good morning");
}

TEST_F(CapiCall, DestroysTheCallbacksDataWithTheSandbox) {
  options_.output = [](void* user_data, uint32_t, const void* data, uint64_t size) {
    *static_cast<std::string*>(user_data) += std::string(static_cast<const char*>(data), size);
  };
  options_.output_user_data = &heard_;
  options_.output_destroy = [](void* user_data) { *static_cast<std::string*>(user_data) += " and good bye"; };
  make();
  EXPECT_EQ(call(Guest::kSay, {string("hello")}, nullptr), GLINT_OK) << message();
  EXPECT_EQ(heard_, "hello");
  glint_sandbox_free(std::exchange(sandbox_, nullptr));
  EXPECT_EQ(heard_, "hello and good bye");
}

TEST_F(CapiCall, CountsWhatHappens) {
  make();
  ASSERT_EQ(call(Guest::kSay, {string("hello")}, nullptr), GLINT_OK) << message();
  glint_sandbox_counters counters;
  counters.struct_size = sizeof(counters);
  ASSERT_EQ(glint_sandbox_get_counters(sandbox_, &counters, nullptr), GLINT_OK);
  EXPECT_EQ(counters.calls, 1u);
  EXPECT_EQ(counters.exits, 2u);  // ready, result
  EXPECT_EQ(counters.output_bytes, 5u);
  glint_engine_counters engine_counters;
  engine_counters.struct_size = sizeof(engine_counters);
  ASSERT_EQ(glint_engine_get_counters(&engine_, &engine_counters, nullptr), GLINT_OK);
  EXPECT_EQ(engine_counters.vms_created, 1u);
  EXPECT_EQ(engine_counters.sandboxes_live, 1u);
}

TEST_F(CapiCall, ObjectsAboveMayBeFreedFirst) {
  make();
  glint_host_functions_free(functions_);
  functions_ = nullptr;
  glint_image_free(image_);
  image_ = nullptr;
  EXPECT_EQ(call(Guest::kAdd, {i64(1), i64(2)}, &result_), GLINT_OK) << message();
  EXPECT_EQ(result_.as.i64, 3);
}

TEST_F(CapiCall, AddingIsRefusedOnceASandboxUsesTheSet) {
  make();
  EXPECT_EQ(glint_host_functions_add(
                functions_, str("late"), GLINT_VOID, nullptr, 0,
                [](void*, glint_host_call*) -> glint_status { return GLINT_OK; }, nullptr, nullptr, nullptr),
            GLINT_E_BUSY);
}

TEST_F(CapiCall, ListsTheImportsThatAreMissing) {
  EXPECT_EQ(glint_sandbox_create(image_, nullptr, nullptr, &sandbox_, &error_), GLINT_E_MISSING_IMPORT);
  EXPECT_EQ(sandbox_, nullptr);
  EXPECT_NE(message().find("progress"), std::string::npos) << message();
}

using CapiCallDeathTest = CapiCall;

TEST_F(CapiCallDeathTest, FreeingASandboxDuringItsCallEndsTheProcess) {
  // A forked child may not use its parent's sandboxes: the statement is run by a process of its own from the
  // start.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  make([](void* user_data, glint_host_call*) -> glint_status {
    glint_sandbox_free(*static_cast<glint_sandbox**>(user_data));
    return GLINT_OK;
  });
  EXPECT_DEATH(static_cast<void>(call(Guest::kNotify, {u32(1)}, &result_)), "glint_sandbox_free");
}

}  // namespace
}  // namespace glint::capi
