// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

// What the benchmarks and examples/demo take samples with.
namespace glint::bench {

class Stopwatch {
 public:
  double us() const { return std::chrono::duration<double, std::micro>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

// 0 of no samples.
inline double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  return samples.size() % 2 != 0 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

// What 99 of 100 samples do not exceed; there must be some.
inline double p99(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[(samples.size() * 99 + 99) / 100 - 1];
}

// Minor page faults of this thread until now; those that KVM took for its guests are among them.
inline unsigned page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);  // cannot fail for these arguments
  return static_cast<unsigned>(usage.ru_minflt);
}

}  // namespace glint::bench
