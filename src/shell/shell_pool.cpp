// SPDX-License-Identifier: Apache-2.0
#include "shell/shell_pool.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace glint::core {

ShellPool::ShellPool(Hypervisor& hypervisor, const Layout& layout, ImageMemory memory,
                     const MachineTraits& traits, uint32_t limit, Counters counters)
    : hypervisor_(hypervisor),
      layout_(layout),
      memory_(std::move(memory)),
      traits_(traits),
      limit_(limit),
      counters_(counters) {}

ShellPool::~ShellPool() { *counters_.vms_live -= slots_.size(); }

ShellPool::Slot* ShellPool::slot_of(const Shell* shell) {
  for (auto& slot : slots_) {
    if (slot->shell.get() == shell) return slot.get();
  }
  return nullptr;
}

ShellPool::Slot* ShellPool::free_slot() {
  for (auto& slot : slots_) {
    if (!slot->in_use && slot->tenant == nullptr) return slot.get();
  }
  return nullptr;
}

ShellPool::Slot* ShellPool::least_recently_used() {
  Slot* best = nullptr;
  for (auto& slot : slots_) {
    if (slot->in_use) continue;
    if (best == nullptr || slot->last_use < best->last_use) best = slot.get();
  }
  return best;
}

Result<Shell*> ShellPool::acquire(SandboxMemory& sandbox) {
  std::unique_lock lock(mutex_);
  parked_.wait(lock, [&] { return !sandbox.parking_; });
  if (sandbox.lost_) return *sandbox.lost_;
  if (sandbox.shell_ != nullptr) {
    slot_of(sandbox.shell_)->in_use = true;
    return sandbox.shell_;
  }
  GLINT_TRY_ASSIGN(slot, take_slot(lock));  // ours: in use, without a tenant
  lock.unlock();
  auto attached = attach(*slot, sandbox);
  lock.lock();
  if (!attached) {
    drop_slot(slot, lock);
    return std::move(attached).error();
  }
  slot->tenant = &sandbox;
  sandbox.shell_ = slot->shell.get();
  return sandbox.shell_;
}

// A free shell; else a new one while there are fewer than the limit; else that of the sandbox that rested
// longest; else, all being in use, a new one.
Result<ShellPool::Slot*> ShellPool::take_slot(std::unique_lock<std::mutex>& lock) {
  if (!traits_.can_share_vcpus()) return make_slot(lock);
  if (Slot* slot = free_slot()) {
    slot->in_use = true;
    return slot;
  }
  if (slots_.size() + making_ >= limit_) {
    if (Slot* slot = least_recently_used()) return evict(slot, lock);
  }
  return make_slot(lock);
}

Result<ShellPool::Slot*> ShellPool::make_slot(std::unique_lock<std::mutex>& lock) {
  ++making_;
  lock.unlock();
  auto shell = Shell::create(hypervisor_, layout_, memory_, traits_.port_access);
  lock.lock();
  --making_;
  if (!shell) return std::move(shell).error();
  auto slot = std::make_unique<Slot>();
  slot->shell = std::move(*shell);
  slot->in_use = true;
  slots_.push_back(std::move(slot));
  ++*counters_.vms_created;
  ++*counters_.vms_live;
  return slots_.back().get();
}

Result<ShellPool::Slot*> ShellPool::evict(Slot* slot, std::unique_lock<std::mutex>& lock) {
  SandboxMemory& victim = *slot->tenant;
  slot->in_use = true;
  victim.parking_ = true;  // its own thread waits in acquire() until this is over
  lock.unlock();
  auto parked = park(*slot->shell, victim);
  lock.lock();
  victim.parking_ = false;
  victim.shell_ = nullptr;
  slot->tenant = nullptr;
  if (!parked) victim.lost_ = parked.error();
  parked_.notify_all();
  if (!parked) {
    drop_slot(slot, lock);
    return std::move(parked).error();
  }
  ++*counters_.parks;
  return slot;
}

Result<void> ShellPool::park(Shell& shell, SandboxMemory& sandbox) {
  if (sandbox.home_.data() == nullptr) {
    GLINT_TRY_ASSIGN(home, MappedRange::reserve(layout_.window_size, kLargePageSize));
    sandbox.home_ = std::move(home);
  }
  GLINT_TRY_ASSIGN(state, shell.vcpu().save());
  GLINT_TRY(shell.move_out(sandbox.home_.data()));
  sandbox.state_ = std::move(state);
  return {};
}

Result<void> ShellPool::attach(Slot& slot, SandboxMemory& sandbox) {
  if (slot.used_before) GLINT_TRY(slot.shell->wipe_transfer());
  slot.used_before = true;
  if (sandbox.has_pages_) GLINT_TRY(slot.shell->move_in(sandbox.home_.data()));
  sandbox.has_pages_ = true;
  Vcpu& vcpu = slot.shell->vcpu();
  const uint64_t ioctls_before = vcpu.counters().ioctls;
  GLINT_TRY(vcpu.load(sandbox.state_));
  sandbox.attach_ioctls_ += vcpu.counters().ioctls - ioctls_before;
  ++sandbox.attaches_;
  ++*counters_.attaches;
  return {};
}

void ShellPool::release(SandboxMemory& sandbox) {
  std::unique_lock lock(mutex_);
  Slot* slot = slot_of(sandbox.shell_);
  slot->last_use = ++clock_;
  if (slots_.size() <= limit_ || !traits_.can_share_vcpus()) {
    slot->in_use = false;
    return;
  }
  // Made when more calls ran at once than the limit allows to keep: let it go.
  auto evicted = evict(slot, lock);
  if (evicted) drop_slot(*evicted, lock);
}

void ShellPool::forget(SandboxMemory& sandbox, bool broken) {
  std::unique_lock lock(mutex_);
  parked_.wait(lock, [&] { return !sandbox.parking_; });
  if (sandbox.shell_ != nullptr) {
    Slot* slot = slot_of(sandbox.shell_);
    slot->in_use = true;
    lock.unlock();
    broken = broken || !slot->shell->reset_window();
    lock.lock();
    sandbox.shell_ = nullptr;
    slot->tenant = nullptr;
    if (broken || slots_.size() > limit_ || !traits_.can_share_vcpus()) {
      drop_slot(slot, lock);
    } else {
      slot->in_use = false;
    }
  }
  lock.unlock();
  sandbox.home_ = MappedRange();
}

void ShellPool::drop_slot(Slot* slot, std::unique_lock<std::mutex>& lock) {
  auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s.get() == slot; });
  std::unique_ptr<Slot> dying = std::move(*found);
  slots_.erase(found);
  --*counters_.vms_live;
  lock.unlock();
  dying.reset();  // closing a VM takes up to a millisecond
  lock.lock();
}

}  // namespace glint::core
