// SPDX-License-Identifier: Apache-2.0
#include "sandbox/doctor.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/kernel_release.hpp"
#include "sandbox/engine.hpp"

namespace glint::core {

namespace {

using Severity = DoctorItem::Severity;

// MREMAP_DONTUNMAP came with 5.7 for anonymous memory; attaching a sandbox needs it for private file
// mappings, which came with 5.13 (mremap(2)).
constexpr uint32_t kMinKernelMajor = 5;
constexpr uint32_t kMinKernelMinor = 13;

constexpr uint64_t kMappingsPerSandbox = 2;       // window and home; large pages and shared parts take more
constexpr uint64_t kFilesPerVm = 2;               // the descriptors of the VM and its vCPU
constexpr uint64_t kEnoughSandboxes = 30'000;     // with fewer than this, the limit is worth a note
constexpr uint64_t kEnoughFiles = 1024;           // what most distributions set
constexpr uint64_t kEnoughMemory = 256ull << 20;  // below, a single default sandbox may not find its memory

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::string_view port_access_text(PortAccess access) {
  switch (access) {
    case PortAccess::kBitmapBusyTss:
      return "the I/O permission bitmap";
    case PortAccess::kBitmapAvailableTss:
      return "the I/O permission bitmap of an available TSS";
    case PortAccess::kIopl:
      return "I/O privilege level 3";
  }
  return "unknown means";
}

std::string_view vectors_text(const MachineTraits& traits) {
  if (!traits.can_share_vcpus()) {
    return "vector registers do not travel with a sandbox: each sandbox has a VM of its own, which is dear";
  }
  if (!traits.has_avx) return "guests cannot use AVX";
  return traits.has_avx512 ? "guests can use AVX and AVX-512" : "guests can use AVX";
}

std::string advice_for_missing_device(const MachineFacts& facts) {
  if (facts.in_container) {
    return "in a container the device must be passed in: docker run --device /dev/kvm …, and the machine "
           "that runs "
           "the container must have it";
  }
  if (facts.cpu_virtualizes) {
    return std::string("load the module: modprobe ") + (facts.cpu_intel ? "kvm_intel" : "kvm_amd") +
           "; if that fails, enable virtualization in the firmware";
  }
  if (facts.on_hypervisor) {
    return "this machine is itself virtual and its processor offers no virtualization: enable nested "
           "virtualization "
           "for it, or choose a machine type that has it";
  }
  return "enable virtualization (VT-x, AMD-V, SVM) in the machine's firmware, then load kvm_intel or kvm_amd";
}

std::string advice_for_forbidden_device(const MachineFacts& facts) {
  if (facts.in_container) {
    return "pass the device into the container with --device /dev/kvm, and add its group with --group-add "
           "and the "
           "number that `stat -c %g /dev/kvm` prints";
  }
  return "add yourself to the device's group, usually: sudo usermod -aG kvm $USER; then log in again";
}

}  // namespace

bool DoctorReport::usable() const {
  return std::none_of(items.begin(), items.end(),
                      [](const DoctorItem& item) { return item.severity == Severity::kProblem; });
}

DoctorItem judge_kernel(const MachineFacts& facts) {
  const auto [major, minor] = parse_release(facts.kernel_release);
  if (major == 0) {
    return {Severity::kNote, "kernel", "Linux of unknown version '" + facts.kernel_release + "'",
            "Glint needs Linux 5.13 or later"};
  }
  if (std::pair(major, minor) < std::pair(kMinKernelMajor, kMinKernelMinor)) {
    return {Severity::kProblem, "kernel",
            "Linux " + facts.kernel_release + " cannot move private file mappings (MREMAP_DONTUNMAP)",
            "use Linux 5.13 or later"};
  }
  return {Severity::kOk, "kernel", "Linux " + facts.kernel_release, ""};
}

DoctorItem judge_kvm_device(const MachineFacts& facts) {
  switch (facts.kvm_open_errno) {
    case 0:
      return {Severity::kOk, "kvm_device", "/dev/kvm can be opened", ""};
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {Severity::kProblem, "kvm_device", "/dev/kvm is missing", advice_for_missing_device(facts)};
    case EACCES:
    case EPERM:
      return {Severity::kProblem, "kvm_device", "/dev/kvm is there, but may not be opened",
              advice_for_forbidden_device(facts)};
    default:
      return {Severity::kProblem, "kvm_device",
              "/dev/kvm cannot be opened: " + std::generic_category().message(facts.kvm_open_errno),
              "look for kvm in the kernel log: dmesg | grep -i kvm"};
  }
}

DoctorItem judge_map_count(const MachineFacts& facts) {
  if (facts.max_map_count == 0)
    return {Severity::kNote, "max_map_count", "vm.max_map_count cannot be read", ""};
  const uint64_t sandboxes = facts.max_map_count / kMappingsPerSandbox;
  DoctorItem item{Severity::kOk, "max_map_count",
                  "vm.max_map_count is " + std::to_string(facts.max_map_count) + ": about " +
                      std::to_string(sandboxes) + " sandboxes per process",
                  ""};
  if (sandboxes < kEnoughSandboxes) {
    item.severity = Severity::kNote;
    item.advice = "for more sandboxes: sysctl vm.max_map_count=262144";
  }
  return item;
}

DoctorItem judge_open_files(const MachineFacts& facts) {
  DoctorItem item{Severity::kOk, "open_files",
                  "at most " + std::to_string(facts.open_files_soft) + " open files: about " +
                      std::to_string(facts.open_files_soft / kFilesPerVm) + " VMs at once",
                  ""};
  if (facts.open_files_soft < kEnoughFiles) {
    item.severity = Severity::kNote;
    item.advice = facts.open_files_hard > facts.open_files_soft
                      ? "raise it: ulimit -n " + std::to_string(std::min(facts.open_files_hard, kEnoughFiles))
                      : "raise the hard limit (RLIMIT_NOFILE) in the service's or container's settings";
  }
  return item;
}

DoctorItem judge_memory(const MachineFacts& facts) {
  if (facts.memory_total == 0) return {Severity::kNote, "memory", "the size of memory cannot be read", ""};
  DoctorItem item{Severity::kOk, "memory",
                  mebibytes(facts.memory_available) + " of " + mebibytes(facts.memory_total) + " available",
                  ""};
  if (facts.memory_available < kEnoughMemory) {
    item.severity = Severity::kNote;
    item.advice = "little is left: choose a small memory_size for sandboxes, or free some";
  }
  return item;
}

std::vector<DoctorItem> judge_hypervisor(const HypervisorInfo& info, const MachineTraits& traits) {
  std::vector<DoctorItem> items;
  const auto add = [&](bool good, const char* name, std::string detail) {
    items.push_back({good ? Severity::kOk : Severity::kNote, name, std::move(detail), ""});
  };
  add(true, "hypervisor",
      info.name + ", API version " + std::to_string(info.api_version) + ", " +
          std::to_string(info.max_slots) + " memory slots per VM");
  add(info.sync_regs, "sync_regs",
      info.sync_regs ? "registers travel in shared memory"
                     : "registers travel by ioctl: attaching a sandbox takes a little longer");
  add(!traits.syscall_enters_ring3, "syscall_entry",
      traits.syscall_enters_ring3 ? "a system call of the guest arrives in ring 3, and is slow (software KVM)"
                                  : "a system call of the guest arrives in ring 0, as on real hardware");
  add(true, "port_access",
      "guests leave through the exit port by " + std::string(port_access_text(traits.port_access)));
  add(traits.has_avx && traits.can_share_vcpus(), "avx", std::string(vectors_text(traits)));
  add(traits.tsc_khz != 0, "tsc",
      traits.tsc_khz != 0
          ? "the guest's time-stamp counter runs at " + std::to_string(traits.tsc_khz) + " kHz"
          : "the hypervisor does not say how fast the guest's time-stamp counter runs");
  if (info.threads_wait) {
    items.push_back(
        {Severity::kNote, "threads",
         "a sandbox that another thread called last waits some milliseconds (KVM before Linux 6.12)",
         "use Linux 6.12 or later, or write 1 to /sys/kernel/rcu_expedited; else call a sandbox from "
         "one thread as far as you can"});
  } else {
    add(true, "threads", "a sandbox may be called from one thread after the other");
  }
  return items;
}

DoctorReport examine_machine() {
  const MachineFacts facts = gather_facts();
  DoctorReport report;
  report.items = {judge_kernel(facts), judge_kvm_device(facts)};
  if (facts.kvm_open_errno == 0) {  // else that is said already, with better advice
    if (const auto machine = Engine::kvm_machine()) {
      for (DoctorItem& item : judge_hypervisor(machine->hypervisor->info(), machine->traits)) {
        report.items.push_back(std::move(item));
      }
    } else {
      report.items.push_back({Severity::kProblem, "hypervisor", machine.error().message, ""});
    }
  }
  report.items.push_back(judge_map_count(facts));
  report.items.push_back(judge_open_files(facts));
  report.items.push_back(judge_memory(facts));
  return report;
}

}  // namespace glint::core
