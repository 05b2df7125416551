// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// A hypervisor without a processor: a function of the test's plays the guest. It needs no KVM, reaches every
// exit, and can fail at any call.
class FakeVm;

class FakeVcpu final : public Vcpu {
 public:
  explicit FakeVcpu(FakeVm& vm) : vm_(vm) {}

  Result<void> configure(const SystemRegisters& registers_to_set) override;
  Result<void> load(const VcpuState& state) override;
  Result<void> settle() override;
  Result<VcpuState> save() override;
  Result<VcpuState> look() override { return save(); }
  Result<FaultState> fault_state() override;
  Result<Exit> run() override;
  bool kick(pthread_t runner) override;
  void clear_kick() override { kicked_.store(false); }
  uint32_t tsc_khz() const override { return 1'000'000; }
  const Counters& counters() const override { return counters_; }

  // For the script, which plays the guest:
  Registers registers;
  uint64_t fs_base = 0, gs_base = 0;
  VectorState vectors;
  uint64_t cr2 = 0;
  SystemRegisters system;

  // How many of the next kicks find no room in the queue of signals. They set the flag all the same.
  std::atomic<uint32_t> refused_kicks{0};
  // Was it kicked, and not cleared since?
  bool kicked() const { return kicked_.load(); }
  // What a guest that never leaves does: waits for a kick.
  Exit run_until_kicked();

  // The guest's memory at [gpa, gpa + size); empty when no slot holds all of it.
  std::span<std::byte> memory(uint64_t gpa, uint64_t size);

 private:
  FakeVm& vm_;
  Counters counters_;
  std::atomic<bool> kicked_{false};
};

class FakeHypervisor final : public Hypervisor, public std::enable_shared_from_this<FakeHypervisor> {
 public:
  // Plays the guest from one entry to the next exit.
  using Script = std::function<Result<Exit>(FakeVcpu&)>;

  explicit FakeHypervisor(Script script) : script_(std::move(script)) { info_.name = "fake"; }

  const HypervisorInfo& info() const override { return info_; }
  Result<std::unique_ptr<Vm>> create_vm() override;

  // The name of an operation that shall fail from now on: "create_vm", "add_memory", "create_vcpu",
  // "configure", "load", "settle", "save", "fault_state", or empty for none.
  void fail(std::string operation) { failing_ = std::move(operation); }

  // As on Linux before 6.12. Before anybody else has it.
  void make_threads_wait() { info_.threads_wait = true; }

  uint64_t vms_live() const { return vms_live_; }

 private:
  friend class FakeVm;
  friend class FakeVcpu;
  Result<void> attempt(const char* operation) const;

  Script script_;
  HypervisorInfo info_;
  std::string failing_;
  std::atomic<uint64_t> vms_live_{0};
};

class FakeVm final : public Vm {
 public:
  explicit FakeVm(std::shared_ptr<FakeHypervisor> hypervisor);
  ~FakeVm() override;

  Result<void> add_memory(uint32_t slot, uint64_t gpa, std::byte* host, uint64_t size) override;
  Result<std::unique_ptr<Vcpu>> create_vcpu() override;

 private:
  friend class FakeVcpu;
  struct Slot {
    uint32_t number;
    uint64_t gpa;
    std::span<std::byte> host;
  };

  std::shared_ptr<FakeHypervisor> hypervisor_;
  std::vector<Slot> slots_;
};

// Exits, for scripts.
Exit exit_by_port(uint16_t port);
Exit exit_of_kind(Exit::Kind kind);

}  // namespace glint::core
