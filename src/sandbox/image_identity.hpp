// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "image/elf.hpp"
#include "image/layout.hpp"

namespace glint::core {

// What must be the same for memory and registers of one image's sandboxes to make sense in those of another:
// everything that lies in read-only memory, and every address.
struct ImageIdentity {
  std::string glint_version;  // that laid the image out; says something to people, and is not compared
  uint32_t abi_version = 0;   // GLINT_ABI_VERSION
  uint64_t memory_size = 0;   // bytes, as rounded
  uint64_t stack_size = 0;
  Hash128 program{};  // what of it is loaded, and where
  Hash128 libos{};
  Hash128 files{};
  Hash128 layout{};  // all addresses
};

// Of an image that was laid out so, and whose initial memory is the file `memory` (ImageMemory). Reads in
// proportion to the pages of program, libos and files that are not zero.
Result<ImageIdentity> identify(const Layout& layout, int memory);

// GLINT_E_SNAPSHOT_IMAGE, in words, when a snapshot of `theirs`, with these functions, is none of `ours`.
Result<void> check_same_image(const ImageIdentity& theirs, const std::vector<Function>& their_functions,
                              const ImageIdentity& ours, const std::vector<Function>& our_functions);

}  // namespace glint::core
