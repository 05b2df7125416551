// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "glint/glint.h"

namespace {

std::string text(glint_str s) { return {s.data, s.size}; }

// The code of a failed call, whose error must have it too, and whose message must contain `part`.
void expect_error(glint_status status, glint_error* error, glint_status code, const std::string& part) {
  EXPECT_EQ(status, code);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(glint_error_code(error), code);
  EXPECT_NE(text(glint_error_message(error)).find(part), std::string::npos)
      << text(glint_error_message(error));
  glint_error_free(error);
}

glint_engine_options without_hypervisor() {
  glint_engine_options options;
  glint_engine_options_init(&options, sizeof(options));
  options.backend = GLINT_BACKEND_NONE;
  return options;
}

TEST(CapiEngine, InitSetsTheDefaults) {
  glint_engine_options options;
  glint_engine_options_init(&options, sizeof(options));
  EXPECT_EQ(options.struct_size, sizeof(options));
  EXPECT_EQ(options.backend, GLINT_BACKEND_DEFAULT);
  EXPECT_EQ(options.max_shells, 0u);
  EXPECT_EQ(options.kick_signal, 0u);
  EXPECT_EQ(options.deadline_ns, GLINT_DEADLINE_DEFAULT);
  EXPECT_EQ(options.max_vms, 0u);
  EXPECT_EQ(options.reserved, 0u);
}

TEST(CapiEngine, ManyLiveBesideEachOtherWithoutAHypervisor) {
  const glint_engine_options options = without_hypervisor();
  glint_engine* engines[3] = {};
  for (glint_engine*& engine : engines) {
    ASSERT_EQ(glint_engine_create(&options, &engine, nullptr), GLINT_OK);
    EXPECT_EQ(text(glint_engine_backend(engine)), "none");
  }
  for (glint_engine* engine : engines) glint_engine_free(engine);
  glint_engine_free(nullptr);
}

TEST(CapiEngine, CountersBeginAtZero) {
  const glint_engine_options options = without_hypervisor();
  glint_engine* engine = nullptr;
  ASSERT_EQ(glint_engine_create(&options, &engine, nullptr), GLINT_OK);
  glint_engine_counters counters;
  counters.struct_size = sizeof(counters);
  ASSERT_EQ(glint_engine_get_counters(engine, &counters, nullptr), GLINT_OK);
  EXPECT_EQ(counters.struct_size, sizeof(counters));
  EXPECT_EQ(counters.vms_created, 0u);
  EXPECT_EQ(counters.sandboxes_live, 0u);
  EXPECT_EQ(counters.parks, 0u);
  counters.struct_size = 8;
  EXPECT_EQ(glint_engine_get_counters(engine, &counters, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_engine_get_counters(engine, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_engine_get_counters(nullptr, &counters, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_engine_free(engine);
}

TEST(CapiEngine, RefusesBadOptionsAndSetsTheHandleToNull) {
  int something = 0;
  auto* const garbage = reinterpret_cast<glint_engine*>(&something);

  const auto refused = [&](const glint_engine_options& options, const std::string& part) {
    glint_engine* engine = garbage;
    glint_error* error = nullptr;
    const glint_status status = glint_engine_create(&options, &engine, &error);
    EXPECT_EQ(engine, nullptr);
    expect_error(status, error, GLINT_E_INVALID_ARGUMENT, part);
  };
  glint_engine_options options = without_hypervisor();
  options.backend = 77;
  refused(options, "backend is 77");
  options = without_hypervisor();
  options.struct_size = 4;
  refused(options, "struct_size is 4");
  options = without_hypervisor();
  options.reserved = 1;
  refused(options, "reserved must be zero");
}

TEST(CapiEngine, NamesTheArgumentThatIsNull) {
  const glint_engine_options options = without_hypervisor();
  glint_error* error = nullptr;
  const glint_status status = glint_engine_create(&options, nullptr, &error);
  expect_error(status, error, GLINT_E_INVALID_ARGUMENT, "'engine'");
  EXPECT_EQ(glint_engine_create(&options, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_engine_backend(nullptr).size, 0u);
}

}  // namespace
