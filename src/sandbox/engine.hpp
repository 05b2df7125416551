// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "arch/x86_64/probe.hpp"
#include "base/process.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"
#include "image/elf.hpp"
#include "image/layout.hpp"
#include "sandbox/deadline_timer.hpp"
#include "shell/vm_limit.hpp"

namespace glint::core {

inline constexpr uint64_t kDefaultDeadline = 5'000'000'000;  // ns
inline constexpr uint64_t kNoDeadline = UINT64_MAX;

struct EngineOptions {
  enum class Backend { kKvm, kNone, kFake };
  Backend backend = Backend::kKvm;
  uint32_t max_shells = 0;                  // idle VMs kept per image; 0: two per processor
  uint32_t max_vms = 0;                     // idle VMs kept over all images; 0: default_vms()
  uint32_t kick_signal = 0;                 // 0: the highest real-time signal that is free
  uint64_t deadline_ns = kDefaultDeadline;  // of a call that is not told otherwise; kNoDeadline: none
};

// Two per processor: one that runs, and one whose sandbox waits in a host function or is about to be called
// again.
uint32_t default_shells();

// As many as one image may keep, and 32 at least: with so many, an unrelated munmap of the host program takes
// twice as long, and each has 0.6 MiB of the kernel's memory (docs/decisions/0011).
uint32_t default_vms(uint32_t max_shells);

// The connection to the hypervisor, and the counters of all that hangs on it. Thread-safe.
class Engine {
 public:
  struct Counters {
    std::atomic<uint64_t> vms_created{0}, vms_live{0};
    std::atomic<uint64_t> sandboxes_created{0}, sandboxes_live{0};
    std::atomic<uint64_t> attaches{0}, parks{0};
  };

  static Result<std::shared_ptr<Engine>> create(const EngineOptions& options);

  // With a hypervisor of the caller's, for tests.
  static std::shared_ptr<Engine> with_hypervisor(std::shared_ptr<Hypervisor> hypervisor,
                                                 const MachineTraits& traits, uint32_t max_shells,
                                                 uint32_t max_vms = 0);

  // KVM, opened and probed once per process.
  struct Machine {
    std::shared_ptr<Hypervisor> hypervisor;
    MachineTraits traits;
  };
  static Result<Machine> kvm_machine();

  // What runs the guests of `program`; null without a hypervisor. Each program has a fake of its own.
  std::shared_ptr<Hypervisor> hypervisor_for(const Program& program, const Layout& layout) const;
  Hypervisor* hypervisor() const { return hypervisor_.get(); }  // null for kNone and kFake
  const char* backend_name() const;                             // "kvm", "fake" or "none"
  bool runs_guests() const { return backend_ != EngineOptions::Backend::kNone; }
  const MachineTraits& traits() const { return traits_; }
  uint32_t max_shells() const { return max_shells_; }
  // How many VMs an image keeps that is the only one.
  uint32_t kept_vms() const { return std::min(max_shells_, max_vms_); }
  VmLimit& vm_limit() { return vm_limit_; }
  bool is_forked() const { return owner_ != current_process(); }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  uint64_t deadline_ns() const { return deadline_ns_; }
  DeadlineTimer& timer() { return timer_; }

 private:
  Engine(std::shared_ptr<Hypervisor> hypervisor, const MachineTraits& traits, const EngineOptions& options);

  EngineOptions::Backend backend_;
  std::shared_ptr<Hypervisor> hypervisor_;  // null for kNone and kFake
  MachineTraits traits_;
  uint32_t max_shells_;
  uint32_t max_vms_;
  VmLimit vm_limit_;
  const pid_t owner_ = current_process();
  uint64_t deadline_ns_;
  Counters counters_;
  DeadlineTimer timer_;
};

}  // namespace glint::core
