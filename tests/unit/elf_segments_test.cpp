// SPDX-License-Identifier: Apache-2.0
#include "image/elf.hpp"

#include <gtest/gtest.h>

#include "elf_expect.hpp"

namespace glint::core {
namespace {

using test::ElfBuilder;
using test::ElfFile;
using test::expect_good;
using test::expect_refused;
using test::load_header;
using test::sample_elf;
using test::with_header;
using test::with_load;
using test::with_program;

// ---- segments
// ---------------------------------------------------------------------------------------------------

TEST(Elf, RefusesAMalformedProgramHeaderTable) {
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_phnum = 0; }).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"no program headers"});
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_phentsize = 32; }).bytes,
                 GLINT_E_IMAGE_SEGMENTS, {"32 bytes"});
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_phnum = PN_XNUM; }).bytes,
                 GLINT_E_IMAGE_TRUNCATED, {"program header table"});
  expect_refused(with_header([](Elf64_Ehdr& header) { header.e_phoff = ~uint64_t{0} - 8; }).bytes,
                 GLINT_E_IMAGE_TRUNCATED, {"program header table"});
}

TEST(Elf, RefusesAProgramWithNothingToLoad) {
  ElfFile file = sample_elf().build();
  for (const size_t i : {ElfBuilder::kRead, ElfBuilder::kCode, ElfBuilder::kData}) {
    file.edit_program(i, [](Elf64_Phdr& header) { header.p_type = PT_NULL; });
  }
  expect_refused(file.bytes, GLINT_E_IMAGE_SEGMENTS, {"no loadable segment"});
}

TEST(Elf, RefusesMoreThan64Segments) {
  ElfBuilder builder = sample_elf();
  for (uint64_t i = 0; i < 61; ++i) builder.extra.push_back(load_header(PF_R, 0x500000 + i * 0x1000, 1));
  EXPECT_EQ(expect_good(builder.build().bytes).segments.size(), 64u);
  builder.extra.push_back(load_header(PF_R, 0x700000, 1));
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_SEGMENTS, {"more than 64"});
}

// Otherwise a small file could fill the host's memory.
TEST(Elf, RefusesSegmentsThatShowTheSameBytesOfTheFile) {
  ElfBuilder builder = sample_elf();
  builder.extra_bytes.resize(0x3000);
  const uint64_t offset = builder.extra_offset();
  const auto view = [&](uint64_t page) {
    Elf64_Phdr header = load_header(PF_R, page + offset % 0x1000, 0x3000);
    header.p_offset = offset;
    header.p_filesz = 0x3000;
    return header;
  };
  builder.extra = {view(0x600000)};
  const uint64_t moved = builder.extra_offset() - offset;  // the header takes room before the bytes
  builder.extra[0].p_offset += moved;
  builder.extra[0].p_vaddr = 0x600000 + builder.extra[0].p_offset % 0x1000;
  expect_good(builder.build().bytes);
  builder.extra.push_back(builder.extra[0]);
  for (Elf64_Phdr& header : builder.extra) header.p_offset = builder.extra_offset();
  builder.extra[0].p_vaddr = 0x600000 + builder.extra_offset() % 0x1000;
  builder.extra[1].p_vaddr = 0x700000 + builder.extra_offset() % 0x1000;
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_SEGMENTS, {"overlap in it"});
}

TEST(Elf, RefusesMoreBytesInTheFileThanInMemory) {
  const auto grow = [](Elf64_Phdr& header) { header.p_memsz = header.p_filesz - 1; };
  expect_refused(with_program(ElfBuilder::kCode, grow).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 1", "0x20", "0x1f"});
  const auto vanish = [](Elf64_Phdr& header) { header.p_memsz = 0; };
  expect_refused(with_program(ElfBuilder::kCode, vanish).bytes, GLINT_E_IMAGE_SEGMENTS, {"segment 1"});
}

TEST(Elf, RefusesASegmentThatWraps) {
  expect_refused(with_load(load_header(PF_R, 0xfffffffffffff000, 0x2000)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 5", "0xfffffffffffff000", "0x2000", "wraps"});
  expect_refused(with_load(load_header(PF_R, 0x500000, ~uint64_t{0})).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"wraps"});
}

TEST(Elf, RefusesAPieSegmentThatWrapsOnlyWhenMoved) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  builder.extra = {load_header(PF_R, 0xffffffffffffe000, 0x1000)};
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_SEGMENTS, {"segment 5", "wraps", "0x400000"});
}

TEST(Elf, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  const auto three = [](Elf64_Phdr& header) { header.p_align = 0x3000; };
  expect_refused(with_program(ElfBuilder::kData, three).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 2", "0x3000"});
  const auto none = [](Elf64_Phdr& header) { header.p_align = 0; };
  expect_good(with_program(ElfBuilder::kData, none).bytes);
}

TEST(Elf, RefusesAPieThatNeedsMoreAlignmentThanItsBaseHas) {
  ElfBuilder builder = sample_elf();
  builder.type = ET_DYN;
  ElfFile file = builder.build();
  file.edit_program(ElfBuilder::kRead, [](Elf64_Phdr& header) { header.p_align = 0x200000; });
  expect_good(file.bytes);
  file.edit_program(ElfBuilder::kRead, [](Elf64_Phdr& header) { header.p_align = 0x800000; });
  expect_refused(file.bytes, GLINT_E_IMAGE_SEGMENTS, {"segment 0", "0x800000", "max-page-size"});
}

TEST(Elf, RefusesAnOffsetThatDisagreesWithTheAddress) {
  const auto shift = [](Elf64_Phdr& header) { header.p_vaddr += 8; };
  expect_refused(with_program(ElfBuilder::kData, shift).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 2", "0x1000"});
}

TEST(Elf, RefusesOverlappingSegments) {
  expect_refused(with_load(load_header(PF_R, 0x403000, 8)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 5 (0x403000 to 0x403008) overlaps segment 2"});
  expect_refused(with_load(load_header(PF_R, 0x300000, 0x200000)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 0", "overlaps segment 5 (0x300000 to 0x500000)"});
}

TEST(Elf, RefusesTwoSegmentsOnOnePage) {
  const ElfFile file = sample_elf().build();
  const Elf64_Phdr code = file.program(ElfBuilder::kCode);
  const uint64_t behind_code = code.p_vaddr + code.p_memsz;
  expect_refused(with_load(load_header(PF_R, behind_code + 8, 8)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 1", "segment 5", "the page 0x401000", "-Wl,-z,separate-code"});
  expect_refused(with_load(load_header(PF_R | PF_X, behind_code + 8, 8)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"the page 0x401000"});
  expect_refused(with_load(load_header(PF_R | PF_W, behind_code + 8, 8)).bytes, GLINT_E_IMAGE_WX,
                 {"the page 0x401000", "both writable and executable", "-Wl,-z,separate-code"});
  expect_refused(with_load(load_header(PF_R | PF_X, 0x402000, 8)).bytes, GLINT_E_IMAGE_WX,
                 {"the page 0x402000"});
}

TEST(Elf, RefusesAWritableAndExecutableSegment) {
  const auto writable = [](Elf64_Phdr& header) { header.p_flags |= PF_W; };
  expect_refused(with_program(ElfBuilder::kCode, writable).bytes, GLINT_E_IMAGE_WX, {"segment 1"});
}

TEST(Elf, RefusesASegmentWithoutPermissions) {
  expect_refused(with_load(load_header(0, 0x500000, 8)).bytes, GLINT_E_IMAGE_SEGMENTS,
                 {"segment 5", "neither"});
}

TEST(Elf, RefusesSegmentsOutsideTheRange) {
  expect_refused(with_load(load_header(PF_R, 0, 0x1000)).bytes, GLINT_E_IMAGE_RANGE,
                 {"segment 5 (0x0 to 0x1000)", "0x200000 to 0x4000000000"});
  expect_refused(with_load(load_header(PF_R, GLINT_GVA_PROGRAM_MAX - 0x1000, 0x1001)).bytes,
                 GLINT_E_IMAGE_RANGE, {"segment 5", "0x4000000001"});
  expect_refused(with_load(load_header(PF_R, 0xffffffff80000000, 0x1000)).bytes, GLINT_E_IMAGE_RANGE,
                 {"segment 5"});
}

TEST(Elf, RefusesAProgramLargerThanTheRange) {
  const auto huge = [](Elf64_Phdr& header) { header.p_memsz = uint64_t{1} << 40; };
  expect_refused(with_program(ElfBuilder::kData, huge).bytes, GLINT_E_IMAGE_RANGE, {"segment 2"});
}

TEST(Elf, RefusesARangeThatIsNotMadeOfPages) {
  ProgramRange range;
  range.pie_base += 8;
  expect_refused(sample_elf().build().bytes, GLINT_E_INVALID_ARGUMENT, {"page size"}, range);
}

TEST(Elf, RefusesAnEntryOutsideCode) {
  const auto entry = [](uint64_t value) {
    return with_header([value](Elf64_Ehdr& header) { header.e_entry = value; }).bytes;
  };
  expect_refused(entry(0), GLINT_E_IMAGE_ENTRY, {"no entry point"});
  expect_refused(entry(0x400000), GLINT_E_IMAGE_ENTRY, {"0x400000"});
  expect_refused(entry(0x402000), GLINT_E_IMAGE_ENTRY, {"0x402000"});
  expect_refused(entry(~uint64_t{0}), GLINT_E_IMAGE_ENTRY, {"0xffffffffffffffff"});
}

}  // namespace
}  // namespace glint::core
