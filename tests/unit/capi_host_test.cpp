// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "capi/handles.hpp"
#include "unit/fake_host_call.hpp"

namespace glint::capi {
namespace {

glint_str str(std::string_view s) { return {s.data(), s.size()}; }

void count_destroy(void* user_data) { ++*static_cast<int*>(user_data); }
glint_status do_nothing(void*, glint_host_call*) { return GLINT_OK; }

class CapiHost : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(glint_host_functions_create(&functions_, nullptr), GLINT_OK); }
  void TearDown() override { glint_host_functions_free(functions_); }

  // Adds a function whose user data counts how often it was destroyed.
  glint_status add(std::string_view name, uint32_t result, std::vector<uint32_t> params,
                   glint_host_function function = &do_nothing) {
    return glint_host_functions_add(functions_, str(name), result, params.data(),
                                    static_cast<uint32_t>(params.size()), function, &destroyed_,
                                    &count_destroy, nullptr);
  }

  int32_t call(std::string_view name, test::FakeHostCall& with) {
    const core::HostFunctions::Entry* entry = functions_->functions->find(name);
    EXPECT_NE(entry, nullptr);
    return entry->callback(with);
  }

  glint_host_functions* functions_ = nullptr;
  int destroyed_ = 0;
};

TEST_F(CapiHost, DestroysOnceWhenTheLastReferenceGoes) {
  ASSERT_EQ(add("f", GLINT_VOID, {}), GLINT_OK);
  EXPECT_EQ(destroyed_, 0);
  auto other_reference = functions_->functions;  // as a sandbox holds one
  glint_host_functions_free(functions_);
  functions_ = nullptr;
  EXPECT_EQ(destroyed_, 0);
  other_reference.reset();
  EXPECT_EQ(destroyed_, 1);
}

TEST_F(CapiHost, DestroysOnceWhenAddingFails) {
  ASSERT_EQ(add("f", GLINT_VOID, {}), GLINT_OK);
  int expected = 0;
  const auto refused = [&](glint_status status, glint_status code) {
    EXPECT_EQ(status, code);
    EXPECT_EQ(destroyed_, ++expected);
  };
  refused(add("f", GLINT_VOID, {}), GLINT_E_INVALID_ARGUMENT);  // is there already
  refused(add("", GLINT_VOID, {}), GLINT_E_INVALID_ARGUMENT);
  refused(add(std::string(64, 'n'), GLINT_VOID, {}), GLINT_E_INVALID_ARGUMENT);
  refused(add(std::string_view("a\0b", 3), GLINT_VOID, {}), GLINT_E_INVALID_ARGUMENT);
  refused(add("g", GLINT_BYTES + 1, {}), GLINT_E_INVALID_ARGUMENT);
  refused(add("g", GLINT_VOID, {GLINT_VOID}), GLINT_E_INVALID_ARGUMENT);
  refused(add("g", GLINT_VOID, {GLINT_I32, 0xffffffffu}), GLINT_E_INVALID_ARGUMENT);
  refused(add("g", GLINT_VOID, std::vector<uint32_t>(33, GLINT_I32)), GLINT_E_INVALID_ARGUMENT);
  refused(add("g", GLINT_VOID, {}, nullptr), GLINT_E_INVALID_ARGUMENT);
  refused(glint_host_functions_add(nullptr, str("g"), GLINT_VOID, nullptr, 0, &do_nothing, &destroyed_,
                                   &count_destroy, nullptr),
          GLINT_E_INVALID_ARGUMENT);
  refused(glint_host_functions_add(functions_, str("g"), GLINT_VOID, nullptr, 1, &do_nothing, &destroyed_,
                                   &count_destroy, nullptr),
          GLINT_E_INVALID_ARGUMENT);
  refused(glint_host_functions_add(functions_, glint_str{nullptr, 1}, GLINT_VOID, nullptr, 0, &do_nothing,
                                   &destroyed_, &count_destroy, nullptr),
          GLINT_E_INVALID_ARGUMENT);
  functions_->functions->freeze();
  refused(add("g", GLINT_VOID, {}), GLINT_E_BUSY);
}

TEST_F(CapiHost, NeedsNoDestroy) {
  EXPECT_EQ(glint_host_functions_add(functions_, str("f"), GLINT_VOID, nullptr, 0, &do_nothing, nullptr,
                                     nullptr, nullptr),
            GLINT_OK);
}

TEST_F(CapiHost, GivesTheArgumentsAndTakesTheResult) {
  ASSERT_EQ(add("f", GLINT_STRING, {GLINT_I32, GLINT_STRING},
                [](void*, glint_host_call* call) -> glint_status {
                  uint32_t count = 0;
                  const glint_value* arguments = glint_host_call_arguments(call, &count);
                  EXPECT_EQ(count, 2u);
                  EXPECT_EQ(arguments[0].type, GLINT_I32);
                  EXPECT_EQ(arguments[0].as.i32, -5);
                  return glint_host_call_return(call, &arguments[1], nullptr);
                }),
            GLINT_OK);
  test::FakeHostCall with;
  with.add_scalar(GLINT_ABI_I32, 0xfffffffbu);
  with.add_string("abc");
  EXPECT_EQ(call("f", with), GLINT_OK);
  EXPECT_EQ(with.result_text, "abc");
  EXPECT_EQ(with.result_type, GLINT_ABI_STRING);
}

TEST_F(CapiHost, TakesThirtyTwoArguments) {
  ASSERT_EQ(add("f", GLINT_VOID, std::vector<uint32_t>(32, GLINT_U64),
                [](void*, glint_host_call* call) -> glint_status {
                  uint32_t count = 0;
                  const glint_value* arguments = glint_host_call_arguments(call, &count);
                  uint64_t sum = 0;
                  for (uint32_t i = 0; i < count; ++i) sum += arguments[i].as.u64;
                  return static_cast<glint_status>(sum);
                }),
            GLINT_OK);
  test::FakeHostCall with;
  for (uint64_t i = 1; i <= 32; ++i) with.add_scalar(GLINT_ABI_U64, i);
  EXPECT_EQ(call("f", with), 32 * 33 / 2);
}

TEST_F(CapiHost, WritesAResultInPlace) {
  ASSERT_EQ(add("f", GLINT_BYTES, {},
                [](void*, glint_host_call* call) -> glint_status {
                  void* data = nullptr;
                  EXPECT_EQ(glint_host_call_reserve(call, GLINT_MAX_PAYLOAD_SIZE + 1ull, &data, nullptr),
                            GLINT_E_TOO_LARGE);
                  EXPECT_EQ(data, nullptr);
                  EXPECT_EQ(glint_host_call_reserve(call, 4, &data, nullptr), GLINT_OK);
                  std::memcpy(data, "abcd", 4);
                  return GLINT_OK;
                }),
            GLINT_OK);
  test::FakeHostCall with;
  EXPECT_EQ(call("f", with), GLINT_OK);
  EXPECT_EQ(with.reserved_text(), "abcd");
}

TEST_F(CapiHost, PassesOnCodeAndTextOfAFailure) {
  ASSERT_EQ(add("f", GLINT_VOID, {},
                [](void*, glint_host_call* call) -> glint_status {
                  glint_host_call_fail(call, str("no such record"));
                  return 404;
                }),
            GLINT_OK);
  test::FakeHostCall with;
  EXPECT_EQ(call("f", with), 404);
  EXPECT_EQ(with.failure_text, "no such record");
}

TEST_F(CapiHost, RefusesNullsAndBadResultsInACallback) {
  ASSERT_EQ(add("f", GLINT_I32, {},
                [](void*, glint_host_call* call) -> glint_status {
                  EXPECT_EQ(glint_host_call_return(call, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
                  EXPECT_EQ(glint_host_call_return(nullptr, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
                  EXPECT_EQ(glint_host_call_reserve(call, 1, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
                  glint_value value{};
                  value.type = 77;
                  EXPECT_EQ(glint_host_call_return(call, &value, nullptr), GLINT_E_INVALID_ARGUMENT);
                  glint_host_call_fail(call, glint_str{nullptr, 5});
                  glint_host_call_fail(nullptr, str("x"));
                  EXPECT_EQ(glint_host_call_arguments(nullptr, nullptr), nullptr);
                  return GLINT_OK;
                }),
            GLINT_OK);
  test::FakeHostCall with;
  EXPECT_EQ(call("f", with), GLINT_OK);
  EXPECT_EQ(with.result_type, GLINT_ABI_VOID) << "nothing was set";
}

}  // namespace
}  // namespace glint::capi
