// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/process.hpp"
#include "base/result.hpp"
#include "sandbox/call_control.hpp"

namespace glint::core {

// Stops the calls of an engine when their time is over: one thread for all of them, which is started by the
// first deadline and sleeps until the next one.
//
// A sandbox has one place in the queue from its first moment to its last, at the time at which the timer is
// to look at it: so a call moves a place that is there, and needs no memory that could be missing. A call
// that ends in time leaves its place where it is. That is of use to the next call of the same sandbox, whose
// deadline is later: the timer finds that when the place is due, and moves it on. So a sandbox that is called
// all the time wakes the timer once per deadline, not once per call, and a call costs the timer nothing.
class DeadlineTimer {
  struct Entry;
  struct State;

 public:
  // A sandbox' place; it is given up with this. Not to outlive the timer.
  class Place {
   public:
    Place() = default;
    Place(Place&&) = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class DeadlineTimer;
    DeadlineTimer* timer_ = nullptr;  // null: of no timer
    std::shared_ptr<Entry> entry_;
  };

  DeadlineTimer() = default;
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  // In a child of fork, whose timer has no thread, the place is of no timer, and must not be armed.
  Place enroll(std::shared_ptr<CallControl> control);

  // Call `number` of the place's control is stopped at `when`, in ns of CLOCK_MONOTONIC and at most
  // kLatest, unless it has ended. Fails only when the thread cannot be started.
  Result<void> arm(const Place& place, uint64_t number, uint64_t when);

  // The end of time: what a clock of signed nanoseconds can say.
  static constexpr uint64_t kLatest = INT64_MAX;

  // For tests: how many places there are.
  uint64_t places() const;

 private:
  static constexpr uint64_t kNever = UINT64_MAX;
  using Queue = std::multimap<uint64_t, std::shared_ptr<Entry>>;

  struct Entry {
    const std::shared_ptr<CallControl> control;
    Queue::iterator at{};   // guarded by the state's mutex
    bool enrolled = false;  // guarded by it, too
  };

  struct State {
    mutable std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex:
    Queue queue;
    pthread_t thread{};
    bool ending = false;
    std::atomic<bool> started{false};  // set under mutex
  };

  Result<void> start();
  static void move(State& state, Entry& entry, uint64_t when);
  static void run(State& state);
  static void serve(State& state, std::unique_lock<std::mutex>& lock);
  bool is_forked() const { return owner_ != current_process(); }

  const pid_t owner_ = current_process();
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace glint::core
