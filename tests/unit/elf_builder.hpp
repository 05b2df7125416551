// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes small ELF programs in memory, good ones; a test then breaks one field of the result.

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "glint_guest/abi.h"

namespace glint::test {

using ElfBytes = std::vector<std::byte>;

// A finished file whose structures can be edited in place.
struct ElfFile {
  ElfBytes bytes;
  uint64_t note_offset = 0;        // of the Elf64_Nhdr
  uint64_t descriptor_offset = 0;  // of the glint_abi_note
  uint64_t functions_offset = 0;   // of the function table
  uint64_t symbols_offset = 0;     // of the symbol table

  template <class T>
  T get(uint64_t offset) const {
    T value;
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) throw std::out_of_range("ElfFile::get");
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
  }
  template <class T, class Edit>
  void edit(uint64_t offset, Edit change) {
    T value = get<T>(offset);
    change(value);
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
  }

  Elf64_Ehdr header() const { return get<Elf64_Ehdr>(0); }
  Elf64_Phdr program(size_t i) const { return get<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr)); }
  template <class Edit>
  void edit_header(Edit change) {
    edit<Elf64_Ehdr>(0, change);
  }
  template <class Edit>
  void edit_program(size_t i, Edit change) {
    edit<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr), change);
  }
  template <class Edit>
  void edit_section(size_t i, Edit change) {
    edit<Elf64_Shdr>(header().e_shoff + i * sizeof(Elf64_Shdr), change);
  }
  template <class Edit>
  void edit_note(Edit change) {
    edit<glint_abi_note>(descriptor_offset, change);
  }
  template <class Edit>
  void edit_function(size_t i, Edit change) {
    edit<glint_abi_function>(functions_offset + i * sizeof(glint_abi_function), change);
  }
  template <class Edit>
  void edit_symbol(size_t i, Edit change) {
    edit<Elf64_Sym>(symbols_offset + i * sizeof(Elf64_Sym), change);
  }
};

inline glint_abi_function elf_function(glint_abi_function_kind kind, std::string_view name,
                                       glint_abi_type result, std::initializer_list<glint_abi_type> params) {
  glint_abi_function function{};
  function.kind = static_cast<uint8_t>(kind);
  function.result = static_cast<uint8_t>(result);
  function.param_count = static_cast<uint8_t>(params.size());
  size_t i = 0;
  for (const glint_abi_type param : params) function.params[i++] = static_cast<uint8_t>(param);
  name.copy(function.name, sizeof(function.name) - 1);
  return function;
}

// `value` counts from the first byte of the code.
struct ElfSymbol {
  std::string name;
  uint64_t value = 0;
  uint64_t size = 0;
  unsigned type = STT_FUNC;
  unsigned binding = STB_GLOBAL;
  uint16_t section = 1;
};

// A program of three segments: read-only (headers, note, function table), code, and data that ends in zeros.
// In the file they follow each other without padding, so that files are small; in memory each begins on a
// page of its own.
class ElfBuilder {
 public:
  enum Header : size_t { kRead, kCode, kData, kNote, kStack, kExtra };
  enum Section : size_t { kNull, kSymbolTable, kStringTable };
  static constexpr uint64_t kCodeSize = 32;
  static constexpr uint64_t kDataSize = 16;
  static constexpr uint64_t kZeroSize = 5000;

  uint16_t type = ET_EXEC;
  bool with_note = true;
  bool with_sections = true;
  uint64_t note_alignment = 4;
  std::vector<glint_abi_function> functions;
  std::vector<ElfSymbol> symbols;
  std::vector<Elf64_Phdr> extra;  // more program headers, taken as they are
  ElfBytes extra_bytes;           // stand at the end of the file: see `extra_offset`

  // Where extra_bytes will be found by an `extra` program header: known once all else is set.
  uint64_t extra_offset() const { return layout().extra; }

  ElfFile build() const {
    const Layout at = layout();
    ElfFile file;
    file.bytes.resize(at.extra);
    file.note_offset = at.note;
    file.descriptor_offset = at.descriptor;
    file.functions_offset = at.functions;
    file.symbols_offset = at.symbols;
    put(file, 0, file_header(at));
    put_programs(file, at);
    if (with_note) put_note(file, at);
    for (size_t i = 0; i < functions.size(); ++i)
      put(file, at.functions + i * sizeof(glint_abi_function), functions[i]);
    file.bytes[at.code] = std::byte{0xf4};  // hlt: nobody runs it
    if (with_sections) put_sections(file, at);
    file.bytes.insert(file.bytes.end(), extra_bytes.begin(), extra_bytes.end());
    return file;
  }

 private:
  struct Layout {
    uint64_t note, descriptor, note_end, functions, functions_end, code, data, symbols, strings, strings_end,
        sections, extra;
  };

  static uint64_t up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
  }
  size_t program_count() const { return kExtra + extra.size(); }
  uint64_t base() const { return type == ET_DYN ? 0 : 0x400000; }

  Layout layout() const {
    Layout at{};
    at.note = sizeof(Elf64_Ehdr) + program_count() * sizeof(Elf64_Phdr);
    at.descriptor = at.note + up(sizeof(Elf64_Nhdr) + sizeof(GLINT_ABI_NOTE_OWNER), note_alignment);
    at.note_end = at.descriptor + sizeof(glint_abi_note);
    at.functions = up(at.note_end, 8);
    at.functions_end = at.functions + functions.size() * sizeof(glint_abi_function);
    at.code = up(at.functions_end, 16);
    at.data = at.code + kCodeSize;
    at.symbols = at.data + kDataSize;
    at.strings = at.symbols + (with_sections ? (symbols.size() + 1) * sizeof(Elf64_Sym) : 0);
    at.strings_end = at.strings + (with_sections ? string_table().size() : 0);
    at.sections = up(at.strings_end, 8);
    at.extra = at.sections + (with_sections ? 3 * sizeof(Elf64_Shdr) : 0);
    return at;
  }

  template <class T>
  static void put(ElfFile& file, uint64_t offset, const T& value) {
    std::memcpy(file.bytes.data() + offset, &value, sizeof(T));
  }

  uint64_t code_address(const Layout& at) const { return base() + 0x1000 + at.code; }

  Elf64_Ehdr file_header(const Layout& at) const {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_entry = code_address(at);
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<uint16_t>(program_count());
    header.e_shoff = with_sections ? at.sections : 0;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = with_sections ? 3 : 0;
    return header;
  }

  static Elf64_Phdr program(uint32_t kind, uint32_t flags, uint64_t offset, uint64_t address,
                            uint64_t file_size, uint64_t memory_size, uint64_t alignment) {
    Elf64_Phdr header{};
    header.p_type = kind;
    header.p_flags = flags;
    header.p_offset = offset;
    header.p_vaddr = header.p_paddr = address;
    header.p_filesz = file_size;
    header.p_memsz = memory_size;
    header.p_align = alignment;
    return header;
  }

  void put_programs(ElfFile& file, const Layout& at) const {
    const uint64_t note_size = with_note ? at.note_end - at.note : 0;
    std::vector<Elf64_Phdr> headers = {
        program(PT_LOAD, PF_R, 0, base(), at.functions_end, at.functions_end, 0x1000),
        program(PT_LOAD, PF_R | PF_X, at.code, code_address(at), kCodeSize, kCodeSize, 0x1000),
        program(PT_LOAD, PF_R | PF_W, at.data, base() + 0x2000 + at.data, kDataSize, kDataSize + kZeroSize,
                0x1000),
        program(PT_NOTE, PF_R, at.note, base() + at.note, note_size, note_size, note_alignment),
        program(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 16),
    };
    headers.insert(headers.end(), extra.begin(), extra.end());
    for (size_t i = 0; i < headers.size(); ++i)
      put(file, sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr), headers[i]);
  }

  void put_note(ElfFile& file, const Layout& at) const {
    put(file, at.note, Elf64_Nhdr{sizeof(GLINT_ABI_NOTE_OWNER), sizeof(glint_abi_note), GLINT_ABI_NOTE_TYPE});
    std::memcpy(file.bytes.data() + at.note + sizeof(Elf64_Nhdr), GLINT_ABI_NOTE_OWNER,
                sizeof(GLINT_ABI_NOTE_OWNER));
    glint_abi_note note{};
    note.abi_version = GLINT_ABI_VERSION;
    note.function_size = sizeof(glint_abi_function);
    note.functions_begin = static_cast<int64_t>(at.functions - at.descriptor);
    note.functions_end = static_cast<int64_t>(at.functions_end - at.descriptor);
    put(file, at.descriptor, note);
  }

  std::string string_table() const {
    std::string table(1, '\0');
    for (const ElfSymbol& symbol : symbols) table += symbol.name + '\0';
    return table;
  }

  void put_sections(ElfFile& file, const Layout& at) const {
    const std::string strings = string_table();
    std::memcpy(file.bytes.data() + at.strings, strings.data(), strings.size());
    uint32_t name = 1;
    for (size_t i = 0; i < symbols.size(); ++i) {
      const ElfSymbol& symbol = symbols[i];
      Elf64_Sym entry{};
      entry.st_name = name;
      entry.st_info = static_cast<unsigned char>(symbol.binding << 4 | symbol.type);
      entry.st_shndx = symbol.section;
      entry.st_value = code_address(at) + symbol.value;
      entry.st_size = symbol.size;
      put(file, at.symbols + (i + 1) * sizeof(Elf64_Sym), entry);
      name += static_cast<uint32_t>(symbol.name.size() + 1);
    }
    Elf64_Shdr symbol_table{};
    symbol_table.sh_type = SHT_SYMTAB;
    symbol_table.sh_offset = at.symbols;
    symbol_table.sh_size = at.strings - at.symbols;
    symbol_table.sh_link = kStringTable;
    symbol_table.sh_entsize = sizeof(Elf64_Sym);
    put(file, at.sections + kSymbolTable * sizeof(Elf64_Shdr), symbol_table);
    Elf64_Shdr string_section{};
    string_section.sh_type = SHT_STRTAB;
    string_section.sh_offset = at.strings;
    string_section.sh_size = strings.size();
    put(file, at.sections + kStringTable * sizeof(Elf64_Shdr), string_section);
  }
};

// The program that most tests begin with: two exports, an import, a padding entry, three symbols.
inline ElfBuilder sample_elf() {
  ElfBuilder builder;
  builder.functions = {
      elf_function(GLINT_ABI_EXPORT, "add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}),
      glint_abi_function{},
      elf_function(GLINT_ABI_IMPORT, "progress", GLINT_ABI_VOID, {GLINT_ABI_U32}),
      elf_function(GLINT_ABI_EXPORT, "shrink", GLINT_ABI_BYTES,
                   {GLINT_ABI_STRING, GLINT_ABI_BYTES, GLINT_ABI_F64}),
  };
  builder.symbols = {{"shrink", 16, 8}, {"_start", 0, 4}, {"add", 4, 12}};
  return builder;
}

}  // namespace glint::test
