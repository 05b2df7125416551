// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>

namespace glint::core {

// The time of a clock such as CLOCK_MONOTONIC, in nanoseconds.
inline uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  // Cannot fail for the clocks used here and a valid pointer.
  static_cast<void>(::clock_gettime(clock, &now));
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace glint::core
