// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/kvm/kvm_cpuid.hpp"

#include <span>

#include "hypervisor/kvm/ioctl_numbers.h"
#include "hypervisor/kvm/kvm_ioctl.hpp"

namespace glint::core {
namespace {

constexpr uint32_t kMaxEntries = 256;  // KVM_MAX_CPUID_ENTRIES

// XSAVE state components that fit the 4 KiB of KVM_GET_XSAVE (SDM vol. 1, 13.1): x87, SSE, AVX, AVX-512,
// PKRU. AMX tiles (17, 18) do not, and need a permission that a library must not ask for.
constexpr uint64_t kStateComponents = 0x1 | 0x2 | 0x4 | 0xe0 | 0x200;

kvm_cpuid_entry2* find(std::span<kvm_cpuid_entry2> entries, uint32_t function, uint32_t index) {
  for (auto& entry : entries) {
    if (entry.function == function && entry.index == index) return &entry;
  }
  return nullptr;
}

}  // namespace

kvm_cpuid2* CpuidTable::get() const {
  // The storage was made for this struct and is aligned for it; KVM only reads through the pointer.
  return reinterpret_cast<kvm_cpuid2*>(const_cast<uint64_t*>(storage_.data()));
}

Result<CpuidTable> CpuidTable::supported(int kvm_fd) {
  CpuidTable table;
  // In C++ sizeof(kvm_cpuid2) is not the kernel's (see ioctl_numbers.h): 8 bytes of header, then the entries.
  constexpr size_t kHeader = 8;
  table.storage_.resize((kHeader + kMaxEntries * sizeof(kvm_cpuid_entry2) + 7) / 8 + 1);
  kvm_cpuid2* raw = table.get();
  raw->nent = kMaxEntries;
  GLINT_TRY_ASSIGN(ignored, kvm_ioctl(kvm_fd, glint_kvm_get_supported_cpuid, raw, "KVM_GET_SUPPORTED_CPUID"));
  static_cast<void>(ignored);

  auto* entries = reinterpret_cast<kvm_cpuid_entry2*>(reinterpret_cast<std::byte*>(raw) + kHeader);
  std::span<kvm_cpuid_entry2> listed(entries, raw->nent);
  if (const auto* leaf1 = find(listed, 1, 0)) table.has_xsave_ = (leaf1->ecx >> 26 & 1) != 0;
  if (const auto* leaf7 = find(listed, 7, 0)) {
    table.has_fsgsbase_ = (leaf7->ebx & 1) != 0;
    table.has_umip_ = (leaf7->ecx >> 2 & 1) != 0;
  }
  if (auto* leaf_d = find(listed, 0xd, 0)) {
    // What KVM saves and restores of the vector state follows from this leaf. Components outside the 4 KiB
    // area are hidden from the guest, so that it cannot enable them.
    leaf_d->eax &= static_cast<uint32_t>(kStateComponents);
    leaf_d->edx = 0;
    if (table.has_xsave_) table.xcr0_ = leaf_d->eax;
    table.vector_components_ = leaf_d->eax;
  }
  return table;
}

}  // namespace glint::core
