// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "glint_guest/abi.h"

namespace glint::core {

// What a loadable segment of a program becomes: whole pages of one permission.
struct Segment {
  uint64_t gva = 0;       // page aligned, load bias applied
  uint64_t size = 0;      // bytes, a multiple of the page size
  bool writable = false;  // W^X: never both
  bool executable = false;
  uint64_t file_offset = 0;  // where its bytes stand in the file …
  uint64_t file_size = 0;    // … how many, the rest being zero …
  uint64_t data_offset = 0;  // … and where in the segment they begin (below one page)
};

// A function of the program's table.
struct Function {
  enum class Kind : uint8_t { kExport, kImport };
  Kind kind = Kind::kExport;
  uint32_t index = 0;  // in the program's table, as calls carry it
  std::string name;
  glint_abi_type result = GLINT_ABI_VOID;
  std::vector<glint_abi_type> params;
  bool same_signature(const Function& other) const {
    return result == other.result && params == other.params;
  }
};

// A function symbol, for fault reports only.
struct Symbol {
  uint64_t gva = 0;
  uint64_t size = 0;
  std::string name;
};

// An ELF program, checked. Holds no reference to the bytes it was read from.
struct Program {
  uint64_t base = 0;   // load bias: 0, or the base given for a static PIE
  uint64_t entry = 0;  // gva, inside an executable segment
  uint64_t phdr = 0;   // gva of the program headers, 0 when no segment holds them
  uint16_t phnum = 0;
  uint64_t end = 0;  // gva behind the last segment, page aligned
  bool pie = false;
  std::vector<Segment> segments;    // ascending, not overlapping
  std::vector<Function> functions;  // ascending by index, without padding entries
  std::vector<Symbol> symbols;      // ascending by address; empty for a stripped program

  const Function* find_export(std::string_view name) const;
  // The last symbol at or below `gva`, if gva lies in an executable segment; null otherwise.
  const Symbol* nearest_symbol(uint64_t gva) const;
};

// The addresses a program may occupy, and where a static PIE goes.
struct ProgramRange {
  uint64_t begin = GLINT_GVA_PROGRAM_MIN;
  uint64_t end = GLINT_GVA_PROGRAM_MAX;  // exclusive
  uint64_t pie_base = GLINT_GVA_PIE_BASE;
};

// Checks an ELF file and works out how to load it. A pure function over bytes: any bytes at all give a
// Program or an Error with one of the GLINT_E_IMAGE_* codes.
//   - static ELF64 little-endian x86-64, ET_EXEC or static-PIE ET_DYN (no PT_INTERP, no DT_NEEDED)
//   - W^X by page; pages of two segments never overlap
//   - the section header table, symbols included, is optional: a broken one costs the symbols, nothing else
Result<Program> parse_program(std::span<const std::byte> file, const ProgramRange& range = {});

// "i64", "string", … as in messages and signatures.
std::string_view type_name(glint_abi_type type);
// "(i64, string) -> bytes"
std::string signature_text(const Function& function);

}  // namespace glint::core
