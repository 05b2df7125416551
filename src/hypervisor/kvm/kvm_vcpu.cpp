// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/kvm/kvm_vcpu.hpp"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstring>

#include "hypervisor/kick_signal.hpp"
#include "hypervisor/kvm/ioctl_numbers.h"
#include "hypervisor/kvm/kvm_ioctl.hpp"

namespace glint::core {
namespace {

// Control registers of a 64-bit system (SDM vol. 3, 2.5).
constexpr uint64_t kCr0 = 0x80050033;        // PG AM WP NE ET MP PE
constexpr uint64_t kCr4 = 0x620;             // OSXMMEXCPT OSFXSR PAE
constexpr uint64_t kCr4Umip = 1u << 11;      // ring 3 cannot read the descriptor table registers
constexpr uint64_t kCr4Fsgsbase = 1u << 16;  // ring 3 may use wrfsbase
constexpr uint64_t kCr4Osxsave = 1u << 18;
constexpr uint64_t kEfer = 0xd01;  // NXE LMA LME SCE
constexpr uint64_t kRflagsIopl3 = 0x3000;

constexpr uint32_t kMsrStar = 0xc0000081, kMsrLstar = 0xc0000082, kMsrSfmask = 0xc0000084;
// `syscall` clears TF, IF, DF, IOPL, NT and AC (as Linux does), so that the stub runs with a clean slate.
constexpr uint64_t kSyscallMask = 0x47700;

constexpr uint8_t kTssAvailable = 9, kTssBusy = 11;  // SDM vol. 3, table 3-2

kvm_segment code_segment(uint16_t selector) {
  kvm_segment s{};
  s.selector = selector;
  s.limit = 0xffffffff;
  s.type = 11;  // execute, read, accessed
  s.present = 1;
  s.dpl = 3;
  s.s = 1;
  s.l = 1;
  s.g = 1;
  return s;
}

kvm_segment data_segment(uint16_t selector) {
  kvm_segment s = code_segment(selector);
  s.type = 3;  // read, write, accessed
  s.l = 0;
  s.db = 1;
  return s;
}

kvm_regs to_kvm(const Registers& r, uint64_t extra_rflags) {
  kvm_regs k{};
  k.rax = r.rax, k.rbx = r.rbx, k.rcx = r.rcx, k.rdx = r.rdx;
  k.rsi = r.rsi, k.rdi = r.rdi, k.rsp = r.rsp, k.rbp = r.rbp;
  k.r8 = r.r8, k.r9 = r.r9, k.r10 = r.r10, k.r11 = r.r11;
  k.r12 = r.r12, k.r13 = r.r13, k.r14 = r.r14, k.r15 = r.r15;
  k.rip = r.rip, k.rflags = r.rflags | extra_rflags;
  return k;
}

Registers from_kvm(const kvm_regs& k) {
  Registers r;
  r.rax = k.rax, r.rbx = k.rbx, r.rcx = k.rcx, r.rdx = k.rdx;
  r.rsi = k.rsi, r.rdi = k.rdi, r.rsp = k.rsp, r.rbp = k.rbp;
  r.r8 = k.r8, r.r9 = k.r9, r.r10 = k.r10, r.r11 = k.r11;
  r.r12 = k.r12, r.r13 = k.r13, r.r14 = k.r14, r.r15 = k.r15;
  r.rip = k.rip, r.rflags = k.rflags;
  return r;
}

// The state after a processor reset (SDM vol. 1, 13.6): FCW and MXCSR at their defaults, every component "in
// use" so that none keeps what it held.
const VectorState& reset_vectors() {
  static const VectorState state = [] {
    VectorState s;
    const uint16_t fcw = 0x37f;
    const uint32_t mxcsr = 0x1f80;
    std::memcpy(s.xsave.data(), &fcw, sizeof fcw);
    std::memcpy(s.xsave.data() + 24, &mxcsr, sizeof mxcsr);
    // XSTATE_BV (offset 512) stays 0 but for x87 and SSE: a component whose bit is 0 is put in its initial
    // state.
    const uint64_t xstate_bv = 0x3;
    std::memcpy(s.xsave.data() + 512, &xstate_bv, sizeof xstate_bv);
    return s;
  }();
  return state;
}

// No exception or interrupt is under way or waits, and none is held back. The numbers in it mean nothing
// then.
bool is_clear(const kvm_vcpu_events& events) {
  return (events.exception.injected | events.exception.pending | events.interrupt.injected |
          events.interrupt.shadow | events.nmi.injected | events.nmi.pending | events.nmi.masked |
          events.smi.smm | events.smi.pending | events.triple_fault.pending) == 0;
}

}  // namespace

KvmVcpu::KvmVcpu(std::shared_ptr<const KvmShared> shared, Fd fd, kvm_run* run)
    : shared_(std::move(shared)), fd_(std::move(fd)), run_(run) {}

KvmVcpu::~KvmVcpu() {
  if (owner_ == current_process()) ::munmap(run_, shared_->run_size);
}

Result<std::unique_ptr<Vcpu>> KvmVcpu::create(std::shared_ptr<const KvmShared> shared, int vm_fd) {
  GLINT_TRY_ASSIGN(raw_fd, kvm_ioctl(vm_fd, KVM_CREATE_VCPU, 0ul, "KVM_CREATE_VCPU"));
  Fd fd(raw_fd);
  void* run = ::mmap(nullptr, shared->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (run == MAP_FAILED) return system_error("mmap of the vCPU's kvm_run area", errno);
  // A child of fork must not share a running vCPU's page.
  ::madvise(run, shared->run_size, MADV_DONTFORK);
  auto vcpu =
      std::unique_ptr<KvmVcpu>(new KvmVcpu(std::move(shared), std::move(fd), static_cast<kvm_run*>(run)));
  GLINT_TRY_ASSIGN(cpuid, vcpu->call(glint_kvm_set_cpuid2, vcpu->shared_->cpuid.get(), "KVM_SET_CPUID2"));
  static_cast<void>(cpuid);
  return std::unique_ptr<Vcpu>(std::move(vcpu));
}

template <class T>
Result<int> KvmVcpu::call(unsigned long request, T argument, const char* name) {
  ++counters_.ioctls;
  return kvm_ioctl(fd_.get(), request, argument, name);
}

Result<void> KvmVcpu::configure(const SystemRegisters& system) {
  kvm_sregs& s = base_sregs_;
  GLINT_TRY_ASSIGN(got, call(KVM_GET_SREGS, &s, "KVM_GET_SREGS"));
  static_cast<void>(got);
  const CpuidTable& cpuid = shared_->cpuid;
  s.cr0 = kCr0;
  s.cr2 = 0;
  s.cr3 = system.page_table_gpa;
  s.cr4 = kCr4 | (cpuid.has_umip() ? kCr4Umip : 0) | (cpuid.has_fsgsbase() ? kCr4Fsgsbase : 0) |
          (cpuid.has_xsave() ? kCr4Osxsave : 0);
  s.efer = kEfer;
  s.cs = code_segment(system.user_code);
  s.ds = s.es = s.fs = s.gs = s.ss = data_segment(system.user_data);
  s.ldt = {};
  s.ldt.unusable = 1;
  s.tr = {};
  s.tr.selector = system.tss;
  s.tr.base = system.tss_gva;
  s.tr.limit = system.tss_limit;
  s.tr.present = 1;
  s.tr.type = system.port_access == PortAccess::kBitmapAvailableTss ? kTssAvailable : kTssBusy;
  s.gdt.base = system.gdt_gva;
  s.gdt.limit = system.gdt_limit;
  s.idt.base = system.idt_gva;
  s.idt.limit = system.idt_limit;
  if (system.port_access == PortAccess::kIopl) base_rflags_ = 0x2 | kRflagsIopl3;

  if (cpuid.xcr0() != 0) {
    kvm_xcrs xcrs{};
    xcrs.nr_xcrs = 1;
    xcrs.xcrs[0].xcr = 0;
    xcrs.xcrs[0].value = cpuid.xcr0();
    GLINT_TRY_ASSIGN(set, call(KVM_SET_XCRS, &xcrs, "KVM_SET_XCRS"));
    static_cast<void>(set);
  }
  if (system.syscall_gva != 0) GLINT_TRY(set_system_call_msrs(system));
  auto khz = call(KVM_GET_TSC_KHZ, 0ul, "KVM_GET_TSC_KHZ");
  if (khz) tsc_khz_ = static_cast<uint32_t>(*khz);
  return {};
}

Result<void> KvmVcpu::set_system_call_msrs(const SystemRegisters& system) {
  struct {
    uint32_t count;
    uint32_t padding;
    std::array<kvm_msr_entry, 3> entries;
  } msrs{};  // laid out as struct kvm_msrs with three entries
  msrs.count = 3;
  msrs.entries[0].index = kMsrStar;
  msrs.entries[0].data =
      static_cast<uint64_t>(system.sysret_base) << 48 | static_cast<uint64_t>(system.kernel_code) << 32;
  msrs.entries[1].index = kMsrLstar;
  msrs.entries[1].data = system.syscall_gva;
  msrs.entries[2].index = kMsrSfmask;
  msrs.entries[2].data = kSyscallMask;
  GLINT_TRY_ASSIGN(set, call(glint_kvm_set_msrs, &msrs, "KVM_SET_MSRS"));
  if (set != 3) {
    return error(GLINT_E_UNSUPPORTED,
                 "KVM_SET_MSRS: this KVM refuses the system-call registers (STAR, LSTAR, SFMASK)");
  }
  return {};
}

Result<void> KvmVcpu::load(const VcpuState& state) {
  const bool reported = exit_pending_ && shared_->info.sync_regs;
  GLINT_TRY(settle(KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS));
  current_sregs_ = base_sregs_;
  current_sregs_.fs.base = state.fs_base;
  current_sregs_.gs.base = state.gs_base;
  kvm_regs regs = to_kvm(state.registers, base_rflags_);

  // A fault leaves the vCPU with an exception that was delivered or is pending; the next sandbox must not get
  // it.
  kvm_vcpu_events events{};
  if (shared_->info.sync_regs) {
    // What KVM holds already is not set again: for system registers it begins with its MMU anew, which made
    // the next run 2 us dearer. The whole structure is compared: a guest may have changed the hidden parts of
    // segments as well.
    uint64_t dirty = KVM_SYNC_X86_REGS;
    if (!reported || std::memcmp(&run_->s.regs.sregs, &current_sregs_, sizeof current_sregs_) != 0)
      dirty |= KVM_SYNC_X86_SREGS;
    if (!reported || !is_clear(run_->s.regs.events)) dirty |= KVM_SYNC_X86_EVENTS;
    run_->s.regs.regs = regs;
    run_->s.regs.sregs = current_sregs_;
    run_->s.regs.events = events;
    run_->kvm_dirty_regs = dirty;
    registers_in_run_ = true;
  } else {
    GLINT_TRY_ASSIGN(a, call(KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS"));
    GLINT_TRY_ASSIGN(b, call(KVM_SET_SREGS, &current_sregs_, "KVM_SET_SREGS"));
    GLINT_TRY_ASSIGN(c, call(KVM_SET_REGS, &regs, "KVM_SET_REGS"));
    static_cast<void>(a), static_cast<void>(b), static_cast<void>(c);
  }
  if (!state.vectors && vectors_fresh_) return {};
  const VectorState& vectors = state.vectors ? *state.vectors : reset_vectors();
  // KVM_SET_XSAVE only reads the 4 KiB; kvm_xsave has the same layout and a smaller alignment than
  // VectorState.
  GLINT_TRY_ASSIGN(set, call(glint_kvm_set_xsave, vectors.xsave.data(), "KVM_SET_XSAVE"));
  static_cast<void>(set);
  vectors_fresh_ = !state.vectors;
  return {};
}

Result<void> KvmVcpu::settle() { return settle(0); }

Result<void> KvmVcpu::settle(uint64_t report) {
  if (!exit_pending_) return {};
  if (!shared_->info.sync_regs) report = 0;
  // Nobody else asks KVM for a report.
  run_->kvm_valid_regs = report;
  auto completed = complete_exit();
  run_->kvm_valid_regs = 0;
  return completed;
}

Result<void> KvmVcpu::complete_exit() {
  // With immediate_exit set, KVM_RUN completes the pending exit and returns EINTR without entering the guest
  // (Documentation/virt/kvm/api.rst, "immediate_exit"). An access that KVM split, such as 16 bytes to memory
  // that is not there or a string of outs, has more parts, each of which is another exit.
  constexpr int kMostParts = 64;
  for (int part = 0; part < kMostParts; ++part) {
    run_->immediate_exit = 1;
    ++counters_.ioctls;
    const int result = ::ioctl(fd_.get(), KVM_RUN, 0);
    const int saved_errno = errno;
    run_->immediate_exit = 0;
    if (result < 0 && saved_errno == EINTR) {
      exit_pending_ = false;
      return {};
    }
    if (result < 0) return kvm_error("KVM_RUN with immediate_exit", saved_errno);
  }
  return error(GLINT_E_HYPERVISOR, "KVM_RUN with immediate_exit: the last exit of the guest has no end");
}

Result<VcpuState> KvmVcpu::save() {
  VcpuState state;
  kvm_sregs sregs{};
  // After an interrupted run there is no exit to complete, and KVM left the registers with itself.
  if (exit_pending_ ? shared_->info.sync_regs : registers_in_run_) {
    GLINT_TRY(settle(KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS));
    registers_in_run_ = true;
    state.registers = from_kvm(run_->s.regs.regs);
    sregs = run_->s.regs.sregs;
  } else {
    GLINT_TRY(settle());
    kvm_regs regs{};
    GLINT_TRY_ASSIGN(a, call(KVM_GET_REGS, &regs, "KVM_GET_REGS"));
    GLINT_TRY_ASSIGN(b, call(KVM_GET_SREGS, &sregs, "KVM_GET_SREGS"));
    static_cast<void>(a), static_cast<void>(b);
    state.registers = from_kvm(regs);
  }
  state.registers.rflags &= ~kRflagsIopl3;
  state.fs_base = sregs.fs.base;
  state.gs_base = sregs.gs.base;
  auto vectors = std::make_shared<VectorState>();
  GLINT_TRY_ASSIGN(got, call(glint_kvm_get_xsave, vectors->xsave.data(), "KVM_GET_XSAVE"));
  static_cast<void>(got);
  state.vectors = std::move(vectors);
  return state;
}

Result<VcpuState> KvmVcpu::look() {
  // KVM_RUN takes the registers of the run area before it looks at immediate_exit.
  if (registers_in_run_) GLINT_TRY(complete_exit());
  registers_in_run_ = false;  // save() is to ask KVM for them
  return save();
}

Result<Vcpu::FaultState> KvmVcpu::fault_state() {
  kvm_regs regs{};
  kvm_sregs sregs{};
  GLINT_TRY_ASSIGN(a, call(KVM_GET_REGS, &regs, "KVM_GET_REGS"));
  GLINT_TRY_ASSIGN(b, call(KVM_GET_SREGS, &sregs, "KVM_GET_SREGS"));
  static_cast<void>(a), static_cast<void>(b);
  return FaultState{from_kvm(regs), sregs.cr2};
}

Result<Exit> KvmVcpu::run() {
  ++counters_.ioctls;
  ++counters_.runs;
  exit_pending_ = false;
  registers_in_run_ = false;
  vectors_fresh_ = false;
  if (::ioctl(fd_.get(), KVM_RUN, 0) < 0) {
    switch (errno) {
      case EINTR:
      case EAGAIN: {
        Exit exit;
        exit.kind = Exit::Kind::kInterrupted;
        return exit;
      }
      case EFAULT: {
        // The guest made KVM touch host memory that it may not, such as a write to a read-only mapping.
        Exit exit;
        exit.detail = "KVM_RUN: the guest used memory that is not there for it (EFAULT)";
        return exit;
      }
      default:
        return kvm_error("KVM_RUN", errno);
    }
  }
  exit_pending_ = true;
  return decode_exit();
}

// The flag first: should the signal arrive before the thread is in KVM_RUN, the flag is what makes that
// return (Documentation/virt/kvm/api.rst, "immediate_exit"). Nobody else writes it meanwhile: settle() is for
// a vCPU that no call runs on.
bool KvmVcpu::kick(pthread_t runner) {
  std::atomic_ref(run_->immediate_exit).store(1, std::memory_order_seq_cst);
  return send_kick(runner);
}

void KvmVcpu::clear_kick() { std::atomic_ref(run_->immediate_exit).store(0, std::memory_order_relaxed); }

Exit KvmVcpu::decode_exit() const {
  Exit exit;
  switch (run_->exit_reason) {
    case KVM_EXIT_IO:
      exit.kind = Exit::Kind::kPort;
      exit.port = run_->io.port;
      exit.output = run_->io.direction == KVM_EXIT_IO_OUT;
      exit.width = run_->io.size;
      break;
    case KVM_EXIT_MMIO:
      exit.kind = Exit::Kind::kMmio;
      exit.gpa = run_->mmio.phys_addr;
      exit.output = run_->mmio.is_write != 0;
      break;
    case KVM_EXIT_SHUTDOWN:
      exit.kind = Exit::Kind::kShutdown;
      break;
    case KVM_EXIT_FAIL_ENTRY:
      exit.detail = "the processor refused the guest's state (KVM_EXIT_FAIL_ENTRY, reason " +
                    std::to_string(run_->fail_entry.hardware_entry_failure_reason) + ")";
      break;
    case KVM_EXIT_INTERNAL_ERROR:
      exit.detail = "KVM could not go on with the guest (KVM_EXIT_INTERNAL_ERROR, suberror " +
                    std::to_string(run_->internal.suberror) + ")";
      break;
    default:
      exit.detail = "unexpected KVM exit reason " + std::to_string(run_->exit_reason);
  }
  return exit;
}

}  // namespace glint::core
