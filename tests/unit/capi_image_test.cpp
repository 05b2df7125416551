// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "glint/glint.h"
#include "unit/elf_builder.hpp"

namespace {

std::string text(glint_str s) { return {s.data, s.size}; }
glint_str str(std::string_view s) { return {s.data(), s.size()}; }

// An engine without a hypervisor, and the sample program: two exports, an import.
class CapiImage : public testing::Test {
 protected:
  void SetUp() override {
    glint_engine_options options;
    glint_engine_options_init(&options, sizeof(options));
    options.backend = GLINT_BACKEND_NONE;
    ASSERT_EQ(glint_engine_create(&options, &engine_, nullptr), GLINT_OK);
    program_ = glint::test::sample_elf().build().bytes;
    glint_image_options_init(&options_, sizeof(options_));
  }
  void TearDown() override {
    glint_image_free(image_);
    glint_engine_free(engine_);
    glint_error_free(error_);
  }

  glint_status load() {
    glint_error_free(error_);
    error_ = nullptr;
    return glint_image_load_bytes(engine_, program_.data(), program_.size(), &options_, &image_, &error_);
  }
  std::string message() const { return text(glint_error_message(error_)); }

  glint_engine* engine_ = nullptr;
  glint_image* image_ = nullptr;
  glint_error* error_ = nullptr;
  glint_image_options options_{};
  glint::test::ElfBytes program_;
};

TEST_F(CapiImage, InitSetsTheDefaults) {
  EXPECT_EQ(options_.struct_size, sizeof(options_));
  EXPECT_EQ(options_.memory_size, GLINT_DEFAULT_MEMORY);
  EXPECT_EQ(options_.stack_size, GLINT_DEFAULT_STACK);
  EXPECT_EQ(options_.file_count, 0u);
}

TEST_F(CapiImage, ShowsTheFunctionsInTheProgramsOrder) {
  ASSERT_EQ(load(), GLINT_OK) << message();
  ASSERT_EQ(glint_image_function_count(image_), 3u);
  glint_function_info info;
  info.struct_size = sizeof(info);

  ASSERT_EQ(glint_image_get_function(image_, 0, &info, nullptr), GLINT_OK);
  EXPECT_EQ(text(info.name), "add");
  EXPECT_EQ(info.kind, GLINT_EXPORTED);
  EXPECT_EQ(info.function, 0u);
  EXPECT_EQ(info.result, GLINT_I64);
  EXPECT_EQ(std::vector<uint32_t>(info.params, info.params + info.param_count),
            (std::vector<uint32_t>{GLINT_I64, GLINT_I64}));

  ASSERT_EQ(glint_image_get_function(image_, 1, &info, nullptr), GLINT_OK);
  EXPECT_EQ(text(info.name), "progress");
  EXPECT_EQ(info.kind, GLINT_IMPORTED);
  EXPECT_EQ(info.function, 2u);  // counts the padding entry
  EXPECT_EQ(info.result, GLINT_VOID);

  ASSERT_EQ(glint_image_get_function(image_, 2, &info, nullptr), GLINT_OK);
  EXPECT_EQ(text(info.name), "shrink");
  EXPECT_EQ(std::vector<uint32_t>(info.params, info.params + info.param_count),
            (std::vector<uint32_t>{GLINT_STRING, GLINT_BYTES, GLINT_F64}));

  EXPECT_EQ(glint_image_get_function(image_, 3, &info, nullptr), GLINT_E_NOT_FOUND);
  EXPECT_EQ(glint_image_get_function(image_, 0, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  info.struct_size = 0;
  EXPECT_EQ(glint_image_get_function(image_, 0, &info, nullptr), GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CapiImage, FindsExportsByNameAndListsThemOtherwise) {
  ASSERT_EQ(load(), GLINT_OK) << message();
  uint32_t function = 99;
  EXPECT_EQ(glint_image_find_export(image_, str("shrink"), &function, nullptr), GLINT_OK);
  EXPECT_EQ(function, 3u);
  EXPECT_EQ(glint_image_find_export(image_, str("progress"), &function, &error_), GLINT_E_NOT_FOUND);
  EXPECT_NE(message().find("add"), std::string::npos) << message();
  EXPECT_NE(message().find("shrink"), std::string::npos) << message();
  EXPECT_EQ(glint_image_find_export(image_, str("add"), nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_find_export(image_, glint_str{nullptr, 3}, &function, nullptr),
            GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CapiImage, ShowsTheLayout) {
  options_.memory_size = (8u << 20) + 1;
  options_.stack_size = (64u << 10) + 1;
  ASSERT_EQ(load(), GLINT_OK) << message();
  glint_image_info info;
  info.struct_size = sizeof(info);
  ASSERT_EQ(glint_image_get_info(image_, &info, nullptr), GLINT_OK);
  EXPECT_EQ(info.pie, 0u);
  EXPECT_EQ(info.memory_size, 10u << 20);           // rounded up to 2 MiB
  EXPECT_EQ(info.stack_size, (64u << 10) + 4096u);  // rounded up to 4 KiB
  EXPECT_GT(info.heap_size, 0u);
  EXPECT_LT(info.heap_size, info.memory_size);
  EXPECT_EQ(info.symbol_count, 3u);

  bool entry_is_code = false;
  uint64_t end = 0;
  std::string kinds;
  for (uint32_t i = 0; i < info.segment_count; ++i) {
    glint_segment_info segment;
    segment.struct_size = sizeof(segment);
    ASSERT_EQ(glint_image_get_segment(image_, i, &segment, nullptr), GLINT_OK);
    EXPECT_GE(segment.address, end) << "ascending, not overlapping";
    EXPECT_FALSE(segment.writable != 0 && segment.executable != 0);
    end = segment.address + segment.size;
    kinds += text(segment.what) + " ";
    entry_is_code |= segment.executable != 0 && info.entry >= segment.address && info.entry < end;
  }
  EXPECT_TRUE(entry_is_code);
  for (const char* kind : {"program", "stack", "heap", "transfer", "system"}) {
    EXPECT_NE(kinds.find(kind), std::string::npos) << kind << " in " << kinds;
  }
  glint_segment_info segment;
  segment.struct_size = sizeof(segment);
  EXPECT_EQ(glint_image_get_segment(image_, info.segment_count, &segment, nullptr), GLINT_E_NOT_FOUND);
}

TEST_F(CapiImage, OutlivesItsEngineHandle) {
  ASSERT_EQ(load(), GLINT_OK) << message();
  glint_engine_free(engine_);
  engine_ = nullptr;
  EXPECT_EQ(glint_image_function_count(image_), 3u);
}

TEST_F(CapiImage, SaysWhatIsWrongWithAProgram) {
  program_.resize(10);
  EXPECT_LT(load(), -39);
  EXPECT_EQ(image_, nullptr);
  EXPECT_FALSE(message().empty());
}

TEST_F(CapiImage, RefusesBadOptions) {
  glint_file file{str("/data/x"), nullptr, 4, 0};
  options_.files = &file;
  options_.file_count = 1;
  EXPECT_EQ(load(), GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(message().find("/data/x"), std::string::npos) << message();

  file = {str("/data/x"), nullptr, 0, 1};
  EXPECT_EQ(load(), GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(message().find("glint_file.reserved"), std::string::npos) << message();

  options_.files = nullptr;
  EXPECT_EQ(glint_image_load_bytes(engine_, program_.data(), program_.size(), &options_, &image_, nullptr),
            GLINT_E_INVALID_ARGUMENT);

  options_.file_count = 0;
  options_.flags = 2;
  EXPECT_EQ(load(), GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(message().find("flags is 2"), std::string::npos) << message();

  options_.flags = 0;
  options_.memory_size = 4096;
  EXPECT_EQ(glint_image_load_bytes(engine_, program_.data(), program_.size(), &options_, &image_, nullptr),
            GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CapiImage, CarriesFilesForTheGuest) {
  const std::string contents(5000, 'x');
  const glint_file file{str("/data/rules.txt"), contents.data(), contents.size(), 0};
  options_.files = &file;
  options_.file_count = 1;
  ASSERT_EQ(load(), GLINT_OK) << message();
  glint_image_info info;
  info.struct_size = sizeof(info);
  ASSERT_EQ(glint_image_get_info(image_, &info, nullptr), GLINT_OK);
  bool has_files = false;
  for (uint32_t i = 0; i < info.segment_count; ++i) {
    glint_segment_info segment;
    segment.struct_size = sizeof(segment);
    ASSERT_EQ(glint_image_get_segment(image_, i, &segment, nullptr), GLINT_OK);
    has_files |= text(segment.what) == "files" && segment.writable == 0 && segment.size >= contents.size();
  }
  EXPECT_TRUE(has_files);
}

TEST_F(CapiImage, RefusesNulls) {
  EXPECT_EQ(glint_image_load_bytes(nullptr, program_.data(), program_.size(), nullptr, &image_, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_load_bytes(engine_, nullptr, 1, nullptr, &image_, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_load_bytes(engine_, program_.data(), program_.size(), nullptr, nullptr, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_load_file(engine_, glint_str{nullptr, 1}, nullptr, &image_, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_load_file(engine_, glint_str{"a\0b", 3}, nullptr, &image_, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_image_function_count(nullptr), 0u);
  glint_image_info info;
  info.struct_size = sizeof(info);
  EXPECT_EQ(glint_image_get_info(nullptr, &info, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_image_free(nullptr);
}

TEST_F(CapiImage, NamesTheFileThatIsNotThere) {
  EXPECT_NE(glint_image_load_file(engine_, str("no/such/guest"), nullptr, &image_, &error_), GLINT_OK);
  EXPECT_NE(message().find("no/such/guest"), std::string::npos) << message();
}

}  // namespace
