// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/probe.hpp"

#include <cpuid.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/x86_64/page_tables.hpp"
#include "arch/x86_64/system_pages.hpp"
#include "base/checked.hpp"
#include "base/mapping.hpp"
#include "glint_guest/abi.h"

namespace glint::core {
namespace {

// Guest-physical layout of the probe: tables, system pages, code, data.
constexpr uint64_t kTablesSize = 16 * kPageSize;
constexpr uint64_t kSystemGpa = kTablesSize;
constexpr uint64_t kCodeGpa = kSystemGpa + kSystemPagesSize;
constexpr uint64_t kDataGpa = kCodeGpa + kPageSize;
constexpr uint64_t kTotalSize = kDataGpa + kPageSize;
constexpr uint64_t kCodeGva = GLINT_GVA_PROGRAM_MIN;
constexpr uint64_t kDataGva = kCodeGva + kPageSize;

// Entry points in the code page.
constexpr uint64_t kPingOffset = 0, kSyscallOffset = 0x20, kSyscallEntryOffset = 0x40, kFaultOffset = 0x80,
                   kAvxOffset = 0xa0, kFsbaseOffset = 0xc0;

constexpr uint8_t kPing[] = {0xe7, GLINT_EXIT_PORT};  // out %eax, $port
constexpr uint8_t kSyscall[] = {0x0f, 0x05};          // syscall
// What LSTAR points to: tells the ring in eax, in a page that ring 3 may execute too.
constexpr uint8_t kSyscallEntry[] = {0x8c, 0xc8,               // mov %cs, %eax
                                     0xe7, GLINT_EXIT_PORT};   // out %eax, $port
constexpr uint8_t kFault[] = {0x0f, 0x0b};                     // ud2
constexpr uint8_t kAvx[] = {0xc5, 0xf5,           0x76, 0xc9,  // vpcmpeqd %ymm1, %ymm1, %ymm1
                            0xe7, GLINT_EXIT_PORT};            // out %eax, $port

constexpr uint8_t kFsbase[] = {0xf3, 0x48,           0x0f, 0xae, 0xd0,  // wrfsbase %rax
                               0xe7, GLINT_EXIT_PORT};                  // out %eax, $port

class ProbeGuest {
 public:
  static Result<std::unique_ptr<ProbeGuest>> create(Hypervisor& hypervisor, PortAccess port_access) {
    GLINT_TRY_ASSIGN(range, MappedRange::reserve(kTotalSize, kPageSize));
    GLINT_TRY(map_anonymous(range.data(), range.size()));
    auto guest = std::unique_ptr<ProbeGuest>(new ProbeGuest(std::move(range)));
    guest->write_memory();
    GLINT_TRY_ASSIGN(vm, hypervisor.create_vm());
    guest->vm_ = std::move(vm);
    GLINT_TRY(guest->vm_->add_memory(0, 0, guest->memory_.data(), kTotalSize));
    GLINT_TRY_ASSIGN(vcpu, guest->vm_->create_vcpu());
    guest->vcpu_ = std::move(vcpu);
    GLINT_TRY(guest->vcpu_->configure(
        system_registers(0, GLINT_GVA_SYSTEM, kCodeGva + kSyscallEntryOffset, port_access)));
    return guest;
  }

  Vcpu& vcpu() { return *vcpu_; }

  // Runs ring-3 code at `offset` of the code page until it leaves; signals of the host program do not count.
  Result<Exit> run(uint64_t offset) {
    VcpuState state;
    state.registers.rip = kCodeGva + offset;
    state.registers.rsp = kDataGva + kPageSize;
    GLINT_TRY(vcpu_->load(state));
    for (;;) {
      GLINT_TRY_ASSIGN(exit, vcpu_->run());
      if (exit.kind != Exit::Kind::kInterrupted) return exit;
    }
  }

  Result<std::optional<ExceptionFrame>> exception() {
    GLINT_TRY_ASSIGN(state, vcpu_->fault_state());
    return read_exception_frame(state.registers, {memory_.data() + kSystemGpa, kPageSize}, GLINT_GVA_SYSTEM);
  }

 private:
  explicit ProbeGuest(MappedRange memory) : memory_(std::move(memory)) {}

  void write_memory() {
    const std::array<Mapping, 5> mappings = {{
        {Region::kProgram, kCodeGva, kCodeGpa, kPageSize, true, false, true, false},
        {Region::kProgram, kDataGva, kDataGpa, kPageSize, true, true, false, false},
        {Region::kSystem, GLINT_GVA_SYSTEM, kSystemGpa, kPageSize, false, true, false, false},
        {Region::kSystem, GLINT_GVA_SYSTEM + kPageSize, kSystemGpa + kPageSize, kPageSize, false, false, true,
         false},
        {Region::kSystem, GLINT_GVA_SYSTEM + 2 * kPageSize, kSystemGpa + 2 * kPageSize, kPageSize, false,
         false, false, false},
    }};
    write_page_tables(mappings, {memory_.data(), kTablesSize}, 0);
    write_system_pages({memory_.data() + kSystemGpa, kSystemPagesSize}, GLINT_GVA_SYSTEM);
    std::byte* code = memory_.data() + kCodeGpa;
    std::memcpy(code + kPingOffset, kPing, sizeof kPing);
    std::memcpy(code + kSyscallOffset, kSyscall, sizeof kSyscall);
    std::memcpy(code + kSyscallEntryOffset, kSyscallEntry, sizeof kSyscallEntry);
    std::memcpy(code + kFaultOffset, kFault, sizeof kFault);
    std::memcpy(code + kAvxOffset, kAvx, sizeof kAvx);
    std::memcpy(code + kFsbaseOffset, kFsbase, sizeof kFsbase);
  }

  MappedRange memory_;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<Vcpu> vcpu_;
};

bool left_by(const Exit& exit, uint16_t port) {
  return exit.kind == Exit::Kind::kPort && exit.output && exit.port == port;
}

Error unsupported(const std::string& what) {
  return error(GLINT_E_UNSUPPORTED,
               "this KVM cannot run Glint's guests: " + what + "; run 'glint doctor' and report it");
}

Result<std::unique_ptr<ProbeGuest>> find_port_access(Hypervisor& hypervisor, MachineTraits& traits) {
  for (PortAccess access : {PortAccess::kBitmapBusyTss, PortAccess::kBitmapAvailableTss, PortAccess::kIopl}) {
    auto guest = ProbeGuest::create(hypervisor, access);
    if (!guest) return guest;
    auto exit = (*guest)->run(kPingOffset);
    // A way that does not work may show in a fault, in a refused vCPU state or in a failed run: try the next.
    if (exit && left_by(*exit, GLINT_EXIT_PORT)) {
      traits.port_access = access;
      return guest;
    }
  }
  return unsupported("ring 3 cannot leave by an I/O port");
}

Result<void> probe_syscall(ProbeGuest& guest, MachineTraits& traits) {
  GLINT_TRY_ASSIGN(exit, guest.run(kSyscallOffset));
  if (!left_by(exit, GLINT_EXIT_PORT)) return unsupported("the syscall instruction does not arrive at LSTAR");
  GLINT_TRY_ASSIGN(state, guest.vcpu().fault_state());
  traits.syscall_enters_ring3 = (state.registers.rax & 3) == 3;
  return {};
}

Result<void> probe_exceptions(ProbeGuest& guest) {
  GLINT_TRY_ASSIGN(exit, guest.run(kFaultOffset));
  if (!left_by(exit, GLINT_FAULT_PORT)) return unsupported("an exception does not arrive at its stub");
  GLINT_TRY_ASSIGN(frame, guest.exception());
  constexpr uint32_t kInvalidOpcode = 6;
  if (!frame || frame->vector != kInvalidOpcode || frame->rip != kCodeGva + kFaultOffset) {
    return unsupported("an exception frame is not as the manuals say");
  }
  return {};
}

// The libos sets the thread pointer by wrfsbase; a processor without it (before Ivy Bridge, Zen) cannot run
// guests.
Result<void> probe_fsbase(ProbeGuest& guest) {
  GLINT_TRY_ASSIGN(exit, guest.run(kFsbaseOffset));
  if (!left_by(exit, GLINT_EXIT_PORT)) return unsupported("ring 3 cannot use wrfsbase (FSGSBASE)");
  return {};
}

// In the standard XSAVE format the upper halves of ymm0-15 stand at the offset that CPUID leaf 0xD, subleaf 2
// gives.
constexpr size_t kYmmHighOffset = 576, kXstateBvOffset = 512;

Result<void> probe_vectors(ProbeGuest& guest, MachineTraits& traits) {
  GLINT_TRY_ASSIGN(exit, guest.run(kAvxOffset));
  traits.has_avx = left_by(exit, GLINT_EXIT_PORT);
  if (!traits.has_avx) return {};  // ring 3 faults on AVX: nothing that could stay behind
  GLINT_TRY_ASSIGN(state, guest.vcpu().save());
  uint64_t xstate_bv = 0, ymm1_high = 0;
  std::memcpy(&xstate_bv, state.vectors->xsave.data() + kXstateBvOffset, sizeof xstate_bv);
  std::memcpy(&ymm1_high, state.vectors->xsave.data() + kYmmHighOffset + 16, sizeof ymm1_high);
  traits.keeps_avx = (xstate_bv & 4) != 0 && ymm1_high == ~0ull;
  return {};
}

}  // namespace

Result<MachineTraits> probe_machine(Hypervisor& hypervisor) {
  MachineTraits traits;
  GLINT_TRY_ASSIGN(guest, find_port_access(hypervisor, traits));
  GLINT_TRY(probe_syscall(*guest, traits));
  GLINT_TRY(probe_exceptions(*guest));
  GLINT_TRY(probe_fsbase(*guest));
  GLINT_TRY(probe_vectors(*guest, traits));
  traits.tsc_khz = guest->vcpu().tsc_khz();
  return traits;
}

}  // namespace glint::core
