// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/xsave_layout.hpp"

#include <cpuid.h>
#include <immintrin.h>

#include <array>
#include <cstring>

#include "base/checked.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {
namespace {

// AVX, AVX-512 (three), PKRU: those that guests may have (kvm_cpuid.cpp).
constexpr uint32_t kComponents[] = {2, 5, 6, 7, 9};
constexpr uint32_t kXsaveLeaf = 0xd;
constexpr uint32_t kFirstOffset = 576;

uint32_t mxcsr_mask() {
  alignas(16) std::array<std::byte, 512> area{};
  ::_fxsave64(area.data());
  uint32_t mask = 0;
  std::memcpy(&mask, area.data() + kMxcsrMaskOffset, sizeof mask);
  constexpr uint32_t kOfOldProcessors = 0xffbf;  // a mask of 0 stands for it (SDM vol. 1, 11.6.6)
  return mask == 0 ? kOfOldProcessors : mask;
}

XsaveLayout ask_machine() {
  XsaveLayout layout;
  layout.mxcsr_mask = mxcsr_mask();
  if (__get_cpuid_max(0, nullptr) < kXsaveLeaf) return layout;
  for (const uint32_t number : kComponents) {
    uint32_t size = 0, offset = 0, c = 0, d = 0;
    __cpuid_count(kXsaveLeaf, number, size, offset, c, d);
    if (size == 0 || offset < kFirstOffset || !in_range(offset, size, sizeof(VectorState::xsave))) continue;
    layout.components.push_back({number, offset, size});
  }
  return layout;
}

}  // namespace

const XsaveComponent* XsaveLayout::find(uint32_t number) const {
  for (const XsaveComponent& component : components) {
    if (component.number == number) return &component;
  }
  return nullptr;
}

const XsaveLayout& XsaveLayout::of_machine() {
  static const XsaveLayout layout = ask_machine();
  return layout;
}

}  // namespace glint::core
