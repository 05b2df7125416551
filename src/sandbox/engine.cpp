// SPDX-License-Identifier: Apache-2.0
#include "sandbox/engine.hpp"

#include <algorithm>
#include <thread>

#include "hypervisor/kick_signal.hpp"
#include "hypervisor/kvm/kvm.hpp"
#include "sandbox/fake_guest.hpp"

namespace glint::core {

uint32_t default_shells() {
  const unsigned processors = std::thread::hardware_concurrency();
  return 2 * (processors == 0 ? 1 : processors);
}

uint32_t default_vms(uint32_t max_shells) { return std::max(32u, max_shells); }

Engine::Engine(std::shared_ptr<Hypervisor> hypervisor, const MachineTraits& traits,
               const EngineOptions& options)
    : backend_(options.backend),
      hypervisor_(std::move(hypervisor)),
      traits_(traits),
      max_shells_(options.max_shells == 0 ? default_shells() : options.max_shells),
      max_vms_(options.max_vms == 0 ? default_vms(max_shells_) : options.max_vms),
      vm_limit_(max_vms_),
      deadline_ns_(options.deadline_ns) {}

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions& options) {
  if (options.backend != EngineOptions::Backend::kKvm) {
    return std::shared_ptr<Engine>(new Engine(nullptr, {}, options));
  }
  GLINT_TRY_ASSIGN(machine, kvm_machine());
  GLINT_TRY(install_kick_signal(options.kick_signal));
  return std::shared_ptr<Engine>(new Engine(machine.hypervisor, machine.traits, options));
}

std::shared_ptr<Engine> Engine::with_hypervisor(std::shared_ptr<Hypervisor> hypervisor,
                                                const MachineTraits& traits, uint32_t max_shells,
                                                uint32_t max_vms) {
  EngineOptions options;
  options.max_shells = max_shells;
  options.max_vms = max_vms;
  return std::shared_ptr<Engine>(new Engine(std::move(hypervisor), traits, options));
}

std::shared_ptr<Hypervisor> Engine::hypervisor_for(const Program& program, const Layout& layout) const {
  if (backend_ == EngineOptions::Backend::kFake) return make_fake_guest(program, layout.transfer_gpa);
  return hypervisor_;
}

const char* Engine::backend_name() const {
  switch (backend_) {
    case EngineOptions::Backend::kFake:
      return "fake";
    case EngineOptions::Backend::kNone:
      return "none";
    case EngineOptions::Backend::kKvm:
      break;
  }
  return "kvm";
}

Result<Engine::Machine> Engine::kvm_machine() {
  // The hypervisor handle, and what the probe found out, are the one global state of the library. A failure
  // is not kept: the module may be loaded, or the permission given, before the next try.
  static std::mutex mutex;
  static std::optional<Machine> known;
  const std::lock_guard lock(mutex);
  if (!known) {
    GLINT_TRY_ASSIGN(hypervisor, open_kvm());
    GLINT_TRY_ASSIGN(traits, probe_machine(*hypervisor));
    known = Machine{std::move(hypervisor), traits};
  }
  return *known;
}

}  // namespace glint::core
