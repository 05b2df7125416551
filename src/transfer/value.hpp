// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "glint_guest/abi.h"

namespace glint::core {

// One argument or result, on the host's side. A view: strings and bytes are not owned.
struct Value {
  glint_abi_type type = GLINT_ABI_VOID;
  uint64_t bits = 0;                 // scalars, encoded as in glint_abi_value
  std::span<const std::byte> bytes;  // GLINT_ABI_STRING and GLINT_ABI_BYTES

  static Value scalar(glint_abi_type type, uint64_t bits) { return {type, bits, {}}; }
  static Value of_bytes(glint_abi_type type, std::span<const std::byte> bytes) { return {type, 0, bytes}; }
};

}  // namespace glint::core
