// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace glint::core {

// Why a vCPU stopped.
struct Exit {
  enum class Kind : uint8_t {
    kPort,         // an `out` (or `in`) instruction
    kInterrupted,  // the thread got a signal; the guest did not move. Nobody in particular is to blame
    kMmio,         // the guest touched guest-physical memory that no slot backs
    kShutdown,     // triple fault: state is lost
    kFailed,       // the hypervisor gave up: `detail` says how
  };
  Kind kind = Kind::kFailed;
  uint16_t port = 0;    // kPort
  bool output = false;  // kPort: the guest writes
  uint8_t width = 0;    // kPort: bytes
  uint64_t gpa = 0;     // kMmio
  std::string detail;   // kFailed, for people
};

// General registers, as ring 3 sees them.
struct Registers {
  uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rsp = 0, rbp = 0;
  uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  uint64_t rip = 0, rflags = 0x2;  // bit 1 of RFLAGS is always set (SDM vol. 1, 3.4.3)
  bool operator==(const Registers&) const = default;
};

// The vector and x87 state, in the layout of XSAVE (SDM vol. 1, 13.4): the 4 KiB that KVM_GET_XSAVE gives.
struct alignas(64) VectorState {
  std::array<std::byte, 4096> xsave{};
  bool operator==(const VectorState&) const = default;
};

// All that a sandbox keeps of a vCPU while it rests.
struct VcpuState {
  Registers registers;
  uint64_t fs_base = 0;
  uint64_t gs_base = 0;
  std::shared_ptr<const VectorState> vectors;  // null: the state after a processor reset
};

// What ring 3 needs to reach the exit port: found out by the probe.
enum class PortAccess : uint8_t {
  kBitmapBusyTss,       // the I/O bitmap of a busy TSS, as processors have it
  kBitmapAvailableTss,  // the I/O bitmap, but of an available TSS (QEMU's TCG insists on that)
  kIopl,                // RFLAGS.IOPL = 3: every port leaves the guest, and the host refuses the others
};

// What stays the same in a vCPU for all sandboxes that use it.
struct SystemRegisters {
  uint64_t page_table_gpa = 0;  // CR3
  uint64_t gdt_gva = 0;
  uint16_t gdt_limit = 0;
  uint64_t idt_gva = 0;
  uint16_t idt_limit = 0;
  uint64_t tss_gva = 0;
  uint32_t tss_limit = 0;
  uint64_t syscall_gva = 0;  // LSTAR; 0 leaves the system-call MSRs alone
  uint16_t kernel_code = 0, kernel_data = 0, user_code = 0, user_data = 0, tss = 0;  // selectors
  uint16_t sysret_base = 0;                                                          // STAR[63:48]
  PortAccess port_access = PortAccess::kBitmapBusyTss;
};

// One virtual processor. Used by one thread at a time.
class Vcpu {
 public:
  struct Counters {
    uint64_t runs = 0;    // calls that entered (or tried to enter) the guest
    uint64_t ioctls = 0;  // hypervisor calls of all kinds, runs included
  };

  virtual ~Vcpu() = default;

  // Once, before anything else.
  virtual Result<void> configure(const SystemRegisters& system) = 0;

  // Sets everything that a sandbox sees, so that nothing of the last one is left: registers, segments with
  // the given bases, vector state, no pending event. The guest continues in ring 3.
  virtual Result<void> load(const VcpuState& state) = 0;

  // Finishes the exit that the vCPU is in, if any, without entering the guest. When that fails, the vCPU is
  // not to be used again.
  virtual Result<void> settle() = 0;

  // Settles, and reads back what load() sets. The vCPU must be in ring 3.
  virtual Result<VcpuState> save() = 0;

  // The same as the hypervisor has it: what load() was given is handed over first, which is otherwise left to
  // the next run. For tests, which would look at the host's own copy else.
  virtual Result<VcpuState> look() = 0;

  // The registers at this moment, for fault reports: without finishing the exit. Also CR2.
  struct FaultState {
    Registers registers;
    uint64_t cr2 = 0;
  };
  virtual Result<FaultState> fault_state() = 0;

  // Runs the guest until it leaves.
  virtual Result<Exit> run() = 0;

  // Makes the run() under way on thread `runner`, or the next one, return kInterrupted: also when it comes
  // just before the guest is entered. Stays so until clear_kick(). For any thread, while the vCPU cannot be
  // given to other work. False when the thread could not be told for now, which only trying again mends.
  virtual bool kick(pthread_t runner) = 0;
  virtual void clear_kick() = 0;

  virtual uint32_t tsc_khz() const = 0;
  virtual const Counters& counters() const = 0;
};

// One virtual machine. Used by one thread at a time. Memory given to it must stay mapped as long as it lives.
class Vm {
 public:
  virtual ~Vm() = default;

  // Makes [gpa, gpa + size) of the guest the host's [host, host + size); all page aligned.
  virtual Result<void> add_memory(uint32_t slot, uint64_t gpa, std::byte* host, uint64_t size) = 0;

  // A vCPU; it must not outlive the VM.
  virtual Result<std::unique_ptr<Vcpu>> create_vcpu() = 0;
};

struct HypervisorInfo {
  std::string name;                  // "kvm", "fake"
  int api_version = 0;               // of KVM: 12
  bool sync_regs = false;            // registers travel in shared memory (KVM_CAP_SYNC_REGS)
  uint32_t max_vcpus = 0;            // recommended number per VM
  uint32_t max_slots = 0;            // memory slots per VM
  bool xsave = false;                // guest CPUID lists XSAVE
  bool fsgsbase = false;             // guest CPUID lists FSGSBASE
  bool threads_wait = false;         // run() of a vCPU that another thread ran last takes milliseconds
  uint64_t vector_components = 0x3;  // what VectorState may hold, by XSAVE's numbers: x87 and SSE at least
};

// What runs vCPUs. Thread-safe.
class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  virtual const HypervisorInfo& info() const = 0;
  virtual Result<std::unique_ptr<Vm>> create_vm() = 0;
};

}  // namespace glint::core
