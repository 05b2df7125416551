// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arch/x86_64/probe.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// One thing that was examined.
struct DoctorItem {
  enum class Severity : uint32_t { kOk = 0, kNote = 1, kProblem = 2 };
  Severity severity = Severity::kOk;
  std::string name;    // short and stable: "kernel", "kvm_device", …
  std::string detail;  // what was found
  std::string advice;  // what to do; may be empty
};

struct DoctorReport {
  std::vector<DoctorItem> items;
  bool usable() const;  // nothing is a problem
};

// What the examination looks at, apart from the hypervisor itself. Gathered in one place, so that the
// judgements below can be tested with machines that are not at hand.
struct MachineFacts {
  std::string kernel_release;  // as uname gives it
  int kvm_open_errno = 0;      // 0: /dev/kvm can be opened for reading and writing
  bool in_container = false;
  bool cpu_virtualizes = false;  // the processor lists vmx or svm
  bool cpu_intel = false;        // vmx: which module to load
  bool on_hypervisor = false;    // this machine is itself virtual
  uint64_t max_map_count = 0;    // vm.max_map_count; 0: unknown
  uint64_t open_files_soft = 0;  // RLIMIT_NOFILE
  uint64_t open_files_hard = 0;
  uint64_t memory_total = 0;  // bytes; 0: unknown
  uint64_t memory_available = 0;
};
MachineFacts gather_facts();

// Judgements, one item each.
DoctorItem judge_kernel(const MachineFacts& facts);
DoctorItem judge_kvm_device(const MachineFacts& facts);
DoctorItem judge_map_count(const MachineFacts& facts);
DoctorItem judge_open_files(const MachineFacts& facts);
DoctorItem judge_memory(const MachineFacts& facts);

// What the hypervisor says of itself, and how it was found to behave.
std::vector<DoctorItem> judge_hypervisor(const HypervisorInfo& info, const MachineTraits& traits);

// Examines this machine. Always gives a report.
DoctorReport examine_machine();

}  // namespace glint::core
