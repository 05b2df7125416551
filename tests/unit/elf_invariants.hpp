// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/checked.hpp"
#include "image/elf.hpp"

namespace glint::test {

inline std::string broken_function_promise(const core::Function& function) {
  if (function.name.empty() || function.name.size() >= GLINT_ABI_NAME_SIZE) return "function name length";
  for (const char c : function.name) {
    if (c <= ' ' || c > '~') return "function name characters";
  }
  if (function.result < GLINT_ABI_VOID || function.result > GLINT_ABI_BYTES) return "function result type";
  if (function.params.size() > GLINT_ABI_MAX_PARAMS) return "function parameter count";
  for (const glint_abi_type type : function.params) {
    if (type <= GLINT_ABI_VOID || type > GLINT_ABI_BYTES) return "function parameter type";
  }
  return {};
}

inline std::string broken_segment_promise(const core::Segment& segment, uint64_t file_size,
                                          const core::ProgramRange& range) {
  using core::kPageSize;
  if (segment.gva % kPageSize != 0 || segment.size % kPageSize != 0) return "segment alignment";
  if (segment.size == 0) return "empty segment";
  if (segment.gva < range.begin || !core::in_range(segment.gva, segment.size, range.end))
    return "segment range";
  if (segment.writable && segment.executable) return "W^X";
  if (segment.data_offset >= kPageSize) return "data offset";
  if (!core::in_range(segment.data_offset, segment.file_size, segment.size))
    return "file bytes fit the segment";
  if (!core::in_range(segment.file_offset, segment.file_size, file_size)) return "file range";
  return {};
}

// What holds for every program that parse_program returns: the first promise that is broken, or "".
inline std::string broken_promise(const core::Program& program, uint64_t file_size,
                                  const core::ProgramRange& range = {}) {
  if (program.segments.empty()) return "a program has segments";
  if (program.base != (program.pie ? range.pie_base : 0)) return "base";
  uint64_t end = 0;
  bool entry_found = false;
  for (const core::Segment& segment : program.segments) {
    if (auto broken = broken_segment_promise(segment, file_size, range); !broken.empty()) return broken;
    if (segment.gva < end) return "segments ascend and are apart";
    end = segment.gva + segment.size;
    entry_found |= segment.executable && program.entry >= segment.gva && program.entry < end;
  }
  if (program.end != end) return "end";
  if (!entry_found) return "entry in an executable segment";
  if (program.phdr != 0 && (program.phdr < range.begin || program.phdr >= end)) return "phdr in the program";

  for (size_t i = 0; i < program.functions.size(); ++i) {
    const core::Function& function = program.functions[i];
    if (auto broken = broken_function_promise(function); !broken.empty()) return broken;
    if (function.index >= GLINT_ABI_MAX_FUNCTIONS) return "function index";
    if (i != 0 && program.functions[i - 1].index >= function.index) return "functions ascend";
    if (function.kind == core::Function::Kind::kExport && program.find_export(function.name) != &function) {
      return "exports have unique names";
    }
  }
  for (size_t i = 0; i < program.symbols.size(); ++i) {
    const core::Symbol& symbol = program.symbols[i];
    if (symbol.name.empty() || symbol.name.size() > 255) return "symbol name length";
    if (i != 0 && program.symbols[i - 1].gva >= symbol.gva) return "symbols ascend";
    if (program.nearest_symbol(symbol.gva) != &symbol) return "a symbol is nearest to itself";
  }
  return {};
}

}  // namespace glint::test
