// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "arch/x86_64/probe.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {

struct EngineOptions {
  enum class Backend { kKvm, kNone };
  Backend backend = Backend::kKvm;
  uint32_t max_shells = 0;  // idle VMs kept per image; 0: two per processor
};

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
                                                 const MachineTraits& traits, uint32_t max_shells);

  // KVM, opened and probed once per process.
  struct Machine {
    std::shared_ptr<Hypervisor> hypervisor;
    MachineTraits traits;
  };
  static Result<Machine> kvm_machine();

  Hypervisor* hypervisor() const { return hypervisor_.get(); }  // null with Backend::kNone
  const MachineTraits& traits() const { return traits_; }
  uint32_t max_shells() const { return max_shells_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  Engine(std::shared_ptr<Hypervisor> hypervisor, const MachineTraits& traits, uint32_t max_shells);

  std::shared_ptr<Hypervisor> hypervisor_;
  MachineTraits traits_;
  uint32_t max_shells_;
  Counters counters_;
};

}  // namespace glint::core
