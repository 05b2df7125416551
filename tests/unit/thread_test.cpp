// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>

#include <set>
#include <thread>

#include "base/thread.hpp"

namespace glint::test {
namespace {

using namespace glint::core;

cpu_set_t allowed() {
  cpu_set_t set;
  EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  return set;
}

TEST(Thread, LeavesAProcessorAndMayUseAllThatItMightBefore) {
  std::thread([] {
    const cpu_set_t before = allowed();
    const int cpu = ::sched_getcpu();
    leave_processor(cpu);
    const cpu_set_t after = allowed();
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
    leave_processor(-1);
    leave_processor(CPU_SETSIZE);
  }).join();
}

TEST(Thread, StaysWhereItMayBeNowhereElse) {
  std::thread([] {
    const int cpu = ::sched_getcpu();
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<size_t>(cpu), &only);
    ASSERT_EQ(::sched_setaffinity(0, sizeof only, &only), 0);
    leave_processor(cpu);
    const cpu_set_t after = allowed();
    EXPECT_TRUE(CPU_EQUAL(&only, &after));
    EXPECT_EQ(::sched_getcpu(), cpu);
  }).join();
}

TEST(Thread, NumbersAreNeverUsedTwice) {
  std::set<uint64_t> numbers{0, thread_number()};
  EXPECT_EQ(*numbers.rbegin(), thread_number());
  for (size_t i = 0; i < 100; ++i) {
    std::thread([&] { EXPECT_TRUE(numbers.insert(thread_number()).second); }).join();
  }
}

}  // namespace
}  // namespace glint::test
