// SPDX-License-Identifier: Apache-2.0
#include "sandbox/snapshot_state.hpp"

#include <cstring>
#include <string>

#include "sandbox/snapshot_sections.hpp"

// Field by field, what a file can say of a vCPU:
//
//   rax … r15, rsp   anything: ring 3 can put anything into them, and nobody relies on it
//   rip              where the guest waits is its own affair, a program may have an `out` of its own; but it
//                    has just run one, so rip is in memory that ring 3 may execute, or right behind
//   rflags           what ring 3 can set with `popf`; a wrong reserved bit makes a processor refuse to enter
//                    the guest (SDM vol. 3, 27.3.1.4), IOPL would open ports
//   fs_base, gs_base canonical, as `wrfsbase` demands of ring 3; otherwise, too, the guest is not entered
//   MXCSR            no bit that this processor reserves: KVM_SET_XSAVE refuses those
//   components       those that KVM takes, of the size that they have here; XSTATE_BV and XCOMP_BV are made,
//                    not taken from the file. All contents are good: they are plain data
//
// Segments, control and debug registers, MSRs, XCR0, pending events: not in the file. Vcpu::load() sets them
// for every sandbox to what the shell was configured with.

namespace glint::core {
namespace {

// CF PF AF ZF SF TF DF OF NT AC ID (SDM vol. 1, 3.4.3).
constexpr uint64_t kRing3Flags = 0x244dd5, kFixedFlags = 0x2;

constexpr uint32_t kMxcsrKnown = 0x2ffff;  // on any processor; bit 17 is AMD's (APM vol. 1, 4.2.2)

Error other_machine(const std::string& what) {
  return error(GLINT_E_SNAPSHOT_MACHINE,
               "the snapshot was taken on another machine: " + what +
                   "; load it on a machine like that one, or take and save it on one like this");
}

bool is_canonical(uint64_t address) {
  const uint64_t upper = address >> 47;  // four levels of page tables: 48 bits
  return upper == 0 || upper == 0x1ffff;
}

bool may_wait_at(uint64_t rip, const Layout& layout) {
  for (const Mapping& mapping : layout.mappings) {
    // Up to its end, inclusive.
    if (mapping.user && mapping.executable && rip >= mapping.gva && rip - mapping.gva <= mapping.size) {
      return true;
    }
  }
  return false;
}

uint32_t mxcsr_of(const PortableVectors& vectors) {
  uint32_t mxcsr = 0;
  std::memcpy(&mxcsr, vectors.legacy.data() + kMxcsrOffset, sizeof mxcsr);
  return mxcsr;
}

Result<std::shared_ptr<const VectorState>> vectors_from(const PortableVectors& vectors,
                                                        const XsaveLayout& xsave, uint64_t loadable) {
  const uint32_t mxcsr = mxcsr_of(vectors);
  if ((mxcsr & ~kMxcsrKnown) != 0) return corrupt_snapshot("the guest's MXCSR cannot be");
  if ((mxcsr & ~xsave.mxcsr_mask) != 0) {
    return other_machine("its MXCSR has bits that this processor does not");
  }
  auto state = std::make_shared<VectorState>();
  auto& area = state->xsave;
  std::memcpy(area.data(), vectors.legacy.data(), vectors.legacy.size());
  std::memcpy(area.data() + kMxcsrMaskOffset, &xsave.mxcsr_mask, sizeof xsave.mxcsr_mask);
  uint64_t xstate_bv = kLegacyComponents;
  for (const PortableVectors::Component& component : vectors.components) {
    const XsaveComponent* place = xsave.find(component.number);
    if (place == nullptr || (loadable >> component.number & 1) == 0) {
      return other_machine("its vector registers need component " + std::to_string(component.number) +
                           " of XSAVE, which guests here do not have");
    }
    if (component.bytes.size() != place->size) {
      return corrupt_snapshot("component " + std::to_string(component.number) + " of XSAVE has another size");
    }
    std::memcpy(area.data() + place->offset, component.bytes.data(), component.bytes.size());
    xstate_bv |= uint64_t{1} << component.number;
  }
  std::memcpy(area.data() + kXstateBvOffset, &xstate_bv, sizeof xstate_bv);
  return std::shared_ptr<const VectorState>(std::move(state));
}

}  // namespace

PortableState to_portable(const VcpuState& state, const XsaveLayout& xsave) {
  PortableState portable;
  portable.registers = state.registers;
  // A hypervisor that opens the port by IOPL leaves traces, such as IF, which ring 3 can set then.
  portable.registers.rflags = (state.registers.rflags & kRing3Flags) | kFixedFlags;
  portable.fs_base = state.fs_base;
  portable.gs_base = state.gs_base;
  if (!state.vectors) return portable;
  const auto& area = state.vectors->xsave;
  auto& vectors = portable.vectors.emplace();
  std::memcpy(vectors.legacy.data(), area.data(), vectors.legacy.size());
  uint64_t xstate_bv = 0;
  std::memcpy(&xstate_bv, area.data() + kXstateBvOffset, sizeof xstate_bv);
  for (const XsaveComponent& place : xsave.components) {
    if ((xstate_bv >> place.number & 1) == 0) continue;
    const auto from = std::span(area).subspan(place.offset, place.size);
    vectors.components.push_back({place.number, {from.begin(), from.end()}});
  }
  return portable;
}

Result<VcpuState> from_portable(const PortableState& portable, const Layout& layout, const XsaveLayout& xsave,
                                uint64_t loadable) {
  const Registers& registers = portable.registers;
  if (!may_wait_at(registers.rip, layout)) return corrupt_snapshot("the guest waits where no code is");
  if ((registers.rflags & ~kRing3Flags) != kFixedFlags)
    return corrupt_snapshot("the guest's RFLAGS cannot be");
  if (!is_canonical(portable.fs_base) || !is_canonical(portable.gs_base)) {
    return corrupt_snapshot("a segment base of the guest is no address");
  }
  VcpuState state;
  state.registers = registers;
  state.fs_base = portable.fs_base;
  state.gs_base = portable.gs_base;
  if (portable.vectors) {
    GLINT_TRY_ASSIGN(vectors, vectors_from(*portable.vectors, xsave, loadable));
    state.vectors = std::move(vectors);
  }
  return state;
}

}  // namespace glint::core
