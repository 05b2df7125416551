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
                   kAvxOffset = 0xa0, kFsbaseOffset = 0xc0, kAvx512Offset = 0xe0, kCpuidOffset = 0x100;

constexpr uint8_t kPing[] = {0xe7, GLINT_EXIT_PORT};  // out %eax, $port
constexpr uint8_t kSyscall[] = {0x0f, 0x05};          // syscall
// What LSTAR points to: tells the ring in eax, in a page that ring 3 may execute too.
constexpr uint8_t kSyscallEntry[] = {0x8c, 0xc8,                     // mov %cs, %eax
                                     0xe7, GLINT_EXIT_PORT};         // out %eax, $port
constexpr uint8_t kFault[] = {0x0f, 0x0b};                           // ud2
constexpr uint8_t kAvx[] = {0xc5, 0xf4,           0xc2, 0xc9, 0x0f,  // vcmptrueps %ymm1, %ymm1, %ymm1
                            0xe7, GLINT_EXIT_PORT};                  // out %eax, $port
constexpr uint8_t kAvx512[] = {0x62, 0xf3,           0x75, 0x48,
                               0x25, 0xc9,           0xff,              // vpternlogd $-1, %zmm1, %zmm1, %zmm1
                               0xe7, GLINT_EXIT_PORT};                  // out %eax, $port
constexpr uint8_t kFsbase[] = {0xf3, 0x48,           0x0f, 0xae, 0xd0,  // wrfsbase %rax
                               0xe7, GLINT_EXIT_PORT};                  // out %eax, $port

// Replaces each CpuidQuery from rdi to rsi by its CpuidAnswer.
constexpr uint8_t kCpuid[] = {0x8b, 0x07,                        // 1: mov (%rdi), %eax
                              0x8b, 0x4f,           0x04,        // mov 4(%rdi), %ecx
                              0x0f, 0xa2,                        // cpuid
                              0x89, 0x07,                        // mov %eax, (%rdi)
                              0x89, 0x5f,           0x04,        // mov %ebx, 4(%rdi)
                              0x89, 0x4f,           0x08,        // mov %ecx, 8(%rdi)
                              0x89, 0x57,           0x0c,        // mov %edx, 12(%rdi)
                              0x48, 0x83,           0xc7, 0x10,  // add $16, %rdi
                              0x48, 0x39,           0xf7,        // cmp %rsi, %rdi
                              0x72, 0xe5,                        // jb 1b
                              0xe7, GLINT_EXIT_PORT};            // out %eax, $port

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
  Result<Exit> run(uint64_t offset, VcpuState state = {}) {
    state.registers.rip = kCodeGva + offset;
    state.registers.rsp = kDataGva + kPageSize;
    GLINT_TRY(vcpu_->load(state));
    for (;;) {
      GLINT_TRY_ASSIGN(exit, vcpu_->run());
      if (exit.kind != Exit::Kind::kInterrupted) return exit;
    }
  }

  std::span<std::byte> data() const { return {memory_.data() + kDataGpa, kPageSize}; }

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
    std::memcpy(code + kAvx512Offset, kAvx512, sizeof kAvx512);
    std::memcpy(code + kFsbaseOffset, kFsbase, sizeof kFsbase);
    std::memcpy(code + kCpuidOffset, kCpuid, sizeof kCpuid);
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

// A software KVM leaves CPUID to the processor: what ring 3 sees is not what SET_CPUID2 said. 60 µs a
// question there.
Result<void> probe_features(ProbeGuest& guest, MachineTraits& traits) {
  std::array<CpuidAnswer, kFeatureQueries.size()> table{};
  for (size_t i = 0; i < table.size(); ++i) {
    table[i].eax = kFeatureQueries[i].leaf;
    table[i].ebx = kFeatureQueries[i].subleaf;
  }
  std::memcpy(guest.data().data(), table.data(), sizeof table);
  VcpuState state;
  state.registers.rdi = kDataGva;
  state.registers.rsi = kDataGva + sizeof table;
  GLINT_TRY_ASSIGN(exit, guest.run(kCpuidOffset, std::move(state)));
  if (!left_by(exit, GLINT_EXIT_PORT)) return unsupported("ring 3 cannot use CPUID");
  std::memcpy(table.data(), guest.data().data(), sizeof table);
  traits.features = CpuFeatures::of(table);
  return {};
}

// Runs code that sets all bits of register 1 of a vector extension. `has`: it did not fault; `keeps`: the
// bits that are the extension's own are then found in the state that save() gives.
struct VectorProbe {
  uint64_t code_offset;
  uint32_t component;    // of XSAVE: 2 the upper halves of ymm0-15, 6 those of zmm0-15 (SDM vol. 1, 13.1)
  size_t register_size;  // bytes of one register in that component
};
constexpr VectorProbe kAvxProbe = {kAvxOffset, 2, 16}, kAvx512Probe = {kAvx512Offset, 6, 32};

Result<void> probe_vectors(ProbeGuest& guest, const VectorProbe& probe, bool& has, bool& keeps) {
  GLINT_TRY_ASSIGN(exit, guest.run(probe.code_offset));
  has = left_by(exit, GLINT_EXIT_PORT);
  if (!has) return {};  // ring 3 faults on it: nothing that could stay behind
  GLINT_TRY_ASSIGN(state, guest.vcpu().save());
  // Where a component stands in the standard format, CPUID leaf 0xD says.
  uint32_t a = 0, offset = 0, c = 0, d = 0;
  __cpuid_count(0xd, probe.component, a, offset, c, d);
  constexpr size_t kXstateBvOffset = 512;
  const auto& area = state.vectors->xsave;
  if (offset < kXstateBvOffset || !in_range(offset, 2 * probe.register_size, area.size())) return {};
  uint64_t xstate_bv = 0, first = 0;
  std::memcpy(&xstate_bv, area.data() + kXstateBvOffset, sizeof xstate_bv);
  std::memcpy(&first, area.data() + offset + probe.register_size, sizeof first);
  keeps = (xstate_bv >> probe.component & 1) != 0 && first == ~0ull;
  return {};
}

}  // namespace

Result<MachineTraits> probe_machine(Hypervisor& hypervisor) {
  MachineTraits traits;
  GLINT_TRY_ASSIGN(guest, find_port_access(hypervisor, traits));
  GLINT_TRY(probe_syscall(*guest, traits));
  GLINT_TRY(probe_exceptions(*guest));
  GLINT_TRY(probe_fsbase(*guest));
  GLINT_TRY(probe_vectors(*guest, kAvxProbe, traits.has_avx, traits.keeps_avx));
  GLINT_TRY(probe_vectors(*guest, kAvx512Probe, traits.has_avx512, traits.keeps_avx512));
  GLINT_TRY(probe_features(*guest, traits));
  traits.tsc_khz = guest->vcpu().tsc_khz();
  return traits;
}

}  // namespace glint::core
