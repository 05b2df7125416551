// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/process.hpp"
#include "base/result.hpp"
#include "sandbox/sandbox.hpp"

namespace glint::core {

struct PoolOptions {
  uint32_t size = 0;  // sandboxes that there are at most, those in use included; 1 to kMaxPool
  uint32_t warm =
      0;  // of them, those that are made beforehand, and put into VMs as far as the engine keeps any
  uint64_t idle_memory = UINT64_MAX;  // bytes of their own that sandboxes at rest may keep together
  // A thread of the pool's restores; else whoever gives a sandbox back. Also where that thread would make the
  // next caller wait for the vCPU (ShellPool::threads_wait).
  bool background = true;
  bool dedicated_vms = false;  // each of its sandboxes has a VM that serves no other
  std::string tenant = {};     // of all its sandboxes
};

inline constexpr uint32_t kMaxPool = 1'000'000;

// Sandboxes of one snapshot, handed out as the snapshot has them and taken back in whatever state.
// Thread-safe.
//
// A sandbox is in use, returned (it waits to be restored) or ready. What waits for one is served in the order
// of its coming, and by hand: as long as somebody waits, none is ready or returned, and there are as many as
// there may be. The mutex guards this bookkeeping only: no sandbox is made, restored or dropped under it.
class Pool {
 public:
  struct Counters {
    uint64_t live = 0, ready = 0, returned = 0, in_use = 0, waiting = 0;  // at this moment
    uint64_t idle_bytes = 0;  // own memory of those that are ready
    uint64_t acquired = 0, waited = 0;
    uint64_t restored = 0;       // by the pool's thread, or by who gave them back
    uint64_t restored_late = 0;  // by who acquired them
    uint64_t made = 0, replaced = 0, dropped = 0;
  };

  struct Request {
    uint64_t wait_ns = 0;                  // how long to wait for a sandbox at most; 0: not at all
    std::shared_ptr<Interrupt> interrupt;  // what may end the waiting; may be null
    SandboxOptions sandbox;  // until it is given back; names no tenant and no kind of VM: they are the pool's
  };

  static Result<std::shared_ptr<Pool>> create(std::shared_ptr<const Snapshot> snapshot,
                                              std::shared_ptr<const HostFunctions> functions,
                                              PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A sandbox for the caller alone. GLINT_E_POOL_EMPTY when none became free in time, GLINT_E_INTERRUPTED,
  // GLINT_E_ENDED when the pool is closed, GLINT_E_UNSUPPORTED in a child of fork.
  Result<std::unique_ptr<Sandbox>> acquire(Request&& request);

  // Takes a sandbox of this pool back, whatever became of it. It must not be in use.
  void give_back(std::unique_ptr<Sandbox> sandbox);

  // Drops sandboxes at rest, those used longest ago first, until what they have of their own is no more than
  // `idle_memory` bytes.
  void trim(uint64_t idle_memory);

  // Whoever waits gets GLINT_E_ENDED; sandboxes at rest are dropped, and those in use when they are given
  // back.
  void close();

  Counters counters() const;
  uint32_t size() const { return options_.size; }
  bool is_forked() const { return owner_ != current_process(); }

 private:
  // Owned by the thread that waits.
  struct Waiter {
    std::condition_variable changed;
    bool served = false;
    std::unique_ptr<Sandbox> sandbox;  // null, when served: it may make one
    bool interrupted = false;
  };
  struct Ready {
    std::unique_ptr<Sandbox> sandbox;
    uint64_t own_bytes;
  };
  class Interruption;

  Pool(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const HostFunctions> functions,
       PoolOptions options);

  static Result<void> check(const Request& request);
  Result<std::unique_ptr<Sandbox>> make();
  Result<void> make_warm();
  bool take(std::unique_ptr<Sandbox>& sandbox);
  bool find_near();
  Result<std::unique_ptr<Sandbox>> wait_for_one(std::unique_lock<std::mutex>& lock, Waiter& waiter,
                                                uint64_t ns);
  Result<std::unique_ptr<Sandbox>> fit(std::unique_ptr<Sandbox> sandbox);
  bool restore(Sandbox& sandbox) const;
  void finish_returned(std::unique_ptr<Sandbox> sandbox, std::unique_lock<std::mutex>& lock);
  void put(std::unique_ptr<Sandbox> sandbox, std::unique_lock<std::mutex>& lock);
  void give_room();
  void count_loan();
  bool serve_waiter(std::unique_ptr<Sandbox>& sandbox);
  std::vector<Ready> take_over(uint64_t idle_memory);
  bool runs_low() const;
  bool poll(std::unique_lock<std::mutex>& lock);
  void work();

  const std::shared_ptr<const Snapshot> snapshot_;
  const std::shared_ptr<const HostFunctions> functions_;
  const PoolOptions options_;
  const pid_t owner_ = current_process();

  std::mutex closing_;  // held while the pool is being closed; before mutex_
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable work_;
  std::vector<Ready> ready_;  // that used last is at the end, and goes out first: it is likely to be in a VM
  std::vector<std::unique_ptr<Sandbox>> returned_;  // the same
  std::deque<Waiter*> waiters_;                     // in the order of their coming
  uint32_t restoring_ = 0;                          // neither in a list nor in use
  bool closed_ = false;
  // What the thread waits for: that something is returned; or, for a while, that restoring is urgent.
  enum class Thread { kWorks, kNaps, kSleeps };
  Thread doing_ = Thread::kWorks;
  int giver_cpu_ = -1;                 // where the last one was given back
  std::atomic<uint32_t> returns_ = 0;  // to returned_, ever; written under the mutex, read without it, too
  Counters counts_;                    // all but what the lists tell

  std::optional<pthread_t> thread_;  // set before anybody else has the pool
};

}  // namespace glint::core
