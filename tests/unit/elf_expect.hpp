// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the ELF reader share.

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "elf_builder.hpp"
#include "elf_invariants.hpp"
#include "image/elf.hpp"

namespace glint::test {

// `file` must be refused with this code, by a message that contains each of `words`.
inline void expect_refused(const ElfBytes& file, glint_status code,
                           std::initializer_list<std::string_view> words,
                           const core::ProgramRange& range = {}) {
  const auto program = core::parse_program(file, range);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().code, code) << program.error().message;
  for (const std::string_view word : words) {
    EXPECT_NE(program.error().message.find(word), std::string::npos)
        << "missing \"" << word << "\" in: " << program.error().message;
  }
}

inline core::Program expect_good(const ElfBytes& file, const core::ProgramRange& range = {}) {
  auto program = core::parse_program(file, range);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return {};
  }
  EXPECT_EQ(broken_promise(*program, file.size(), range), "");
  return std::move(*program);
}

template <class Edit>
ElfFile with_header(Edit change) {
  ElfFile file = sample_elf().build();
  file.edit_header(change);
  return file;
}

template <class Edit>
ElfFile with_program(size_t i, Edit change) {
  ElfFile file = sample_elf().build();
  file.edit_program(i, change);
  return file;
}

template <class Edit>
ElfFile with_function(size_t i, Edit change) {
  ElfFile file = sample_elf().build();
  file.edit_function(i, change);
  return file;
}

template <class Edit>
ElfFile with_note(Edit change) {
  ElfFile file = sample_elf().build();
  file.edit_note(change);
  return file;
}

inline Elf64_Phdr load_header(uint32_t flags, uint64_t address, uint64_t size) {
  Elf64_Phdr header{};
  header.p_type = PT_LOAD;
  header.p_flags = flags;
  header.p_vaddr = address;
  header.p_memsz = size;
  header.p_align = 0x1000;
  return header;
}

inline ElfFile with_load(const Elf64_Phdr& header) {
  ElfBuilder builder = sample_elf();
  builder.extra = {header};
  return builder.build();
}

}  // namespace glint::test
