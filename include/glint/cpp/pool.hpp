// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "glint/cpp/error.hpp"
#include "glint/cpp/host.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/cpp/sandbox.hpp"
#include "glint/cpp/snapshot.hpp"
#include "glint/pool.h"

namespace glint {

// For ever.
inline constexpr std::chrono::nanoseconds kWaitForever = std::chrono::nanoseconds::max();

// See glint_pool_options.
struct PoolOptions {
  uint32_t size = 0;       // sandboxes that there are at most, those in use included; 0: two per processor
  uint32_t warm = 0;       // of them, those that are made beforehand; 0: as many as the engine keeps VMs
  bool lazy = false;       // none is put into a VM before somebody asks for one
  bool use_thread = true;  // a thread of the pool's restores; else Sandbox's destructor does
  bool dedicated_vms = false;  // each of its sandboxes has a VM that serves no other
  uint64_t idle_memory = 0;    // bytes of their own that sandboxes at rest may keep together; 0: no limit
  std::string tenant = {};     // of all its sandboxes: no VM ever serves two tenants
};

// Counts; see glint_pool_counters.
struct PoolCounters {
  uint64_t live = 0, in_use = 0, ready = 0, returned = 0, waiting = 0, idle_memory = 0;
  uint64_t acquired = 0, waited = 0, restored = 0, restored_late = 0, made = 0, replaced = 0, dropped = 0;
};

// Sandboxes of one snapshot, handed out one after the other, each as the snapshot has it. A Sandbox goes back
// when it is destroyed, whatever became of it. Copies are the same pool. Any thread.
class Pool {
 public:
  explicit Pool(const Snapshot& snapshot, const PoolOptions& options = {})
      : Pool(try_create(snapshot, options).value()) {}
  Pool(const Snapshot& snapshot, const HostFunctions& functions, const PoolOptions& options = {})
      : Pool(try_create(snapshot, functions, options).value()) {}

  static Expected<Pool> try_create(const Snapshot& snapshot, const PoolOptions& options = {}) {
    return create(snapshot, nullptr, options);
  }
  static Expected<Pool> try_create(const Snapshot& snapshot, const HostFunctions& functions,
                                   const PoolOptions& options = {}) {
    return create(snapshot, functions.handle(), options);
  }

  // A sandbox for the caller alone. When all are in use, waits for one up to `wait`, or until the interrupt
  // is raised; the Error is GLINT_E_POOL_EMPTY or GLINT_E_INTERRUPTED then. `options` say what the sandbox
  // does until it goes back; they name no args, no env and no tenant.
  Sandbox acquire(std::chrono::nanoseconds wait = kWaitForever,
                  const std::optional<Interrupt>& interrupt = {}, SandboxOptions options = {}) const {
    return try_acquire(wait, interrupt, std::move(options)).value();
  }
  Expected<Sandbox> try_acquire(std::chrono::nanoseconds wait = kWaitForever,
                                const std::optional<Interrupt>& interrupt = {},
                                SandboxOptions options = {}) const {
    glint_acquire_options request;
    glint_acquire_options_init(&request, sizeof(request));
    if (wait.count() > 0) request.wait_ns = wait == kWaitForever ? GLINT_WAIT_FOREVER : to_ns(wait);
    request.interrupt = interrupt ? interrupt->handle() : nullptr;
    return Sandbox::open(
        snapshot_.image(), std::move(options),
        [&](const glint_sandbox_options& c_options, glint_sandbox** made, glint_error** error) {
          request.sandbox = &c_options;
          return glint_pool_acquire(handle(), &request, made, error);
        });
  }

  // Drops sandboxes at rest until what they have of their own is no more than that many bytes.
  void trim(uint64_t idle_memory = 0) const noexcept { glint_pool_trim(handle(), idle_memory); }

  // Whoever waits, or asks from now on, gets GLINT_E_ENDED. Also done when the last copy goes.
  void close() const noexcept { glint_pool_close(handle()); }

  PoolCounters counters() const noexcept {
    glint_pool_counters c{};
    c.struct_size = sizeof(c);
    // Cannot fail: both arguments are good, and the size is this header's.
    static_cast<void>(glint_pool_get_counters(handle(), &c, nullptr));
    return {c.live,   c.in_use,   c.ready,         c.returned, c.waiting,  c.idle_memory, c.acquired,
            c.waited, c.restored, c.restored_late, c.made,     c.replaced, c.dropped};
  }
  uint32_t size() const noexcept {
    glint_pool_counters c{};
    c.struct_size = sizeof(c);
    static_cast<void>(glint_pool_get_counters(handle(), &c, nullptr));
    return c.size;
  }

  const Snapshot& snapshot() const noexcept { return snapshot_; }

  // For use with the C functions; belongs to this object.
  glint_pool* handle() const noexcept { return handle_.get(); }

 private:
  Pool(const Snapshot& snapshot, glint_pool* handle)
      : snapshot_(snapshot), handle_(handle, glint_pool_free) {}

  static uint64_t to_ns(std::chrono::nanoseconds wait) noexcept {
    return static_cast<uint64_t>(wait.count());
  }

  static Expected<Pool> create(const Snapshot& snapshot, glint_host_functions* functions,
                               const PoolOptions& options) {
    glint_pool_options c_options;
    glint_pool_options_init(&c_options, sizeof(c_options));
    if (options.lazy) c_options.flags |= GLINT_POOL_LAZY;
    if (!options.use_thread) c_options.flags |= GLINT_POOL_NO_THREAD;
    if (options.dedicated_vms) c_options.flags |= GLINT_POOL_DEDICATED_VMS;
    c_options.size = options.size;
    c_options.warm = options.warm;
    c_options.idle_memory = options.idle_memory;
    c_options.tenant = {options.tenant.data(), options.tenant.size()};
    glint_pool* made = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_pool_create(snapshot.handle(), functions, &c_options, &made, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return Pool(snapshot, made);
  }

  Snapshot snapshot_;
  std::shared_ptr<glint_pool> handle_;
};

}  // namespace glint
