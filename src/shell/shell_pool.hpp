// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arch/x86_64/probe.hpp"
#include "base/checked.hpp"
#include "base/mapping.hpp"
#include "base/process.hpp"
#include "base/result.hpp"
#include "shell/shell.hpp"
#include "shell/vm_limit.hpp"

namespace glint::core {

class ShellPool;

// A sandbox at one moment: its memory, of which others can be private copies, and its vCPU state. Immutable.
struct FrozenSandbox {
  std::shared_ptr<const WindowMemory> memory;
  VcpuState state;
};

// What a sandbox owns of a machine: its writable memory, and its vCPU state while it rests.
class SandboxMemory {
 public:
  // It runs first as `start` says; `tenant` is whose it is. `dedicated`: its shell is made for it, and serves
  // nobody else, neither meanwhile nor afterwards.
  SandboxMemory(FrozenSandbox start, std::string tenant, bool dedicated)
      : tenant_(std::move(tenant)),
        is_dedicated_(dedicated),
        base_(std::move(start.memory)),
        state_(std::move(start.state)) {}
  SandboxMemory(const SandboxMemory&) = delete;
  SandboxMemory& operator=(const SandboxMemory&) = delete;

  // How often it was put into a shell: changes whenever it may run on another VM than before.
  uint32_t attaches() const { return attaches_; }

  // Its memory or registers could not be kept while it was parked. To be asked by the thread that uses it.
  bool lost() const { return lost_.has_value(); }

  // Hypervisor calls that attaching and restoring it took.
  uint64_t attach_ioctls() const { return attach_ioctls_; }

  // Pages that restoring it has copied back.
  uint64_t restored_pages() const { return restored_pages_; }

  // Bytes of memory that are its own, as far as restoring it has found them.
  uint64_t own_bytes() const { return own_count_.load(std::memory_order_relaxed) * kPageSize; }

  // Pages may have been written for the first time since it was last restored: they will have to be looked
  // for. Whoever ran it and saw that the thread took no page fault meanwhile need not say so.
  void note_new_pages() { may_have_new_pages_ = true; }

 private:
  friend class ShellPool;
  // It has no pages any more, and no place for them.
  void drop_pages();

  const std::string tenant_;
  const bool is_dedicated_;
  std::shared_ptr<const WindowMemory> base_;  // what its memory is a private copy of
  // Which pages of it are its own, ascending, except for new ones. A page stays in here for good: it is
  // copied back at every restore, whether it was written again or not, so that nothing has to be armed.
  std::vector<uint32_t> own_pages_;
  std::atomic<size_t> own_count_{0};  // for who may not look at own_pages_
  bool may_have_new_pages_ = true;
  uint64_t restored_pages_ = 0;
  VcpuState state_;                                // valid while parked
  MappedRange home_;                               // where its pages rest; reserved when it is first parked
  std::shared_ptr<const WindowMemory> home_base_;  // whose parts that has
  bool has_pages_ = false;                         // it ran before: its pages are in home_ while parked
  uint32_t attaches_ = 0;
  uint64_t attach_ioctls_ = 0;
  // Guarded by the pool's mutex:
  Shell* shell_ = nullptr;     // attached to it
  bool parking_ = false;       // another thread is parking it
  std::optional<Error> lost_;  // parking failed half-way: memory or registers are gone
};

// The shells of an image, and who has them. Thread-safe; each SandboxMemory is used by one thread at a time,
// while other threads may park it when it is not in use.
//
// A shell is free, attached to a sandbox at rest, or in use. The mutex guards this bookkeeping only: no
// system call is made under it. A shell that a thread works on is marked in use, so that nobody else touches
// it or its sandbox.
class ShellPool {
 public:
  struct Counters {
    std::atomic<uint64_t>* vms_created;
    std::atomic<uint64_t>* vms_live;
    std::atomic<uint64_t>* attaches;
    std::atomic<uint64_t>* parks;
  };

  // All that is referred to must outlive the pool. `limit` shells are kept, and `vms` may allow less; more
  // are made only while calls need them. Those of dedicated sandboxes are not counted. Where registers would
  // stay behind in a vCPU (MachineTraits::can_share_vcpus), each sandbox has a shell of its own.
  ShellPool(Hypervisor& hypervisor, const Layout& layout, ImageMemory memory, const MachineTraits& traits,
            uint32_t limit, VmLimit& vms, Counters counters);
  ~ShellPool();  // all sandboxes are gone

  // Puts `sandbox` into a shell, if it is not in one, and marks that in use. When that fails the sandbox is
  // as it was, unless lost() says otherwise. GLINT_E_UNSUPPORTED in a child of fork: a VM belongs to the
  // process that made it.
  Result<Shell*> acquire(SandboxMemory& sandbox);

  // It is in a shell at this moment: its next call need not attach it.
  bool is_attached(const SandboxMemory& sandbox);

  // It is, and this thread need not wait for its vCPU (HypervisorInfo::threads_wait).
  bool is_near(const SandboxMemory& sandbox);
  bool threads_wait() const { return threads_wait_; }

  // Its memory or registers could not be kept while it was parked, perhaps by another thread at this moment.
  bool is_lost(const SandboxMemory& sandbox);

  // The sandbox rests; it stays attached until its shell is wanted.
  void release(SandboxMemory& sandbox);

  // Drops the sandbox's memory. It must not be in use by another thread. `broken`: the VM is not to be used
  // again.
  void forget(SandboxMemory& sandbox, bool broken = false);

  // The sandbox as it is at this moment. It must not be in use, nor have left in the middle of something.
  Result<FrozenSandbox> freeze(SandboxMemory& sandbox);

  // Makes the sandbox what `to` says, whatever became of it: a frozen one of the same image. It must not be
  // in use. When that fails its memory is dropped; it can be tried again.
  Result<void> restore(SandboxMemory& sandbox, const FrozenSandbox& to);

  // For VmLimit. When the shared shell that is idle longest was used; nothing when all are in calls.
  std::optional<uint64_t> longest_idle_use();
  // Parks what is in that shell and closes the VM; false when there is none, or that sandbox cannot be
  // parked.
  bool retire_longest_idle();

  // For tests, which must notice: restoring finds no pages any more.
  void break_tracking() { tracking_broken_ = true; }

  // What the memory of a new sandbox is a copy of.
  const std::shared_ptr<const WindowMemory>& initial_memory() const { return memory_.window(); }

 private:
  struct Slot {
    std::unique_ptr<Shell> shell;    // null while it is being made
    SandboxMemory* guest = nullptr;  // the sandbox that is attached
    bool in_use = false;
    uint64_t user = 0;                  // the number of the thread that uses it, or used it last
    bool is_retiring = false;           // it goes, and does not count any more
    bool is_dedicated = false;          // to the sandbox that is attached, from its making to its end
    std::optional<std::string> tenant;  // whose sandboxes it serves; empty until it served one
    uint64_t last_use = 0;              // VmLimit::next_use
  };

  static void claim(Slot& slot);
  bool is_near(const Slot& slot) const;
  Result<void> check_owner() const;
  size_t shared_count() const;
  bool is_shared(const SandboxMemory& sandbox) const {
    return traits_.can_share_vcpus() && !sandbox.is_dedicated_;
  }
  Slot* slot_of(const Shell* shell);
  template <class Predicate>
  Slot* longest_idle(Predicate suits);
  Result<Slot*> take_slot(const SandboxMemory& sandbox, std::unique_lock<std::mutex>& lock);
  Result<Slot*> make_slot(bool dedicated, std::unique_lock<std::mutex>& lock);
  Result<Slot*> evict(Slot* slot, std::unique_lock<std::mutex>& lock);
  Result<void> park(Shell& shell, SandboxMemory& sandbox, bool& lost);
  Result<void> attach(Slot& slot, SandboxMemory& sandbox, bool& lost);
  Result<void> attach_somewhere(SandboxMemory& sandbox, std::unique_lock<std::mutex>& lock);
  bool retire(Slot* slot, std::unique_lock<std::mutex>& lock);
  void learn(const SandboxMemory& sandbox, std::span<const std::byte> window);
  Result<void> restore_attached(Shell& shell, SandboxMemory& sandbox, const FrozenSandbox& to);
  Result<void> restore_parked(SandboxMemory& sandbox, const FrozenSandbox& to);
  Result<void> copy_back(std::span<std::byte> pages, SandboxMemory& sandbox);
  std::unique_ptr<Slot> take_out(Slot* slot);
  void drop_slot(Slot* slot, std::unique_lock<std::mutex>& lock);

  Hypervisor& hypervisor_;
  const Layout& layout_;
  ImageMemory memory_;
  const Pagemap pagemap_ = Pagemap::open();
  const MachineTraits traits_;
  const uint32_t limit_;
  const bool threads_wait_;
  VmLimit& vms_;
  Counters counters_;
  const pid_t owner_ = current_process();

  std::atomic<bool> tracking_broken_{false};

  std::mutex mutex_;
  std::unique_ptr<std::condition_variable> parked_ = std::make_unique<std::condition_variable>();
  std::vector<std::unique_ptr<Slot>> slots_;  // guarded by mutex_
};

}  // namespace glint::core
