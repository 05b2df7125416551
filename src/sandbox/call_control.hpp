// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// Why a call is to end before the guest has done its work.
enum class StopReason : uint8_t { kNone, kInterrupt, kDeadline };

// How other threads end the calls of one sandbox; docs/interrupts.md draws the state machine. Every call has
// a number, and a stop names the call that it is for: it can reach no other.
//
// One word holds all that decides: the number, whether the thread is in the guest, and the reason to stop, of
// which the first stays. As all changes of it are atomic, either the thread sees the reason before it enters
// the guest, or the stopper sees that it is inside and kicks. The stopper holds the mutex from before it sets
// the reason until its kick is done, and a thread that leaves the guest and finds a reason waits for that
// mutex: no kick is on its way any more when the vCPU goes to another call.
class CallControl {
 public:
  // ---- the thread that runs the sandbox ----

  // A call begins; its number, which no other call of this sandbox ever has.
  uint64_t begin();
  // It is over: what was meant for it does nothing from now on.
  void end();

  // Before each run of the vCPU. Another reason than kNone: do not run.
  StopReason enter_guest(Vcpu& vcpu);
  // After it.
  void leave_guest();
  StopReason reason() const;

  // Has `notify` called once, by whoever stops the call, under the mutex: it must be quick and not come back
  // here. Called at once when the call is stopped already. False when there is one.
  bool set_notify(std::function<void()> notify);
  // From here on it is not called.
  void clear_notify();

  // ---- any thread ----

  // Stops call `number` if it is under way and was not stopped before. Was it?
  bool stop(uint64_t number, StopReason reason);

  // ---- the deadline, kept here for the timer ----

  // Call `number` has until `when`, in ns of CLOCK_MONOTONIC. True when the timer must be told: it would wake
  // up too late, or not at all.
  bool set_deadline(uint64_t number, uint64_t when);
  // The timer, which was told `queued`, woke up at `now`: stops the call if its time is over. When it is to
  // wake up again, if at all.
  std::optional<uint64_t> deadline_passed(uint64_t queued, uint64_t now);

 private:
  static constexpr uint64_t kInGuest = 1, kInterrupt = 2, kDeadline = 4, kReasons = kInterrupt | kDeadline;
  static constexpr unsigned kNumberShift = 3;
  static StopReason reason_of(uint64_t word);
  bool stop_locked(uint64_t number, StopReason reason);

  // Numbers grow by one at begin() and at end(): an odd one is a call under way.
  std::atomic<uint64_t> word_{0};
  // Written by the thread that runs, out of the guest; read by a stopper that saw kInGuest.
  Vcpu* vcpu_ = nullptr;
  pthread_t runner_{};

  std::mutex mutex_;
  // Guarded by mutex_:
  std::function<void()> notify_;
  uint64_t deadline_ = 0;       // of call deadline_call_
  uint64_t deadline_call_ = 0;  // 0, an even number: none
  uint64_t queued_ = 0;         // when the timer will wake up for us; 0: never
};

}  // namespace glint::core
