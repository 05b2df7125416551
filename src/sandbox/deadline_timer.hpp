// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <vector>

#include "base/result.hpp"
#include "sandbox/call_control.hpp"

namespace glint::core {

// Stops the calls of an engine when their time is over: one thread for all of them, which is started by the
// first deadline and sleeps until the next one.
//
// A call that ends in time leaves its entry behind. It is of use to the next call of the same sandbox, whose
// deadline is later: the timer finds that when the entry is due, and sleeps on until then. So a sandbox that
// is called all the time wakes the timer once per deadline, not once per call, and a call costs the timer
// nothing.
class DeadlineTimer {
 public:
  DeadlineTimer() = default;
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  // Call `number` of `control` is stopped at `when`, in ns of CLOCK_MONOTONIC, unless it has ended. Fails
  // only when the thread cannot be started.
  Result<void> arm(const std::shared_ptr<CallControl>& control, uint64_t number, uint64_t when);

 private:
  struct Entry {
    uint64_t when;
    std::shared_ptr<CallControl> control;
    bool operator>(const Entry& other) const { return when > other.when; }
  };

  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex:
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries;
    pthread_t thread{};
    bool ending = false;
    std::atomic<bool> started{false};  // set under mutex
  };

  Result<void> start();
  static void run(State& state);
  static void serve(State& state, const Entry& entry, std::unique_lock<std::mutex>& lock);

  const pid_t owner_ = ::getpid();
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace glint::core
