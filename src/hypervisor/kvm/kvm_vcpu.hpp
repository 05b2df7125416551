// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/kvm.h>

#include <memory>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "hypervisor/hypervisor.hpp"
#include "hypervisor/kvm/kvm_cpuid.hpp"

namespace glint::core {

// What a vCPU needs to know of the hypervisor it belongs to.
struct KvmShared {
  Fd kvm;
  uint32_t run_size = 0;  // bytes of the shared kvm_run area
  CpuidTable cpuid;
  HypervisorInfo info;
};

class KvmVcpu final : public Vcpu {
 public:
  static Result<std::unique_ptr<Vcpu>> create(std::shared_ptr<const KvmShared> shared, int vm_fd);
  ~KvmVcpu() override;

  Result<void> configure(const SystemRegisters& system) override;
  Result<void> load(const VcpuState& state) override;
  Result<void> settle() override;
  Result<VcpuState> save() override;
  Result<VcpuState> look() override;
  Result<FaultState> fault_state() override;
  Result<Exit> run() override;
  bool kick(pthread_t runner) override;
  void clear_kick() override;
  uint32_t tsc_khz() const override { return tsc_khz_; }
  const Counters& counters() const override { return counters_; }

 private:
  KvmVcpu(std::shared_ptr<const KvmShared> shared, Fd fd, kvm_run* run);

  template <class T>
  Result<int> call(unsigned long request, T argument, const char* name);
  Result<void> set_system_call_msrs(const SystemRegisters& system);
  // settle(), which also leaves those registers (KVM_SYNC_X86_…) in run_ when there was an exit to complete.
  Result<void> settle(uint64_t report);
  Result<void> complete_exit();
  Exit decode_exit() const;

  std::shared_ptr<const KvmShared> shared_;
  Fd fd_;
  kvm_run* run_;                           // shared with the kernel
  const pid_t owner_ = current_process();  // a child of fork does not have the mapping
  kvm_sregs base_sregs_{};                 // as configure() left them; load() changes only the bases in it
  kvm_sregs current_sregs_{};
  uint64_t base_rflags_ = 0x2;  // IOPL, if that is how the port is reached
  bool exit_pending_ = false;   // the next KVM_RUN first completes the last exit
  bool registers_in_run_ =
      false;                   // run_ holds the registers as they are: loaded, or saved, and not run since
  bool vectors_fresh_ = true;  // the vector state is still that of a reset
  uint32_t tsc_khz_ = 0;
  Counters counters_;
};

}  // namespace glint::core
