// SPDX-License-Identifier: Apache-2.0
#include "image/elf.hpp"

#include <gtest/gtest.h>

#include <string>

#include "elf_expect.hpp"

namespace glint::core {
namespace {

using test::broken_promise;
using test::ElfBuilder;
using test::ElfBytes;
using test::ElfFile;
using test::expect_good;
using test::expect_refused;
using test::load_header;
using test::sample_elf;
using test::with_header;
using test::with_load;
using test::with_program;

// ---- good programs ----------------------------------------------------------------------------------------

TEST(Elf, LaysOutTheSegmentsOfAStaticProgram) {
  const ElfFile file = sample_elf().build();
  const Program program = expect_good(file.bytes);
  EXPECT_FALSE(program.pie);
  EXPECT_EQ(program.base, 0u);
  EXPECT_EQ(program.entry, file.header().e_entry);
  EXPECT_EQ(program.phdr, 0x400000 + file.header().e_phoff);
  EXPECT_EQ(program.phnum, file.header().e_phnum);
  ASSERT_EQ(program.segments.size(), 3u);

  const Segment& read = program.segments[0];
  EXPECT_EQ(read.gva, 0x400000u);
  EXPECT_EQ(read.size, kPageSize);
  EXPECT_FALSE(read.writable || read.executable);
  EXPECT_EQ(read.file_offset, 0u);
  EXPECT_EQ(read.file_size, file.program(ElfBuilder::kRead).p_filesz);
  EXPECT_EQ(read.data_offset, 0u);

  const Elf64_Phdr code_header = file.program(ElfBuilder::kCode);
  const Segment& code = program.segments[1];
  EXPECT_TRUE(code.executable);
  EXPECT_FALSE(code.writable);
  EXPECT_EQ(code.gva, 0x401000u);
  EXPECT_EQ(code.file_offset, code_header.p_offset);
  EXPECT_EQ(code.data_offset, code_header.p_vaddr % kPageSize);
  EXPECT_EQ(code.gva + code.data_offset, code_header.p_vaddr);

  const Segment& data = program.segments[2];
  EXPECT_TRUE(data.writable);
  EXPECT_FALSE(data.executable);
  EXPECT_EQ(data.gva, 0x402000u);
  EXPECT_EQ(data.file_size, ElfBuilder::kDataSize);
  EXPECT_EQ(data.size, 2 * kPageSize);  // its zeros reach into a second page
  EXPECT_EQ(program.end, data.gva + data.size);
}

TEST(Elf, MovesAStaticPieToTheGivenBase) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  const ElfFile file = builder.build();
  ProgramRange range;
  range.pie_base = 0x12340000;
  const Program program = expect_good(file.bytes, range);
  EXPECT_TRUE(program.pie);
  EXPECT_EQ(program.base, range.pie_base);
  EXPECT_EQ(program.entry, range.pie_base + file.header().e_entry);
  EXPECT_EQ(program.phdr, range.pie_base + file.header().e_phoff);
  EXPECT_EQ(program.segments[0].gva, range.pie_base);
  EXPECT_EQ(program.symbols.front().gva, program.entry);
  EXPECT_EQ(program.functions.size(), 3u);
}

TEST(Elf, AcceptsADynamicSectionWithoutLibraries) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  builder.extra.resize(1);
  // DT_NEEDED behind the end of the list means nothing.
  const Elf64_Dyn entries[3] = {{DT_RELA, {0}}, {DT_NULL, {0}}, {DT_NEEDED, {1}}};
  const auto bytes = std::as_bytes(std::span(entries));
  builder.extra_bytes.assign(bytes.begin(), bytes.end());
  builder.extra[0].p_type = PT_DYNAMIC;
  builder.extra[0].p_offset = builder.extra_offset();
  builder.extra[0].p_filesz = sizeof(entries);
  expect_good(builder.build().bytes);
}

TEST(Elf, SkipsEmptySegments) {
  EXPECT_EQ(expect_good(with_load(load_header(PF_R, 0x400000, 0)).bytes).segments.size(), 3u);
}

TEST(Elf, SortsSegmentsByAddress) {
  const Program program = expect_good(with_load(load_header(PF_R, 0x300000, 1)).bytes);
  ASSERT_EQ(program.segments.size(), 4u);
  EXPECT_EQ(program.segments[0].gva, 0x300000u);
}

TEST(Elf, IgnoresTheFileOffsetOfASegmentWithoutBytes) {
  Elf64_Phdr header = load_header(PF_R | PF_W, 0x500000, 0x2000);
  header.p_offset = 0x123456789;
  const Program program = expect_good(with_load(header).bytes);
  EXPECT_EQ(program.segments.back().size, 0x2000u);
  EXPECT_EQ(program.segments.back().file_size, 0u);
}

TEST(Elf, AcceptsAnExecutableStackHeaderWithoutGrantingIt) {
  const ElfFile file =
      with_program(ElfBuilder::kStack, [](Elf64_Phdr& header) { header.p_flags = PF_R | PF_W | PF_X; });
  EXPECT_EQ(expect_good(file.bytes).segments.size(), 3u);
}

TEST(Elf, IgnoresThreadLocalAndRelroHeaders) {
  for (const uint32_t type : {uint32_t{PT_TLS}, uint32_t{PT_GNU_RELRO}, uint32_t{PT_GNU_EH_FRAME}}) {
    Elf64_Phdr header = load_header(PF_R, ~uint64_t{0}, ~uint64_t{0});
    header.p_type = type;
    EXPECT_EQ(expect_good(with_load(header).bytes).segments.size(), 3u);
  }
}

TEST(Elf, KnowsNoProgramHeadersThatAreNotLoaded) {
  ElfBuilder builder;
  builder.with_note = false;
  ElfFile headless = builder.build();
  headless.edit_program(ElfBuilder::kRead, [](Elf64_Phdr& header) { header.p_filesz = sizeof(Elf64_Ehdr); });
  EXPECT_EQ(expect_good(headless.bytes).phdr, 0u);
}

TEST(Elf, TakesAProgramUpToTheLastByteOfTheRange) {
  ProgramRange range;
  const ElfFile file = with_load(load_header(PF_R, 0x500000, 0x1001));
  range.begin = 0x400000;
  range.end = 0x502000;
  EXPECT_EQ(expect_good(file.bytes, range).end, range.end);
  range.end = 0x501000;
  expect_refused(file.bytes, GLINT_E_IMAGE_RANGE, {"segment 5 (0x500000 to 0x501001)", "0x501000"}, range);
}

// ---- not a program
// ------------------------------------------------------------------------------------------

TEST(Elf, RefusesWhatIsNotElf) {
  expect_refused({}, GLINT_E_IMAGE_NOT_ELF, {"empty"});
  expect_refused(ElfBytes(3, std::byte{0x7f}), GLINT_E_IMAGE_NOT_ELF, {"does not begin"});
  expect_refused(ElfBytes(4096), GLINT_E_IMAGE_NOT_ELF, {"does not begin"});
  ElfFile file = with_header([](Elf64_Ehdr& header) { header.e_ident[EI_VERSION] = 2; });
  expect_refused(file.bytes, GLINT_E_IMAGE_NOT_ELF, {"version 2"});
}

TEST(Elf, RefusesA32BitProgram) {
  const ElfFile file = with_header([](Elf64_Ehdr& header) { header.e_ident[EI_CLASS] = ELFCLASS32; });
  expect_refused(file.bytes, GLINT_E_IMAGE_CLASS, {"32-bit"});
  // A 32-bit ELF header is shorter than ours; that must not make it "truncated".
  expect_refused({file.bytes.begin(), file.bytes.begin() + 52}, GLINT_E_IMAGE_CLASS, {"32-bit"});
}

TEST(Elf, RefusesAnUnknownClassOrByteOrder) {
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[EI_CLASS] = 7; }).bytes,
                 GLINT_E_IMAGE_CLASS, {"class 7"});
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[EI_DATA] = ELFDATA2MSB; }).bytes,
                 GLINT_E_IMAGE_CLASS, {"big-endian"});
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[EI_DATA] = 9; }).bytes,
                 GLINT_E_IMAGE_CLASS, {"byte order 9"});
}

TEST(Elf, RefusesAnotherMachineByItsName) {
  const auto machine = [](uint16_t value) {
    return with_header([value](Elf64_Ehdr& header) { header.e_machine = value; }).bytes;
  };
  expect_refused(machine(EM_AARCH64), GLINT_E_IMAGE_MACHINE, {"aarch64", "x86-64"});
  expect_refused(machine(EM_RISCV), GLINT_E_IMAGE_MACHINE, {"riscv"});
  expect_refused(machine(4711), GLINT_E_IMAGE_MACHINE, {"machine 4711"});
}

TEST(Elf, RefusesFilesThatAreNoPrograms) {
  const auto type = [](uint16_t value) {
    return with_header([value](Elf64_Ehdr& header) { header.e_type = value; }).bytes;
  };
  expect_refused(type(ET_REL), GLINT_E_IMAGE_KIND, {"object file", "-static"});
  expect_refused(type(ET_CORE), GLINT_E_IMAGE_KIND, {"core dump"});
  expect_refused(type(ET_NONE), GLINT_E_IMAGE_KIND, {"type 0"});
}

TEST(Elf, RefusesAProgramWithAnInterpreterAndSaysWhatToDo) {
  ElfBuilder builder = sample_elf();
  builder.extra.resize(1);
  const char path[] = "/lib64/ld-linux-x86-64.so.2";
  const auto bytes = std::as_bytes(std::span(path));
  builder.extra_bytes.assign(bytes.begin(), bytes.end());
  builder.extra[0].p_type = PT_INTERP;
  builder.extra[0].p_offset = builder.extra_offset();
  builder.extra[0].p_filesz = sizeof(path);
  ElfFile file = builder.build();
  expect_refused(file.bytes, GLINT_E_IMAGE_DYNAMIC, {path, "-static or -static-pie"});

  file.bytes[builder.extra_offset()] = std::byte{0x1b};  // no terminal escapes in messages
  const auto escaped = parse_program(file.bytes);
  ASSERT_FALSE(escaped);
  EXPECT_EQ(escaped.error().message.find('\x1b'), std::string::npos);
  file.edit_program(ElfBuilder::kExtra, [](Elf64_Phdr& header) { header.p_offset = ~uint64_t{0}; });
  expect_refused(file.bytes, GLINT_E_IMAGE_DYNAMIC, {"-static"});
}

TEST(Elf, RefusesAProgramThatNeedsLibraries) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  builder.extra.resize(1);
  const Elf64_Dyn entries[2] = {{DT_RELA, {0}}, {DT_NEEDED, {1}}};
  const auto bytes = std::as_bytes(std::span(entries));
  builder.extra_bytes.assign(bytes.begin(), bytes.end());
  builder.extra[0].p_type = PT_DYNAMIC;
  builder.extra[0].p_offset = builder.extra_offset();
  builder.extra[0].p_filesz = sizeof(entries);
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_DYNAMIC,
                 {"shared libraries", "-static or -static-pie"});

  builder.extra[0].p_filesz += 1;
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_TRUNCATED, {"dynamic section", "segment 5"});
}

TEST(Elf, RefusesASecondDynamicSection) {
  ElfBuilder builder = sample_elf();
  builder.extra.resize(2);
  builder.extra[0].p_type = builder.extra[1].p_type = PT_DYNAMIC;
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_SEGMENTS, {"segment 6", "second dynamic section"});
}

// ---- truncation
// -----------------------------------------------------------------------------------------------

TEST(Elf, RefusesAFileThatEndsInItsHeaders) {
  const ElfFile file = sample_elf().build();
  const auto first = [&](uint64_t size) {
    return ElfBytes(file.bytes.begin(), file.bytes.begin() + static_cast<ptrdiff_t>(size));
  };
  expect_refused(first(15), GLINT_E_IMAGE_TRUNCATED, {"ELF header", "15 of 64"});
  expect_refused(first(63), GLINT_E_IMAGE_TRUNCATED, {"ELF header", "63 of 64"});
  expect_refused(first(64), GLINT_E_IMAGE_TRUNCATED, {"program header table", "0x40"});
  expect_refused(first(64 + 5 * 56 - 1), GLINT_E_IMAGE_TRUNCATED, {"program header table"});
  expect_refused(first(64 + 5 * 56), GLINT_E_IMAGE_TRUNCATED, {"bytes of segment 0"});
  expect_refused(first(file.functions_offset + 1), GLINT_E_IMAGE_TRUNCATED, {"bytes of segment 0"});
  expect_refused(first(file.program(ElfBuilder::kCode).p_offset), GLINT_E_IMAGE_TRUNCATED,
                 {"bytes of segment 1"});
  expect_refused(first(file.program(ElfBuilder::kData).p_offset), GLINT_E_IMAGE_TRUNCATED,
                 {"bytes of segment 2"});
}

TEST(Elf, RefusesEveryPrefixThatCutsSomethingNeeded) {
  for (const uint16_t type : {uint16_t{ET_EXEC}, uint16_t{ET_DYN}}) {
    ElfBuilder builder = sample_elf();
    builder.type = type;
    const ElfFile file = builder.build();
    const Elf64_Phdr data = file.program(ElfBuilder::kData);
    const uint64_t needed = data.p_offset + data.p_filesz;
    for (size_t size = 0; size < file.bytes.size(); ++size) {
      // A copy of the exact size, so that AddressSanitizer sees any read past the end.
      const ElfBytes prefix(file.bytes.begin(), file.bytes.begin() + static_cast<ptrdiff_t>(size));
      const auto program = parse_program(prefix);
      if (size < needed) {
        ASSERT_FALSE(program) << size;
        EXPECT_EQ(program.error().code, size < SELFMAG ? GLINT_E_IMAGE_NOT_ELF : GLINT_E_IMAGE_TRUNCATED)
            << size;
      } else {
        ASSERT_TRUE(program) << size << ": " << program.error().message;
        EXPECT_TRUE(program->symbols.empty()) << size;  // the section headers are cut
        EXPECT_EQ(broken_promise(*program, size), "") << size;
      }
    }
  }
}

TEST(Elf, KeepsItsPromisesWhateverByteOfAFileIsWrong) {
  const ElfFile file = sample_elf().build();
  for (size_t at = 0; at < file.bytes.size(); ++at) {
    for (const unsigned value : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu}) {
      ElfBytes bytes = file.bytes;
      bytes[at] = static_cast<std::byte>(value);
      const auto program = parse_program(bytes);
      if (program) {
        ASSERT_EQ(broken_promise(*program, bytes.size()), "") << at << " = " << value;
      } else {
        ASSERT_LE(program.error().code, GLINT_E_IMAGE_NOT_ELF) << at << " = " << value;
        ASSERT_GE(program.error().code, GLINT_E_IMAGE_ABI) << at << " = " << value;
      }
    }
  }
}

}  // namespace
}  // namespace glint::core
