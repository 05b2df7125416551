// SPDX-License-Identifier: Apache-2.0
#include "sandbox/call_control.hpp"

#include <sched.h>

#include <utility>

namespace glint::core {

StopReason CallControl::reason_of(uint64_t word) {
  if ((word & kInterrupt) != 0) return StopReason::kInterrupt;
  return (word & kDeadline) != 0 ? StopReason::kDeadline : StopReason::kNone;
}

// Between calls only one thread is here: whoever wants to begin one has the sandbox to itself.
uint64_t CallControl::begin() {
  const uint64_t number = (word_.load(std::memory_order_relaxed) >> kNumberShift) + 1;
  word_.store(number << kNumberShift, std::memory_order_release);
  return number;
}

void CallControl::end() {
  const uint64_t number = word_.load(std::memory_order_relaxed) >> kNumberShift;
  word_.store((number + 1) << kNumberShift, std::memory_order_release);
}

StopReason CallControl::enter_guest(Vcpu& vcpu) {
  vcpu_ = &vcpu;
  runner_ = ::pthread_self();
  uint64_t word = word_.load(std::memory_order_relaxed);
  do {
    if ((word & kReasons) != 0) return reason_of(word);
  } while (!word_.compare_exchange_weak(word, word | kInGuest, std::memory_order_acq_rel));
  return StopReason::kNone;
}

void CallControl::leave_guest() {
  const uint64_t word = word_.fetch_and(~kInGuest, std::memory_order_acq_rel);
  if ((word & kReasons) == 0) return;
  // A kick may be on its way. The call will not enter the guest again, so that none can follow it.
  const std::lock_guard lock(mutex_);
  vcpu_->clear_kick();
}

StopReason CallControl::reason() const { return reason_of(word_.load(std::memory_order_acquire)); }

bool CallControl::set_notify(std::function<void()> notify) {
  const std::lock_guard lock(mutex_);
  if (notify_) return false;
  notify_ = std::move(notify);
  if (reason() != StopReason::kNone) notify_();
  return true;
}

void CallControl::clear_notify() {
  const std::lock_guard lock(mutex_);
  notify_ = nullptr;
}

bool CallControl::stop(uint64_t number, StopReason reason) {
  const std::lock_guard lock(mutex_);
  return stop_locked(number, reason);
}

bool CallControl::stop_locked(uint64_t number, StopReason reason) {
  const uint64_t flag = reason == StopReason::kInterrupt ? kInterrupt : kDeadline;
  uint64_t word = word_.load(std::memory_order_acquire);
  do {
    if (word >> kNumberShift != number || (word & kReasons) != 0) return false;
  } while (!word_.compare_exchange_weak(word, word | flag, std::memory_order_acq_rel));
  if ((word & kInGuest) != 0) {
    // Until the thread is told, or has come out by itself: leave_guest() clears the flag before it waits for
    // the mutex that we hold.
    while (!vcpu_->kick(runner_) && (word_.load(std::memory_order_acquire) & kInGuest) != 0) ::sched_yield();
  } else if (notify_) {
    notify_();
  }
  return true;
}

bool CallControl::set_deadline(uint64_t number, uint64_t when) {
  const std::lock_guard lock(mutex_);
  deadline_ = when;
  deadline_call_ = number;
  if (queued_ != 0 && queued_ <= when) return false;
  queued_ = when;
  return true;
}

std::optional<uint64_t> CallControl::deadline_passed(uint64_t queued, uint64_t now) {
  const std::lock_guard lock(mutex_);
  if (queued != queued_) return std::nullopt;  // an earlier one took its place
  queued_ = 0;
  if (word_.load(std::memory_order_acquire) >> kNumberShift != deadline_call_) return std::nullopt;
  if (deadline_ <= now) {
    stop_locked(deadline_call_, StopReason::kDeadline);
    return std::nullopt;
  }
  queued_ = deadline_;
  return queued_;
}

}  // namespace glint::core
