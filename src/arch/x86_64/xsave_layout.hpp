// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace glint::core {

// Places in the first 576 bytes of a VectorState, which are the same on every processor (SDM vol. 1, 10.5.1
// and 13.4).
inline constexpr size_t kFxsaveSize = 416;  // the legacy area up to XMM15; nothing behind it is a register
inline constexpr size_t kMxcsrOffset = 24, kMxcsrMaskOffset = 28, kXstateBvOffset = 512;
inline constexpr uint64_t kLegacyComponents = 0x3;  // x87 and SSE

// Where a processor has the state components that lie behind them. They do not have the same places on all of
// them: AVX-512 begins at another one on AMD's than on Intel's.
struct XsaveComponent {
  uint32_t number = 0;  // SDM vol. 1, 13.1
  uint32_t offset = 0;  // in the standard format
  uint32_t size = 0;    // bytes
};
struct XsaveLayout {
  std::vector<XsaveComponent> components;  // ascending; those that fit a VectorState
  uint32_t mxcsr_mask = 0;                 // the bits of MXCSR that may be set

  const XsaveComponent* find(uint32_t number) const;

  // This machine's, which its kernel uses, too: asked once per process.
  static const XsaveLayout& of_machine();
};

}  // namespace glint::core
