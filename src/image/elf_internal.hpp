// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files of the ELF reader share. The structures are those of the ELF specification, version 4.1,
// and of the System V ABI for x86-64; <elf.h> names them.

#include <elf.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/checked.hpp"
#include "base/result.hpp"
#include "image/elf.hpp"

namespace glint::core::elf {

using Bytes = std::span<const std::byte>;

// The headers that a program is loaded by. Nothing in them was checked but the file's kind.
struct Headers {
  Elf64_Ehdr file{};
  std::vector<Elf64_Phdr> programs;
};

// Copies a structure out of the file, whose tables need not be aligned. The caller has checked that
// [offset, offset + sizeof(T)) lies in `bytes`.
template <class T>
T load(Bytes bytes, uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

inline std::string hex(uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value, 16).ptr;
  return "0x" + std::string(digits, end);
}

// "segment 3": the number is the one that `readelf -l` lists, counting from 0.
inline std::string segment_label(size_t index) { return "segment " + std::to_string(index); }

// The segment that contains the address and is executable, or null.
const Segment* executable_at(std::span<const Segment> segments, uint64_t gva);

// The ELF header and the program header table of a static x86-64 program.
Result<Headers> read_headers(Bytes file);

// The PT_LOAD headers as segments: ascending, apart from each other, inside the range.
Result<std::vector<Segment>> read_segments(Bytes file, const Headers& headers, uint64_t base,
                                           const ProgramRange& range);

// The function table, found through the program's note. A program without a note has none.
Result<std::vector<Function>> read_functions(Bytes file, const Headers& headers,
                                             std::span<const Segment> segments, uint64_t base);

// Function symbols; none if the section headers are missing or broken, since nothing depends on them.
std::vector<Symbol> read_symbols(Bytes file, const Elf64_Ehdr& header, std::span<const Segment> segments,
                                 uint64_t base);

}  // namespace glint::core::elf
