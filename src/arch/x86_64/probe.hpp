// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "arch/x86_64/cpu_features.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// How this hypervisor behaves, found out by running a tiny guest; never by its name.
struct MachineTraits {
  PortAccess port_access = PortAccess::kBitmapBusyTss;
  bool syscall_enters_ring3 =
      false;                // `syscall` arrives at LSTAR still in ring 3 (software KVM), not in ring 0
  bool has_avx = false;     // ring 3 can use AVX …
  bool keeps_avx = false;   // … and its registers travel with Vcpu::save() and load()
  bool has_avx512 = false;  // the same of AVX-512
  bool keeps_avx512 = false;
  CpuFeatures features;  // as CPUID tells ring 3, whoever answers it
  uint32_t tsc_khz = 0;  // of the guest's TSC; 0 when the hypervisor does not say

  // May one vCPU serve one sandbox after the other? Not if registers of the last one would stay behind.
  bool can_share_vcpus() const { return has_avx == keeps_avx && has_avx512 == keeps_avx512; }
};

// Runs the probe guest. GLINT_E_UNSUPPORTED when ring 3 can reach the exit port in no way, or system calls or
// faults do not arrive where they should; the message says which.
Result<MachineTraits> probe_machine(Hypervisor& hypervisor);

}  // namespace glint::core
