// SPDX-License-Identifier: Apache-2.0
#include "sandbox/deadline_timer.hpp"

#include <chrono>
#include <utility>

#include "base/clock.hpp"
#include "base/thread.hpp"

namespace glint::core {

DeadlineTimer::~DeadlineTimer() {
  if (is_forked()) {
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

DeadlineTimer::Place::~Place() {
  // In a child of fork the mutex may be held by a thread that is not there.
  if (entry_ == nullptr || timer_->is_forked()) return;
  const std::lock_guard lock(timer_->state_->mutex);
  timer_->state_->queue.erase(entry_->at);
  entry_->enrolled = false;
}

DeadlineTimer::Place DeadlineTimer::enroll(std::shared_ptr<CallControl> control) {
  Place place;
  if (is_forked()) return place;
  auto entry = std::make_shared<Entry>(Entry{std::move(control)});
  const std::lock_guard lock(state_->mutex);
  entry->at = state_->queue.emplace(kNever, entry);
  entry->enrolled = true;
  place.timer_ = this;
  place.entry_ = std::move(entry);
  return place;
}

Result<void> DeadlineTimer::arm(const Place& place, uint64_t number, uint64_t when) {
  if (!state_->started.load(std::memory_order_acquire)) GLINT_TRY(start());
  Entry& entry = *place.entry_;
  if (!entry.control->set_deadline(number, when)) return {};
  const std::lock_guard lock(state_->mutex);
  move(*state_, entry, when);
  if (entry.at == state_->queue.begin()) state_->changed.notify_one();
  return {};
}

uint64_t DeadlineTimer::places() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

// Neither allocates nor throws: the node stays the same.
void DeadlineTimer::move(State& state, Entry& entry, uint64_t when) {
  auto node = state.queue.extract(entry.at);
  node.key() = when;
  entry.at = state.queue.insert(std::move(node));
}

Result<void> DeadlineTimer::start() {
  const std::lock_guard lock(state_->mutex);
  if (state_->started.load(std::memory_order_relaxed)) return {};
  GLINT_TRY_ASSIGN(
      thread,
      start_thread("glint-timer", [](void* state) { run(*static_cast<State*>(state)); }, state_.get()));
  state_->thread = thread;
  state_->started.store(true, std::memory_order_release);
  return {};
}

void DeadlineTimer::run(State& state) {
  std::unique_lock lock(state.mutex);
  while (!state.ending) {
    const uint64_t when = state.queue.empty() ? kNever : state.queue.begin()->first;
    if (when > kLatest) {
      state.changed.wait(lock);
    } else if (clock_ns(CLOCK_MONOTONIC) < when) {
      // libstdc++'s steady_clock is CLOCK_MONOTONIC, and waits on it.
      const std::chrono::steady_clock::time_point due{std::chrono::nanoseconds(when)};
      state.changed.wait_until(lock, due);
    } else {
      serve(state, lock);
    }
  }
}

// Looks at the first place, which is due. The mutex is free while the call is stopped, which takes the call's
// own: the place may be moved or given up meanwhile.
void DeadlineTimer::serve(State& state, std::unique_lock<std::mutex>& lock) {
  const uint64_t when = state.queue.begin()->first;
  const std::shared_ptr<Entry> entry = state.queue.begin()->second;
  move(state, *entry, kNever);
  lock.unlock();
  const auto again = entry->control->deadline_passed(when, clock_ns(CLOCK_MONOTONIC));
  lock.lock();
  // An earlier time was set by a call of this very moment, and stays.
  if (again && entry->enrolled && *again < entry->at->first) move(state, *entry, *again);
}

}  // namespace glint::core
