// SPDX-License-Identifier: Apache-2.0
#include "sandbox/deadline_timer.hpp"

#include <chrono>
#include <csignal>
#include <utility>

#include "base/clock.hpp"

namespace glint::core {

DeadlineTimer::~DeadlineTimer() {
  if (owner_ != ::getpid()) {
    // A child of fork has the memory, but not the thread that may have been waiting in it: destroying the
    // condition variable would wait for that for ever (measured). A few hundred bytes are left behind.
    [[maybe_unused]] const State* left_behind = state_.release();
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->started.load(std::memory_order_relaxed)) return;
    state_->ending = true;
    state_->changed.notify_one();
  }
  ::pthread_join(state_->thread, nullptr);
}

Result<void> DeadlineTimer::arm(const std::shared_ptr<CallControl>& control, uint64_t number, uint64_t when) {
  if (!state_->started.load(std::memory_order_acquire)) GLINT_TRY(start());
  if (!control->set_deadline(number, when)) return {};
  const std::lock_guard lock(state_->mutex);
  state_->entries.push({when, control});
  if (state_->entries.top().when == when) state_->changed.notify_one();
  return {};
}

Result<void> DeadlineTimer::start() {
  const std::lock_guard lock(state_->mutex);
  if (state_->started.load(std::memory_order_relaxed)) return {};
  // The program's signals are none of this thread's business: it inherits a mask that blocks them all.
  sigset_t all, old;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &old);
  const int failed = ::pthread_create(
      &state_->thread, nullptr,
      [](void* state) -> void* {
        run(*static_cast<State*>(state));
        return nullptr;
      },
      state_.get());
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (failed != 0) return system_error("the thread that watches deadlines cannot be started", failed);
  // For people who look at a process; a name that does not fit is not worth failing for.
  static_cast<void>(::pthread_setname_np(state_->thread, "glint-timer"));
  state_->started.store(true, std::memory_order_release);
  return {};
}

void DeadlineTimer::run(State& state) {
  std::unique_lock lock(state.mutex);
  while (!state.ending) {
    if (state.entries.empty()) {
      state.changed.wait(lock);
      continue;
    }
    const uint64_t when = state.entries.top().when;
    if (clock_ns(CLOCK_MONOTONIC) < when) {
      // libstdc++'s steady_clock is CLOCK_MONOTONIC, and waits on it.
      const std::chrono::steady_clock::time_point due{std::chrono::nanoseconds(when)};
      state.changed.wait_until(lock, due);
      continue;
    }
    const Entry entry = state.entries.top();
    state.entries.pop();
    serve(state, entry, lock);
  }
}

// The mutex is free meanwhile: stopping a call takes the call's own.
void DeadlineTimer::serve(State& state, const Entry& entry, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const auto again = entry.control->deadline_passed(entry.when, clock_ns(CLOCK_MONOTONIC));
  lock.lock();
  if (again) state.entries.push({*again, entry.control});
}

}  // namespace glint::core
