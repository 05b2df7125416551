// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/kvm/kvm.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/utsname.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/kernel_release.hpp"
#include "hypervisor/kvm/kvm_ioctl.hpp"
#include "hypervisor/kvm/kvm_vcpu.hpp"

namespace glint::core {

Error kvm_error(const char* name, int errno_value) {
  std::string advice;
  switch (errno_value) {
    case ENOMEM:
      advice = "the machine, or this process's memory cgroup, has no memory left for another VM";
      break;
    case EMFILE:
      advice = "this process has too many open files: raise 'ulimit -n', or keep fewer VMs";
      break;
    case ENFILE:
      advice = "the machine has too many open files: raise fs.file-max";
      break;
    case EBUSY:
      advice = "another hypervisor seems to hold the processor's virtualisation; stop it";
      break;
    case EPERM:
    case EACCES:
      advice = "a security policy (seccomp, LSM) of this process or container forbids it";
      break;
    case ENXIO:
    case EINVAL:
      advice = "this KVM does not accept what Glint asks for; run 'glint doctor' and report it";
      break;
    default:
      advice = "run 'glint doctor'";
  }
  Error result = system_error(name, errno_value, advice);
  if (result.code != GLINT_E_NO_MEMORY) result.code = GLINT_E_HYPERVISOR;
  return result;
}

namespace {

// Before Linux 6.12 KVM_RUN waits, when another thread ran the vCPU last, until no reader of RCU can see that
// thread's number any more (kvm_vcpu_ioctl, virt/kvm/kvm_main.c): 12 ms on an idle Linux 6.1, unless the
// kernel was told to hurry.
bool threads_wait() {
  utsname name{};
  if (::uname(&name) != 0 || parse_release(name.release) >= std::pair(6u, 12u)) return false;
  int expedited = 0;
  std::ifstream("/sys/kernel/rcu_expedited") >> expedited;  // stays 0 where it cannot be read
  return expedited == 0;
}

class KvmVm final : public Vm {
 public:
  KvmVm(std::shared_ptr<const KvmShared> shared, Fd fd) : shared_(std::move(shared)), fd_(std::move(fd)) {}

  Result<void> add_memory(uint32_t slot, uint64_t gpa, std::byte* host, uint64_t size) override {
    kvm_userspace_memory_region region{};
    region.slot = slot;
    region.guest_phys_addr = gpa;
    region.memory_size = size;
    region.userspace_addr = reinterpret_cast<uintptr_t>(host);
    GLINT_TRY_ASSIGN(set,
                     kvm_ioctl(fd_.get(), KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION"));
    static_cast<void>(set);
    return {};
  }

  Result<std::unique_ptr<Vcpu>> create_vcpu() override { return KvmVcpu::create(shared_, fd_.get()); }

 private:
  std::shared_ptr<const KvmShared> shared_;
  Fd fd_;
};

class KvmHypervisor final : public Hypervisor {
 public:
  explicit KvmHypervisor(std::shared_ptr<const KvmShared> shared) : shared_(std::move(shared)) {}

  const HypervisorInfo& info() const override { return shared_->info; }

  Result<std::unique_ptr<Vm>> create_vm() override {
    // KVM_CREATE_VM returns EINTR when a signal comes while it waits for memory or locks; nothing was made
    // then.
    int fd = -1;
    do {
      fd = ::ioctl(shared_->kvm.get(), KVM_CREATE_VM, 0ul);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return kvm_error("KVM_CREATE_VM", errno);
    return std::unique_ptr<Vm>(std::make_unique<KvmVm>(shared_, Fd(fd)));
  }

 private:
  std::shared_ptr<const KvmShared> shared_;
};

Error open_error(int errno_value) {
  const std::string what = "/dev/kvm: " + std::generic_category().message(errno_value) + "; ";
  switch (errno_value) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return error(
          GLINT_E_NO_HYPERVISOR,
          what +
              "this machine offers no KVM: load the module (modprobe kvm_intel or kvm_amd), enable "
              "virtualisation in the firmware, or nested virtualisation for a VM; in a container pass "
              "--device /dev/kvm");
    case EACCES:
    case EPERM:
      return error(GLINT_E_NO_HYPERVISOR,
                   what +
                       "this user may not open it: add it to the group that owns /dev/kvm (usually kvm: "
                       "usermod -aG kvm USER, then log in again)");
    default: {
      Error result = system_error("/dev/kvm", errno_value, "run 'glint doctor'");
      result.code = GLINT_E_NO_HYPERVISOR;
      return result;
    }
  }
}

struct Requirement {
  int capability;
  const char* name;
};
constexpr Requirement kRequired[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_XSAVE, "KVM_CAP_XSAVE"},
    {KVM_CAP_SYNC_MMU, "KVM_CAP_SYNC_MMU"},
    {KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS"},
};

int capability(int kvm, int number) {
  const int value = ::ioctl(kvm, KVM_CHECK_EXTENSION, number);
  return value < 0 ? 0 : value;
}

}  // namespace

Result<std::shared_ptr<Hypervisor>> open_kvm() {
  auto shared = std::make_shared<KvmShared>();
  shared->kvm = Fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!shared->kvm) return open_error(errno);
  const int kvm = shared->kvm.get();

  HypervisorInfo& info = shared->info;
  info.name = "kvm";
  const int version = ::ioctl(kvm, KVM_GET_API_VERSION, 0ul);
  if (version < 0) {
    return error(GLINT_E_NO_HYPERVISOR,
                 "/dev/kvm is there, but it is no KVM device: " + std::generic_category().message(errno) +
                     "; find out what put it there");
  }
  info.api_version = version;
  if (version != KVM_API_VERSION) {
    return error(GLINT_E_UNSUPPORTED, "KVM speaks API version " + std::to_string(version) + ", Glint needs " +
                                          std::to_string(KVM_API_VERSION) + "; use a current Linux kernel");
  }
  std::string missing;
  for (const Requirement& need : kRequired) {
    if (capability(kvm, need.capability) == 0)
      missing += (missing.empty() ? "" : ", ") + std::string(need.name);
  }
  if (!missing.empty()) {
    return error(GLINT_E_UNSUPPORTED,
                 "this KVM lacks " + missing + "; Glint needs Linux 5.13 or newer on x86-64");
  }
  constexpr int kSync = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
  info.sync_regs = (capability(kvm, KVM_CAP_SYNC_REGS) & kSync) == kSync;
  info.threads_wait = threads_wait();
  info.max_vcpus = static_cast<uint32_t>(capability(kvm, KVM_CAP_NR_VCPUS));
  info.max_slots = static_cast<uint32_t>(capability(kvm, KVM_CAP_NR_MEMSLOTS));

  GLINT_TRY_ASSIGN(run_size, kvm_ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0ul, "KVM_GET_VCPU_MMAP_SIZE"));
  if (static_cast<size_t>(run_size) < sizeof(kvm_run)) {
    return error(GLINT_E_UNSUPPORTED,
                 "KVM_GET_VCPU_MMAP_SIZE: the kvm_run area is smaller than its structure");
  }
  shared->run_size = static_cast<uint32_t>(run_size);
  GLINT_TRY_ASSIGN(cpuid, CpuidTable::supported(kvm));
  shared->cpuid = std::move(cpuid);
  info.xsave = shared->cpuid.has_xsave();
  info.fsgsbase = shared->cpuid.has_fsgsbase();
  info.vector_components |= shared->cpuid.vector_components();
  return std::shared_ptr<Hypervisor>(std::make_shared<KvmHypervisor>(std::move(shared)));
}

}  // namespace glint::core
