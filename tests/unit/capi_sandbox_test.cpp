// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "glint/glint.h"
#include "unit/elf_builder.hpp"

namespace {

std::string text(glint_str s) { return {s.data, s.size}; }
glint_str str(std::string_view s) { return {s.data(), s.size()}; }

// An image without a hypervisor: everything up to the point where a VM would be needed.
class CapiSandbox : public testing::Test {
 protected:
  void SetUp() override {
    glint_engine_options engine_options;
    glint_engine_options_init(&engine_options, sizeof(engine_options));
    engine_options.backend = GLINT_BACKEND_NONE;
    ASSERT_EQ(glint_engine_create(&engine_options, &engine_, nullptr), GLINT_OK);
    const auto program = glint::test::sample_elf().build().bytes;
    ASSERT_EQ(glint_image_load_bytes(engine_, program.data(), program.size(), nullptr, &image_, nullptr),
              GLINT_OK);
    glint_sandbox_options_init(&options_, sizeof(options_));
  }
  void TearDown() override {
    glint_sandbox_free(sandbox_);
    glint_error_free(error_);
    glint_image_free(image_);
    glint_engine_free(engine_);
  }

  // The options must be refused, with a message that contains `part`.
  void refused(const std::string& part) {
    glint_error* error = nullptr;
    EXPECT_EQ(glint_sandbox_create(image_, nullptr, &options_, &sandbox_, &error), GLINT_E_INVALID_ARGUMENT);
    EXPECT_EQ(sandbox_, nullptr);
    EXPECT_NE(text(glint_error_message(error)).find(part), std::string::npos)
        << text(glint_error_message(error));
    glint_error_free(error);
    glint_sandbox_options_init(&options_, sizeof(options_));
  }

  glint_engine* engine_ = nullptr;
  glint_image* image_ = nullptr;
  glint_sandbox* sandbox_ = nullptr;
  glint_error* error_ = nullptr;
  glint_sandbox_options options_{};
};

TEST_F(CapiSandbox, InitSetsTheDefaults) {
  EXPECT_EQ(options_.struct_size, sizeof(options_));
  EXPECT_EQ(options_.flags, 0u);
  EXPECT_EQ(options_.argument_count, 0u);
  EXPECT_EQ(options_.output, nullptr);
  EXPECT_EQ(options_.max_depth, 0u);
  EXPECT_EQ(options_.tenant.size, 0u);
}

TEST_F(CapiSandbox, RefusesBadOptions) {
  options_.struct_size = 8;
  refused("struct_size");
  options_.reserved = 1;
  refused("reserved");
  options_.tenant = {nullptr, 3};
  refused("tenant");
  options_.flags = 16;
  refused("flags");
  options_.flags = GLINT_SANDBOX_TRACE;  // but no callback
  refused("trace");
  options_.argument_count = 1;  // but no array
  refused("arguments");
  options_.environment_count = 1;
  refused("environment");
  const glint_str nul = {"A=\0", 3};
  options_.environment = &nul;
  options_.environment_count = 1;
  refused("NUL");
  const glint_str null = {nullptr, 3};
  options_.arguments = &null;
  options_.argument_count = 1;
  refused("NULL");
}

TEST_F(CapiSandbox, DestroysTheCallbacksDataOnceWhenItIsRefused) {
  int destroyed[3] = {};
  const auto give = [&] {
    for (int& count : destroyed) count = 0;
    options_.output_user_data = &destroyed[0];
    options_.input_user_data = &destroyed[1];
    options_.trace_user_data = &destroyed[2];
    options_.output_destroy = options_.input_destroy =
        options_.trace_destroy = [](void* count) { ++*static_cast<int*>(count); };
    options_.output = [](void*, uint32_t, const void*, uint64_t) {};
    options_.trace = [](void*, const glint_syscall*) {};  // no input: its data is destroyed all the same
  };
  const auto expect_once = [&] {
    for (const int count : destroyed) EXPECT_EQ(count, 1);
  };
  give();
  options_.tenant = {nullptr, 3};
  refused("tenant");
  expect_once();
  give();
  options_.reserved = 1;
  refused("reserved");
  expect_once();
  give();
  EXPECT_EQ(glint_sandbox_create(nullptr, nullptr, &options_, &sandbox_, nullptr), GLINT_E_INVALID_ARGUMENT);
  expect_once();
  give();
  EXPECT_EQ(glint_sandbox_create(image_, nullptr, &options_, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  expect_once();
  give();
  EXPECT_EQ(glint_sandbox_create(image_, nullptr, &options_, &sandbox_, nullptr), GLINT_E_NO_HYPERVISOR);
  expect_once();
  give();
  options_.struct_size = 8;  // what lies behind is unknown, and not looked at
  refused("struct_size");
  for (const int count : destroyed) EXPECT_EQ(count, 0);
}

TEST_F(CapiSandbox, CannotBeMadeWithoutAHypervisor) {
  glint_host_functions* functions = nullptr;
  ASSERT_EQ(glint_host_functions_create(&functions, nullptr), GLINT_OK);
  const uint32_t params[] = {GLINT_U32};
  ASSERT_EQ(glint_host_functions_add(
                functions, str("progress"), GLINT_VOID, params, 1,
                [](void*, glint_host_call*) -> glint_status { return GLINT_OK; }, nullptr, nullptr, nullptr),
            GLINT_OK);
  EXPECT_EQ(glint_sandbox_create(image_, functions, &options_, &sandbox_, &error_), GLINT_E_NO_HYPERVISOR);
  EXPECT_EQ(sandbox_, nullptr);
  glint_host_functions_free(functions);
}

TEST_F(CapiSandbox, RefusesNulls) {
  EXPECT_EQ(glint_sandbox_create(nullptr, nullptr, nullptr, &sandbox_, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_sandbox_create(image_, nullptr, nullptr, nullptr, &error_), GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(text(glint_error_message(error_)).find("'sandbox'"), std::string::npos);
  int32_t exit_code = 0;
  EXPECT_EQ(glint_sandbox_run(nullptr, nullptr, &exit_code, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_value result;
  EXPECT_EQ(glint_call(nullptr, 0, nullptr, 0, nullptr, &result, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_sandbox_counters counters;
  counters.struct_size = sizeof(counters);
  EXPECT_EQ(glint_sandbox_get_counters(nullptr, &counters, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_sandbox_state(nullptr), GLINT_STATE_ENDED);
  glint_result_release(nullptr);
  glint_sandbox_free(nullptr);
}

}  // namespace
