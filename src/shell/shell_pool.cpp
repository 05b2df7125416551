// SPDX-License-Identifier: Apache-2.0
#include "shell/shell_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/thread.hpp"
#include "shell/fault_groups.hpp"

namespace glint::core {
namespace {

// More pages than these are not copied back one by one, and do not stay with a sandbox: they are dropped, and
// come again by faults. 64 MiB.
constexpr size_t kMostOwnPages = 16384;

// Pages of a new sandbox that are copied in advance: 256 KiB.
constexpr size_t kMostLikelyPages = 64;

// Page `index` of a copy of `base` is not as it was.
bool differs(std::span<const std::byte> window, const WindowMemory& base, uint32_t index) {
  const std::span<const std::byte> page = window.subspan(uint64_t{index} * kPageSize, kPageSize);
  const std::byte* original = base.page(index);
  return original != nullptr ? std::memcmp(page.data(), original, kPageSize) != 0 : !is_zero(page);
}

// What runs without the lock must not throw: marks that others wait for would stay behind.
template <class Function>
auto without_bad_alloc(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return error(GLINT_E_NO_MEMORY, "the host process has no memory left");
  }
}

}  // namespace

void SandboxMemory::drop_pages() {
  home_ = MappedRange();
  has_pages_ = false;
  own_pages_.clear();
  own_count_ = 0;
  may_have_new_pages_ = true;
}

ShellPool::ShellPool(Hypervisor& hypervisor, const Layout& layout, ImageMemory memory,
                     const MachineTraits& traits, uint32_t limit, VmLimit& vms, Counters counters)
    : hypervisor_(hypervisor),
      layout_(layout),
      memory_(std::move(memory)),
      traits_(traits),
      limit_(limit),
      threads_wait_(hypervisor.info().threads_wait),
      vms_(vms),
      counters_(counters) {
  vms_.join(*this);
}

ShellPool::~ShellPool() {
  if (owner_ == current_process()) {
    vms_.leave(*this);
  } else {
    // In a child of fork, threads that are not there may be counted as waiting: destroying what they wait for
    // would wait for them. No VM is made under the limit there any more.
    [[maybe_unused]] auto* const kept = parked_.release();
  }
  for (auto& slot : slots_) {
    if (!slot->is_dedicated) vms_.count_gone();
  }
  *counters_.vms_live -= slots_.size();
}

// From here on this thread uses it, and no other.
void ShellPool::claim(Slot& slot) {
  slot.in_use = true;
  slot.user = thread_number();
}

bool ShellPool::is_near(const Slot& slot) const { return !threads_wait_ || slot.user == thread_number(); }

ShellPool::Slot* ShellPool::slot_of(const Shell* shell) {
  for (auto& slot : slots_) {
    if (slot->shell.get() == shell) return slot.get();
  }
  return nullptr;
}

// Of the slots that nobody uses, and that suit, the one that was used longest ago; null when there is none.
template <class Predicate>
ShellPool::Slot* ShellPool::longest_idle(Predicate suits) {
  Slot* best = nullptr;
  for (auto& slot : slots_) {
    if (slot->in_use || slot->is_dedicated || !suits(*slot)) continue;
    if (best == nullptr || slot->last_use < best->last_use) best = slot.get();
  }
  return best;
}

size_t ShellPool::shared_count() const {
  return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) {
    return !slot->is_dedicated && !slot->is_retiring;
  }));
}

Result<void> ShellPool::check_owner() const {
  if (owner_ == current_process()) return {};
  return error(
      GLINT_E_UNSUPPORTED,
      "a VM belongs to the process that made it: a child of fork must open its own engine and load its own "
      "images");
}

Result<Shell*> ShellPool::acquire(SandboxMemory& sandbox) {
  GLINT_TRY(check_owner());
  std::unique_lock lock(mutex_);
  parked_->wait(lock, [&] { return !sandbox.parking_; });
  if (sandbox.lost_) return *sandbox.lost_;
  if (sandbox.shell_ != nullptr) {
    claim(*slot_of(sandbox.shell_));
    return sandbox.shell_;
  }
  auto attached = attach_somewhere(sandbox, lock);
  // A shell that cannot take a sandbox was dropped. It may have been its own fault: once more, with another
  // one.
  if (!attached && !sandbox.lost_) attached = attach_somewhere(sandbox, lock);
  if (!attached) return std::move(attached).error();
  return sandbox.shell_;
}

Result<void> ShellPool::attach_somewhere(SandboxMemory& sandbox, std::unique_lock<std::mutex>& lock) {
  GLINT_TRY_ASSIGN(slot, take_slot(sandbox, lock));  // ours: in use, and empty
  lock.unlock();
  vms_.keep();
  bool lost = false;
  auto attached = without_bad_alloc([&] { return attach(*slot, sandbox, lost); });
  if (lost) sandbox.drop_pages();
  lock.lock();
  if (!attached) {
    if (lost) sandbox.lost_ = attached.error();
    drop_slot(slot, lock);
    return attached;
  }
  slot->guest = &sandbox;
  sandbox.shell_ = slot->shell.get();
  return {};
}

// A free shell; else a new one while there are fewer than the limit; else that of the sandbox that rested
// longest; else, all being in use or not to be had, a new one. Only shells that served nobody but this tenant
// count; where the limit leaves only others, one of them is retired. Where a thread waits for a vCPU that
// another one ran last, longer than a new one takes, others' shells are taken at the limit only.
Result<ShellPool::Slot*> ShellPool::take_slot(const SandboxMemory& sandbox,
                                              std::unique_lock<std::mutex>& lock) {
  if (!is_shared(sandbox)) return make_slot(true, lock);
  const auto ours = [&](const Slot& slot) { return !slot.tenant || *slot.tenant == sandbox.tenant_; };
  for (const bool only_near : {true, false}) {
    const auto suits = [&](const Slot& slot) { return ours(slot) && (!only_near || is_near(slot)); };
    const auto free = [&](const Slot& slot) { return slot.guest == nullptr && suits(slot); };
    // A window that is a pristine copy of the right memory need not be mapped.
    Slot* slot = longest_idle([&](const Slot& s) { return free(s) && s.shell->base() == sandbox.base_; });
    if (slot == nullptr) slot = longest_idle(free);
    if (slot != nullptr) {
      claim(*slot);
      return slot;
    }
    if (shared_count() < limit_) return make_slot(false, lock);
    if (Slot* resting = longest_idle(suits)) {
      // A failure is the other sandbox's, which keeps it for its next call if it lost something.
      if (auto evicted = evict(resting, lock)) return evicted;
      return make_slot(false, lock);
    }
  }
  if (Slot* foreign = longest_idle([](const Slot&) { return true; })) retire(foreign, lock);
  return make_slot(false, lock);
}

// Lets an idle shell go; its sandbox, if any, is parked. If that fails the shell stays.
bool ShellPool::retire(Slot* slot, std::unique_lock<std::mutex>& lock) {
  // While it is being parked, others find that there is one less.
  slot->is_retiring = true;
  vms_.count_gone();
  if (slot->guest != nullptr) {
    if (auto evicted = evict(slot, lock); !evicted) return false;
  }
  claim(*slot);
  drop_slot(slot, lock);
  return true;
}

std::optional<uint64_t> ShellPool::longest_idle_use() {
  const std::lock_guard lock(mutex_);
  const Slot* slot = longest_idle([](const Slot&) { return true; });
  if (slot == nullptr) return std::nullopt;
  return slot->last_use;
}

bool ShellPool::retire_longest_idle() {
  std::unique_lock lock(mutex_);
  Slot* slot = longest_idle([](const Slot&) { return true; });
  return slot != nullptr && retire(slot, lock);
}

// It has its place, and counts, while it is being made.
Result<ShellPool::Slot*> ShellPool::make_slot(bool dedicated, std::unique_lock<std::mutex>& lock) {
  slots_.push_back(std::make_unique<Slot>());
  Slot* slot = slots_.back().get();
  claim(*slot);
  slot->is_dedicated = dedicated;
  if (!dedicated) vms_.count_made();
  lock.unlock();
  auto shell = without_bad_alloc(
      [&] { return Shell::create(hypervisor_, layout_, memory_, pagemap_, traits_.port_access); });
  lock.lock();
  if (!shell) {
    take_out(slot);
    return std::move(shell).error();
  }
  slot->shell = std::move(*shell);
  ++*counters_.vms_created;
  ++*counters_.vms_live;
  return slot;
}

Result<ShellPool::Slot*> ShellPool::evict(Slot* slot, std::unique_lock<std::mutex>& lock) {
  SandboxMemory& victim = *slot->guest;
  claim(*slot);
  victim.parking_ = true;  // its own thread waits in acquire() until this is over
  lock.unlock();
  bool lost = false;
  auto parked = without_bad_alloc([&] { return park(*slot->shell, victim, lost); });
  if (lost) victim.drop_pages();  // they are still in the window, which goes with the shell
  lock.lock();
  victim.parking_ = false;
  if (!parked && !lost) {
    slot->in_use = false;              // it stays where it is, whole
    slot->last_use = vms_.next_use();  // others are tried first, when one is wanted
    if (slot->is_retiring) vms_.count_made();
    slot->is_retiring = false;
    parked_->notify_all();
    return std::move(parked).error();
  }
  victim.shell_ = nullptr;
  slot->guest = nullptr;
  if (!parked) victim.lost_ = parked.error();
  parked_->notify_all();
  if (!parked) {
    drop_slot(slot, lock);
    return std::move(parked).error();
  }
  ++*counters_.parks;
  return slot;
}

// `lost` is set when it fails after the vCPU's state was touched: what the sandbox needs to go on is not
// there any more.
Result<void> ShellPool::park(Shell& shell, SandboxMemory& sandbox, bool& lost) {
  if (sandbox.home_.data() == nullptr) {
    GLINT_TRY_ASSIGN(home, MappedRange::reserve(layout_.window_size, kLargePageSize));
    sandbox.home_ = std::move(home);
    sandbox.home_base_ = nullptr;
  }
  // Now, when it costs nothing if the process has no mappings left: then each part replaces one of its kind.
  if (sandbox.home_base_ != sandbox.base_) {
    GLINT_TRY(shell.lay_out(sandbox.home_.data()));
    sandbox.home_base_ = sandbox.base_;
  }
  lost = true;
  GLINT_TRY_ASSIGN(state, shell.vcpu().save());
  sandbox.state_ = std::move(state);
  lost = false;  // the vCPU still holds what was saved: the sandbox can go on in it
  return shell.move_out(sandbox.home_.data(), lost);
}

// The pages move last: until then a failure costs the sandbox nothing. `lost`: they are torn apart.
Result<void> ShellPool::attach(Slot& slot, SandboxMemory& sandbox, bool& lost) {
  if (slot.tenant) GLINT_TRY(slot.shell->wipe_transfer());  // it served another sandbox before
  slot.tenant = sandbox.tenant_;
  Vcpu& vcpu = slot.shell->vcpu();
  const uint64_t ioctls_before = vcpu.counters().ioctls;
  GLINT_TRY(vcpu.load(sandbox.state_));
  if (sandbox.has_pages_) {
    GLINT_TRY(slot.shell->move_in(sandbox.home_.data(), sandbox.base_, lost));
  } else {
    GLINT_TRY(slot.shell->begin_with(sandbox.base_));
    // These become its own by no fault of a call.
    sandbox.note_new_pages();
    slot.shell->populate(sandbox.base_->likely_pages());
  }
  sandbox.has_pages_ = true;
  sandbox.attach_ioctls_ += vcpu.counters().ioctls - ioctls_before;
  ++sandbox.attaches_;
  ++*counters_.attaches;
  return {};
}

bool ShellPool::is_attached(const SandboxMemory& sandbox) {
  const std::lock_guard lock(mutex_);
  return sandbox.shell_ != nullptr && !sandbox.parking_;
}

bool ShellPool::is_near(const SandboxMemory& sandbox) {
  const std::lock_guard lock(mutex_);
  return sandbox.shell_ != nullptr && !sandbox.parking_ && is_near(*slot_of(sandbox.shell_));
}

bool ShellPool::is_lost(const SandboxMemory& sandbox) {
  const std::lock_guard lock(mutex_);
  return sandbox.lost_.has_value();
}

void ShellPool::release(SandboxMemory& sandbox) {
  if (owner_ != current_process()) return;  // as in forget()
  std::unique_lock lock(mutex_);
  Slot* slot = slot_of(sandbox.shell_);
  slot->last_use = vms_.next_use();
  if (slot->is_dedicated || shared_count() <= limit_) {
    slot->in_use = false;
    lock.unlock();
    vms_.keep();
    return;
  }
  retire(slot, lock);  // made when more calls ran at once than the limit allows to keep
}

void ShellPool::forget(SandboxMemory& sandbox, bool broken) {
  if (owner_ != current_process()) {
    // A child of fork: the mutex, or the right to park this sandbox, may be held by a thread that is not
    // there. Its shell, which nobody can use here, goes with the pool.
    sandbox.drop_pages();
    return;
  }
  std::unique_lock lock(mutex_);
  parked_->wait(lock, [&] { return !sandbox.parking_; });
  if (sandbox.shell_ != nullptr) {
    Slot* slot = slot_of(sandbox.shell_);
    claim(*slot);
    lock.unlock();
    if (!broken) learn(sandbox, slot->shell->window());
    // A guest may leave an exit behind that has no end; the next sandbox must not meet it.
    broken = broken || !slot->shell->vcpu().settle() || !slot->shell->reset_window();
    lock.lock();
    sandbox.shell_ = nullptr;
    slot->guest = nullptr;
    slot->last_use = vms_.next_use();
    if (broken || slot->is_dedicated || shared_count() > limit_) {
      drop_slot(slot, lock);
    } else {
      slot->in_use = false;
    }
  }
  lock.unlock();
  sandbox.drop_pages();
  vms_.keep();
}

// The first sandboxes of a snapshot that go show what the next ones will write to. A page that is copied in
// advance costs less than one that the guest faults for.
void ShellPool::learn(const SandboxMemory& sandbox, std::span<const std::byte> window) {
  const WindowMemory& base = *sandbox.base_;
  if (sandbox.base_ == memory_.window() || !base.is_learning()) return;
  try {
    const std::span<const uint32_t> before = base.written_pages();
    std::vector<uint32_t> candidates(before.begin(), before.end());
    if (before.empty()) {
      auto own = pagemap_.find_own(window);
      if (!own) return;
      candidates = std::move(*own);
    }
    // What is its own the first one has written to, although it may have been restored since; unless a large
    // page brought it along. Of the later ones' pages, some were copied in advance.
    const bool all = before.empty() && !layout_.large_pages;
    std::vector<uint32_t> written;
    for (const uint32_t page : candidates) {
      if (written.size() == kMostLikelyPages) break;
      if (all || differs(window, base, page)) written.push_back(page);
    }
    if (written.empty()) return;  // it did nothing, or was restored: that tells nothing
    // Only a software KVM, which takes dear faults, maps neighbours; it shows by where system calls arrive.
    auto likely = traits_.syscall_enters_ring3 ? fill_fault_groups(written, layout_) : written;
    base.learn(before, std::move(written), std::move(likely));
  } catch (const std::bad_alloc&) {
    return;  // the next ones take the faults
  }
}

Result<FrozenSandbox> ShellPool::freeze(SandboxMemory& sandbox) {
  GLINT_TRY(check_owner());
  std::unique_lock lock(mutex_);
  parked_->wait(lock, [&] { return !sandbox.parking_; });
  if (sandbox.lost_) return *sandbox.lost_;
  Slot* slot = sandbox.shell_ == nullptr ? nullptr : slot_of(sandbox.shell_);
  if (slot != nullptr) claim(*slot);
  lock.unlock();
  bool lost = false;  // as in park()
  auto frozen = without_bad_alloc([&]() -> Result<FrozenSandbox> {
    if (!sandbox.has_pages_) return FrozenSandbox{sandbox.base_, sandbox.state_};
    const std::span<const std::byte> pages =
        slot != nullptr ? slot->shell->window() : std::span(sandbox.home_.data(), sandbox.home_.size());
    GLINT_TRY_ASSIGN(own, pagemap_.find_own(pages));
    GLINT_TRY_ASSIGN(memory, WindowMemory::copy(pages, own, *sandbox.base_));
    if (slot == nullptr) return FrozenSandbox{std::move(memory), sandbox.state_};
    const uint64_t ioctls_before = slot->shell->vcpu().counters().ioctls;
    lost = true;
    auto state = slot->shell->vcpu().save();
    sandbox.attach_ioctls_ += slot->shell->vcpu().counters().ioctls - ioctls_before;
    if (!state) return std::move(state).error();
    lost = false;
    return FrozenSandbox{std::move(memory), std::move(*state)};
  });
  if (lost) sandbox.drop_pages();
  lock.lock();
  if (lost) {
    sandbox.lost_ = frozen.error();
    sandbox.shell_ = nullptr;
    slot->guest = nullptr;
    drop_slot(slot, lock);
  } else if (slot != nullptr) {
    slot->in_use = false;
  }
  return frozen;
}

Result<void> ShellPool::restore(SandboxMemory& sandbox, const FrozenSandbox& to) {
  GLINT_TRY(check_owner());
  std::unique_lock lock(mutex_);
  parked_->wait(lock, [&] { return !sandbox.parking_; });
  sandbox.lost_.reset();
  if (sandbox.shell_ != nullptr && !traits_.can_share_vcpus()) {
    // Loading does not reach all registers of this vCPU: it must have another one.
    lock.unlock();
    forget(sandbox, true);
    lock.lock();
  }
  Slot* slot = sandbox.shell_ == nullptr ? nullptr : slot_of(sandbox.shell_);
  if (slot != nullptr) claim(*slot);
  lock.unlock();
  auto restored = without_bad_alloc([&] {
    return slot != nullptr ? restore_attached(*slot->shell, sandbox, to) : restore_parked(sandbox, to);
  });
  if (!restored) {
    forget(sandbox, true);
    sandbox.base_ = to.memory;
    sandbox.state_ = to.state;
    return restored;
  }
  lock.lock();
  if (slot != nullptr) {
    slot->last_use = vms_.next_use();
    slot->in_use = false;
  }
  return {};
}

Result<void> ShellPool::restore_attached(Shell& shell, SandboxMemory& sandbox, const FrozenSandbox& to) {
  Vcpu& vcpu = shell.vcpu();
  const uint64_t ioctls_before = vcpu.counters().ioctls;
  GLINT_TRY(vcpu.load(to.state));
  sandbox.attach_ioctls_ += vcpu.counters().ioctls - ioctls_before;
  GLINT_TRY(shell.wipe_transfer());
  if (sandbox.base_ == to.memory) return copy_back(shell.window(), sandbox);
  GLINT_TRY(shell.begin_with(to.memory));
  sandbox.base_ = to.memory;
  sandbox.own_pages_.clear();
  sandbox.own_count_ = 0;
  sandbox.may_have_new_pages_ = true;
  return {};
}

Result<void> ShellPool::restore_parked(SandboxMemory& sandbox, const FrozenSandbox& to) {
  if (sandbox.has_pages_ && sandbox.base_ == to.memory) {
    GLINT_TRY(copy_back(std::span(sandbox.home_.data(), sandbox.home_.size()), sandbox));
  } else {
    sandbox.drop_pages();
  }
  sandbox.base_ = to.memory;
  sandbox.state_ = to.state;
  return {};
}

// `pages` is where the sandbox' memory is. A page that is its own stays: the next call takes no fault for it.
Result<void> ShellPool::copy_back(std::span<std::byte> pages, SandboxMemory& sandbox) {
  // khugepaged fills large pages in by itself, and then a guest takes no fault where it writes first.
  if ((sandbox.may_have_new_pages_ || layout_.large_pages) && !tracking_broken_) {
    auto own = pagemap_.find_own(pages);
    if (!own && own.error().code != GLINT_E_UNSUPPORTED) return std::move(own).error();
    if (!own || own->size() > kMostOwnPages) {
      sandbox.own_pages_.clear();
      sandbox.own_count_ = 0;
      return discard(pages);
    }
    sandbox.own_pages_ = std::move(*own);
    sandbox.own_count_ = sandbox.own_pages_.size();
    sandbox.may_have_new_pages_ = false;
  }
  for (const uint32_t index : sandbox.own_pages_) {
    std::byte* to = pages.data() + uint64_t{index} * kPageSize;
    if (const std::byte* from = sandbox.base_->page(index)) {
      std::memcpy(to, from, kPageSize);
    } else if (!layout_.large_pages || !is_zero({to, kPageSize})) {
      std::memset(to, 0, kPageSize);  // not where a large part was only read: that would make it take memory
    }
  }
  sandbox.restored_pages_ += sandbox.own_pages_.size();
  return {};
}

std::unique_ptr<ShellPool::Slot> ShellPool::take_out(Slot* slot) {
  auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s.get() == slot; });
  std::unique_ptr<Slot> taken = std::move(*found);
  slots_.erase(found);
  if (!taken->is_dedicated && !taken->is_retiring) vms_.count_gone();
  return taken;
}

void ShellPool::drop_slot(Slot* slot, std::unique_lock<std::mutex>& lock) {
  std::unique_ptr<Slot> dying = take_out(slot);
  --*counters_.vms_live;
  lock.unlock();
  dying.reset();  // closing a VM takes up to a millisecond
  lock.lock();
}

}  // namespace glint::core
