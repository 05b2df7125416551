// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/fake/fake.hpp"

#include "base/checked.hpp"

namespace glint::core {

Result<void> FakeHypervisor::attempt(const char* operation) const {
  if (failing_ != operation) return {};
  return error(GLINT_E_HYPERVISOR, std::string(operation) + ": told to fail");
}

Result<std::unique_ptr<Vm>> FakeHypervisor::create_vm() {
  GLINT_TRY(attempt("create_vm"));
  return std::unique_ptr<Vm>(std::make_unique<FakeVm>(shared_from_this()));
}

FakeVm::FakeVm(std::shared_ptr<FakeHypervisor> hypervisor) : hypervisor_(std::move(hypervisor)) {
  ++hypervisor_->vms_live_;
}
FakeVm::~FakeVm() { --hypervisor_->vms_live_; }

Result<void> FakeVm::add_memory(uint32_t slot, uint64_t gpa, std::byte* host, uint64_t size) {
  GLINT_TRY(hypervisor_->attempt("add_memory"));
  const auto aligned = [](uint64_t value) { return value % kPageSize == 0; };
  if (!aligned(gpa) || !aligned(size) || !aligned(reinterpret_cast<uintptr_t>(host)) || size == 0) {
    return error(GLINT_E_HYPERVISOR, "add_memory: a slot is not made of whole pages");
  }
  for (const Slot& other : slots_) {
    const bool apart = gpa + size <= other.gpa || other.gpa + other.host.size() <= gpa;
    if (other.number == slot || !apart) return error(GLINT_E_HYPERVISOR, "add_memory: slots overlap");
  }
  slots_.push_back({slot, gpa, {host, size}});
  return {};
}

Result<std::unique_ptr<Vcpu>> FakeVm::create_vcpu() {
  GLINT_TRY(hypervisor_->attempt("create_vcpu"));
  return std::unique_ptr<Vcpu>(std::make_unique<FakeVcpu>(*this));
}

Result<void> FakeVcpu::configure(const SystemRegisters& registers_to_set) {
  ++counters_.ioctls;
  GLINT_TRY(vm_.hypervisor_->attempt("configure"));
  system = registers_to_set;
  return {};
}

Result<void> FakeVcpu::load(const VcpuState& state) {
  ++counters_.ioctls;
  GLINT_TRY(vm_.hypervisor_->attempt("load"));
  registers = state.registers;
  fs_base = state.fs_base;
  gs_base = state.gs_base;
  vectors = state.vectors ? *state.vectors : VectorState{};
  return {};
}

Result<void> FakeVcpu::settle() { return vm_.hypervisor_->attempt("settle"); }

Result<VcpuState> FakeVcpu::save() {
  ++counters_.ioctls;
  GLINT_TRY(vm_.hypervisor_->attempt("save"));
  VcpuState state;
  state.registers = registers;
  state.fs_base = fs_base;
  state.gs_base = gs_base;
  state.vectors = std::make_shared<const VectorState>(vectors);
  return state;
}

Result<Vcpu::FaultState> FakeVcpu::fault_state() {
  ++counters_.ioctls;
  GLINT_TRY(vm_.hypervisor_->attempt("fault_state"));
  return FaultState{registers, cr2};
}

Result<Exit> FakeVcpu::run() {
  ++counters_.ioctls;
  ++counters_.runs;
  if (kicked()) return exit_of_kind(Exit::Kind::kInterrupted);
  return vm_.hypervisor_->script_(*this);
}

bool FakeVcpu::kick(pthread_t) {
  kicked_.store(true);
  if (refused_kicks != 0) {
    --refused_kicks;
    return false;
  }
  kicked_.notify_all();
  return true;
}

Exit FakeVcpu::run_until_kicked() {
  kicked_.wait(false);
  return exit_of_kind(Exit::Kind::kInterrupted);
}

std::span<std::byte> FakeVcpu::memory(uint64_t gpa, uint64_t size) {
  for (const auto& slot : vm_.slots_) {
    if (gpa >= slot.gpa && in_range(gpa - slot.gpa, size, slot.host.size())) {
      return slot.host.subspan(gpa - slot.gpa, size);
    }
  }
  return {};
}

Exit exit_by_port(uint16_t port) {
  Exit exit;
  exit.kind = Exit::Kind::kPort;
  exit.port = port;
  exit.output = true;
  exit.width = 4;
  return exit;
}

Exit exit_of_kind(Exit::Kind kind) {
  Exit exit;
  exit.kind = kind;
  return exit;
}

}  // namespace glint::core
