// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "base/process.hpp"

namespace glint::core {

class ShellPool;

// How many VMs the images of an engine keep together. Each has shells of its own, in its ShellPool, which
// are here counted and, when there are too many, retired by age: an image that is used no more gives its VMs
// up to those that are. Dedicated VMs are not counted, for they go with their sandbox only. Thread-safe.
//
// The mutex comes before those of the pools, and guards bookkeeping only.
class VmLimit {
 public:
  explicit VmLimit(uint32_t limit) : limit_(limit) {}
  ~VmLimit();
  VmLimit(const VmLimit&) = delete;
  VmLimit& operator=(const VmLimit&) = delete;

  // A pool is in from its making to its end. Once leave() has returned, no other thread is in it.
  void join(ShellPool& pool);
  void leave(ShellPool& pool);

  // By pools, under their mutexes: one of their VMs is there, is used, is there no more.
  void count_made() { live_.fetch_add(1, std::memory_order_relaxed); }
  void count_gone() { live_.fetch_sub(1, std::memory_order_relaxed); }
  uint64_t next_use() { return uses_.fetch_add(1, std::memory_order_relaxed) + 1; }

  // Retires VMs that are at rest, those used longest ago first, until there are no more than the limit. To be
  // called without a pool's mutex. One comparison while the limit is kept.
  void keep() {
    if (live_.load(std::memory_order_relaxed) > limit_) retire_oldest();
  }

 private:
  struct Member {
    ShellPool* pool;
    uint32_t visitors;  // threads that retire one of its VMs at this moment
  };

  void retire_oldest();
  Member* find_oldest();

  const uint32_t limit_;
  const pid_t owner_ = current_process();
  std::atomic<uint64_t> live_{0};
  std::atomic<uint64_t> uses_{0};

  std::mutex mutex_;
  // Guarded by mutex_:
  std::unique_ptr<std::condition_variable> left_ = std::make_unique<std::condition_variable>();
  std::list<Member> members_;  // which stay where they are
  uint32_t retiring_ = 0;      // of live_
};

}  // namespace glint::core
