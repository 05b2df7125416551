// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "image/elf.hpp"

namespace glint::core {

// The libos that goes into every guest: an ELF file embedded in this library at build time.
std::span<const std::byte> libos_file();

// The same, parsed once per process.
Result<const Program*> libos_program();

}  // namespace glint::core
