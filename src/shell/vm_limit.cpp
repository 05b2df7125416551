// SPDX-License-Identifier: Apache-2.0
#include "shell/vm_limit.hpp"

#include <algorithm>
#include <optional>

#include "shell/shell_pool.hpp"

namespace glint::core {

// In a child of fork, threads that are not there may be counted as waiting, for which this would wait.
VmLimit::~VmLimit() {
  if (owner_ == current_process()) return;
  [[maybe_unused]] auto* const kept = left_.release();
}

void VmLimit::join(ShellPool& pool) {
  const std::lock_guard lock(mutex_);
  members_.push_back({&pool, 0});
}

void VmLimit::leave(ShellPool& pool) {
  std::unique_lock lock(mutex_);
  const auto member =
      std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.pool == &pool; });
  left_->wait(lock, [&] { return member->visitors == 0; });
  members_.erase(member);
}

void VmLimit::retire_oldest() {
  if (owner_ != current_process()) return;  // a child of fork has no VMs of this engine to retire
  std::unique_lock lock(mutex_);
  // Two threads that come at the same time retire what is too much once.
  while (live_.load(std::memory_order_relaxed) > uint64_t{limit_} + retiring_) {
    Member* oldest = find_oldest();
    if (oldest == nullptr) return;  // all are in calls
    ++oldest->visitors;
    ++retiring_;
    lock.unlock();
    const bool retired = oldest->pool->retire_longest_idle();
    lock.lock();
    --retiring_;
    --oldest->visitors;
    left_->notify_all();
    // Somebody needs it again, or its sandbox cannot be parked: the next call that ends tries again.
    if (!retired) return;
  }
}

VmLimit::Member* VmLimit::find_oldest() {
  Member* oldest = nullptr;
  uint64_t oldest_use = 0;
  for (Member& member : members_) {
    const std::optional<uint64_t> use = member.pool->longest_idle_use();
    if (use && (oldest == nullptr || *use < oldest_use)) {
      oldest = &member;
      oldest_use = *use;
    }
  }
  return oldest;
}

}  // namespace glint::core
