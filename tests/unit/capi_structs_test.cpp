// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "capi/structs.hpp"

namespace glint::capi {

// A struct that has grown: `first` was there in the first version, `second` came later.
struct Grown {
  uint32_t struct_size;
  uint32_t first;
  uint32_t second;
  uint32_t reserved;
};
template <>
inline constexpr uint32_t kFirstSize<Grown> = 8;

namespace {

constexpr Grown kDefaults{sizeof(Grown), 1, 2, 0};

// As a newer caller has it: longer than this library knows.
struct Newer {
  Grown known;
  uint32_t tail[4];
};

TEST(CapiStructs, ReadsOneOfTheSameVersion) {
  const Grown from{sizeof(Grown), 10, 20, 0};
  auto read = read_struct(&from, kDefaults, "grown");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->first, 10u);
  EXPECT_EQ(read->second, 20u);
}

TEST(CapiStructs, GivesAnOlderCallerTheDefaultsOfWhatItDoesNotHave) {
  const Grown from{8, 10, 0xbad, 0xbad};
  auto read = read_struct(&from, kDefaults, "grown");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->first, 10u);
  EXPECT_EQ(read->second, 2u);
  EXPECT_EQ(read->reserved, 0u);
}

TEST(CapiStructs, AcceptsANewerCallerWhoseNewFieldsAreZero) {
  Newer from{{sizeof(Newer), 10, 20, 0}, {}};
  auto read = read_struct(&from.known, kDefaults, "grown");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->second, 20u);
}

TEST(CapiStructs, RefusesANewerCallerWhoUsesANewField) {
  for (size_t i = 0; i < 4; ++i) {
    Newer from{{sizeof(Newer), 10, 20, 0}, {}};
    from.tail[i] = 1u << 24;
    auto read = read_struct(&from.known, kDefaults, "grown");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, GLINT_E_INVALID_ARGUMENT);
    EXPECT_NE(read.error().message.find("grown"), std::string::npos);
  }
}

TEST(CapiStructs, RefusesSizesThatNoVersionHas) {
  for (const uint32_t size : {0u, 4u, 7u, 9u, 10u, kMaxStructSize + 4, 0xffffffffu}) {
    const Grown from{size, 10, 20, 0};
    auto read = read_struct(&from, kDefaults, "grown");
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, GLINT_E_INVALID_ARGUMENT);
    Grown to{size, 7, 7, 7};
    ASSERT_FALSE(write_struct(&to, kDefaults, "grown")) << size;
    EXPECT_EQ(to.first, 7u);
  }
}

TEST(CapiStructs, WritesNoMoreThanAnOlderCallerHas) {
  Grown to{8, 7, 7, 7};
  ASSERT_TRUE(write_struct(&to, Grown{0, 10, 20, 30}, "grown"));
  EXPECT_EQ(to.struct_size, 8u);
  EXPECT_EQ(to.first, 10u);
  EXPECT_EQ(to.second, 7u);
  EXPECT_EQ(to.reserved, 7u);
}

TEST(CapiStructs, ZeroesWhatOnlyANewerCallerHas) {
  Newer to{{sizeof(Newer), 7, 7, 7}, {7, 7, 7, 7}};
  ASSERT_TRUE(write_struct(&to.known, Grown{0, 10, 20, 30}, "grown"));
  EXPECT_EQ(to.known.struct_size, sizeof(Newer));
  EXPECT_EQ(to.known.second, 20u);
  for (const uint32_t field : to.tail) EXPECT_EQ(field, 0u);
}

TEST(CapiStructs, InitFillsWhatTheCallerHas) {
  Newer to;
  std::memset(&to, 0xff, sizeof(to));
  init_struct(&to.known, kDefaults, sizeof(Newer));
  EXPECT_EQ(to.known.struct_size, sizeof(Newer));
  EXPECT_EQ(to.known.first, 1u);
  for (const uint32_t field : to.tail) EXPECT_EQ(field, 0u);

  std::memset(&to, 0xff, sizeof(to));
  init_struct(&to.known, kDefaults, 8);
  EXPECT_EQ(to.known.struct_size, 8u);
  EXPECT_EQ(to.known.first, 1u);
  EXPECT_EQ(to.known.second, 0xffffffffu);

  std::memset(&to, 0xff, sizeof(to));
  init_struct(&to.known, kDefaults, 3);
  EXPECT_EQ(to.known.struct_size, 0xffffffffu);
  init_struct<Grown>(nullptr, kDefaults, sizeof(Grown));
}

// The layout of the ABI: the same on every compiler, and in every other language's copy of it.
TEST(CapiStructs, HaveTheSizesOfTheirFirstVersion) {
  EXPECT_EQ(sizeof(glint_str), 16u);
  EXPECT_EQ(sizeof(glint_value), 24u);
  EXPECT_EQ(offsetof(glint_value, as), 8u);
  EXPECT_EQ(sizeof(glint_file), 40u);
  EXPECT_EQ(sizeof(glint_syscall), 88u);
  EXPECT_EQ(sizeof(glint_engine_counters), kFirstSize<glint_engine_counters>);
  EXPECT_EQ(sizeof(glint_doctor_item), kFirstSize<glint_doctor_item>);
  EXPECT_EQ(sizeof(glint_fault), kFirstSize<glint_fault>);
  EXPECT_EQ(sizeof(glint_image_options), kFirstSize<glint_image_options>);
  EXPECT_EQ(sizeof(glint_function_info), kFirstSize<glint_function_info>);
  EXPECT_EQ(sizeof(glint_segment_info), kFirstSize<glint_segment_info>);
  EXPECT_EQ(sizeof(glint_image_info), kFirstSize<glint_image_info>);
  EXPECT_EQ(sizeof(glint_sandbox_options), kFirstSize<glint_sandbox_options>);
  EXPECT_EQ(sizeof(glint_call_options), kFirstSize<glint_call_options>);
  EXPECT_EQ(sizeof(glint_snapshot_info), kFirstSize<glint_snapshot_info>);
}

TEST(CapiStructs, HaveGrownByTheFieldsOfLaterVersions) {
  EXPECT_EQ(kFirstSize<glint_engine_options>, 24u);
  EXPECT_EQ(sizeof(glint_engine_options), 32u);  // 1.1: max_vms, reserved
  EXPECT_EQ(kFirstSize<glint_sandbox_counters>, 64u);
  EXPECT_EQ(sizeof(glint_sandbox_counters), 80u);  // 1.1: restores, restored_pages
  EXPECT_EQ(kFirstSize<glint_live_objects>, 80u);
  EXPECT_EQ(sizeof(glint_live_objects), 96u);  // 1.1: snapshots
}

}  // namespace
}  // namespace glint::capi
