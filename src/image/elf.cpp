// SPDX-License-Identifier: Apache-2.0
#include "image/elf.hpp"

#include <algorithm>

#include "image/elf_internal.hpp"

namespace glint::core {
namespace {

Result<void> check_range(const ProgramRange& range) {
  const bool aligned =
      range.begin % kPageSize == 0 && range.end % kPageSize == 0 && range.pie_base % kPageSize == 0;
  if (aligned) return {};
  return error(GLINT_E_INVALID_ARGUMENT,
               "the address range " + elf::hex(range.begin) + " to " + elf::hex(range.end) +
                   " for programs and the base address " + elf::hex(range.pie_base) +
                   " of static PIEs must be multiples of the page size " + elf::hex(kPageSize));
}

Result<uint64_t> find_entry(const Elf64_Ehdr& header, std::span<const Segment> segments, uint64_t base) {
  if (header.e_entry == 0) {
    return error(GLINT_E_IMAGE_ENTRY,
                 "the file names no entry point, as shared libraries do; link a program, with -static or "
                 "-static-pie");
  }
  // Unsigned, so a sum that wraps is defined; it lies in no segment unless it is a valid address.
  const uint64_t entry = base + header.e_entry;
  if (elf::executable_at(segments, entry) != nullptr) return entry;
  return error(GLINT_E_IMAGE_ENTRY, "the entry point " + elf::hex(entry) + " lies in no executable segment");
}

// Where the program headers are in memory, for the program's libc (AT_PHDR). This is derived from the
// segments, as Linux long did, and not from PT_PHDR, which may say anything.
uint64_t find_program_headers(const Elf64_Ehdr& header, std::span<const Segment> segments) {
  const uint64_t size = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  for (const Segment& segment : segments) {
    if (header.e_phoff < segment.file_offset) continue;
    const uint64_t skipped = header.e_phoff - segment.file_offset;
    if (in_range(skipped, size, segment.file_size)) return segment.gva + segment.data_offset + skipped;
  }
  return 0;
}

}  // namespace

const Segment* elf::executable_at(std::span<const Segment> segments, uint64_t gva) {
  for (const Segment& segment : segments) {
    if (segment.executable && gva >= segment.gva && gva - segment.gva < segment.size) return &segment;
  }
  return nullptr;
}

Result<Program> parse_program(std::span<const std::byte> file, const ProgramRange& range) {
  GLINT_TRY(check_range(range));
  GLINT_TRY_ASSIGN(headers, elf::read_headers(file));

  Program program;
  program.pie = headers.file.e_type == ET_DYN;
  program.base = program.pie ? range.pie_base : 0;
  GLINT_TRY_ASSIGN(segments, elf::read_segments(file, headers, program.base, range));
  program.segments = std::move(segments);
  program.end = program.segments.back().gva + program.segments.back().size;
  GLINT_TRY_ASSIGN(entry, find_entry(headers.file, program.segments, program.base));
  program.entry = entry;
  program.phdr = find_program_headers(headers.file, program.segments);
  program.phnum = headers.file.e_phnum;
  GLINT_TRY_ASSIGN(functions, elf::read_functions(file, headers, program.segments, program.base));
  program.functions = std::move(functions);
  program.symbols = elf::read_symbols(file, headers.file, program.segments, program.base);
  return program;
}

const Function* Program::find_export(std::string_view name) const {
  for (const Function& function : functions) {
    if (function.kind == Function::Kind::kExport && function.name == name) return &function;
  }
  return nullptr;
}

const Symbol* Program::nearest_symbol(uint64_t gva) const {
  const Segment* segment = elf::executable_at(segments, gva);
  if (segment == nullptr) return nullptr;
  const auto above =
      std::upper_bound(symbols.begin(), symbols.end(), gva,
                       [](uint64_t address, const Symbol& symbol) { return address < symbol.gva; });
  if (above == symbols.begin()) return nullptr;
  const Symbol& symbol = *std::prev(above);
  // A symbol of another segment has nothing to do with the code at this address.
  return symbol.gva >= segment->gva ? &symbol : nullptr;
}

std::string_view type_name(glint_abi_type type) {
  switch (type) {
    case GLINT_ABI_VOID:
      return "void";
    case GLINT_ABI_BOOL:
      return "bool";
    case GLINT_ABI_I32:
      return "i32";
    case GLINT_ABI_U32:
      return "u32";
    case GLINT_ABI_I64:
      return "i64";
    case GLINT_ABI_U64:
      return "u64";
    case GLINT_ABI_F32:
      return "f32";
    case GLINT_ABI_F64:
      return "f64";
    case GLINT_ABI_STRING:
      return "string";
    case GLINT_ABI_BYTES:
      return "bytes";
  }
  return "unknown";
}

std::string signature_text(const Function& function) {
  std::string text = "(";
  for (size_t i = 0; i < function.params.size(); ++i) {
    if (i != 0) text += ", ";
    text += type_name(function.params[i]);
  }
  text += ") -> ";
  text += type_name(function.result);
  return text;
}

}  // namespace glint::core
