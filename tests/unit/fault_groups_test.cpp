// SPDX-License-Identifier: Apache-2.0
//
// Which pages are copied in advance, so that a guest takes fewer page faults.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/checked.hpp"
#include "shell/fault_groups.hpp"

namespace glint::test {
namespace {

using namespace glint::core;
using Pages = std::vector<uint32_t>;

// A window of two mappings: 64 pages at a group's begin, and 64 that begin 3 pages after one. Another mapping
// lies outside of it.
Layout two_runs() {
  Layout layout;
  layout.window_gpa = 16 * kPageSize;
  layout.window_size = 128 * kPageSize;
  layout.mappings = {
      {Region::kProgram, 0x400000, 0, 16 * kPageSize, true, false, true, false},
      {Region::kStack, 0x800000, layout.window_gpa, 64 * kPageSize, true, true, false, false},
      {Region::kArena, 0xa03000, layout.window_gpa + 64 * kPageSize, 64 * kPageSize, true, true, false,
       false},
  };
  return layout;
}

Pages filled(const Pages& pages) { return fill_fault_groups(pages, two_runs()); }

TEST(FaultGroups, AGapThatMakesTheRestOfItsGroupFaultIsFilled) {
  EXPECT_EQ(filled({1, 2, 3, 4}), (Pages{0, 1, 2, 3, 4}));
  EXPECT_EQ(filled({8, 9, 11, 12, 13, 14}), (Pages{8, 9, 10, 11, 12, 13, 14}));
}

TEST(FaultGroups, PagesAreNotFilledInForAFaultEach) {
  EXPECT_EQ(filled({1, 2}), (Pages{1, 2}));
  EXPECT_EQ(filled({3, 4, 5, 6}), (Pages{3, 4, 5, 6}));
  EXPECT_EQ(filled({0, 2}), (Pages{0, 2}));
  EXPECT_EQ(filled({7}), (Pages{7}));
}

TEST(FaultGroups, PagesThatComeTogetherAlreadyAreNotSaved) {
  // 0 to 4 come with one fault; filling 5 would save that of 6 only.
  EXPECT_EQ(filled({0, 1, 2, 3, 4, 6}), (Pages{0, 1, 2, 3, 4, 6}));
}

TEST(FaultGroups, GroupsAreThoseOfTheGuestsAddresses) {
  // The second mapping's first whole group begins at its page 5.
  EXPECT_EQ(filled({64 + 6, 64 + 7, 64 + 8}), (Pages{64 + 5, 64 + 6, 64 + 7, 64 + 8}));
}

TEST(FaultGroups, AGroupThatBeginsBeforeItsMappingStays) {
  EXPECT_EQ(filled({64 + 1, 64 + 2, 64 + 3, 64 + 4}), (Pages{64 + 1, 64 + 2, 64 + 3, 64 + 4}));
}

TEST(FaultGroups, NoMoreThanTheMostAreFilledIn) {
  Pages pages;
  for (uint32_t group = 0; group < 6; ++group) {
    for (uint32_t page = 1; page < 8; ++page) pages.push_back(group * 8 + page);
  }
  EXPECT_EQ(filled(pages).size(), pages.size() + kMostFilledPages);
}

TEST(FaultGroups, NothingOfNothing) { EXPECT_TRUE(filled({}).empty()); }

TEST(FaultGroups, WhateverThePagesTheyStayAscendAndFewAreAdded) {
  std::mt19937 random(7);
  const Layout layout = two_runs();
  for (int round = 0; round < 2000; ++round) {
    Pages pages;
    const uint32_t one_of = 1 + random() % 8;
    for (uint32_t page = 0; page < 140; ++page) {  // some lie behind the window
      if (random() % one_of == 0) pages.push_back(page);
    }
    const Pages result = fill_fault_groups(pages, layout);
    ASSERT_TRUE(std::includes(result.begin(), result.end(), pages.begin(), pages.end()));
    ASSERT_TRUE(std::adjacent_find(result.begin(), result.end(), std::greater_equal<>()) == result.end());
    ASSERT_LE(result.size(), pages.size() + kMostFilledPages);
    for (const uint32_t page : result) {
      ASSERT_TRUE(page < 128 || std::binary_search(pages.begin(), pages.end(), page));
    }
  }
}

}  // namespace
}  // namespace glint::test
