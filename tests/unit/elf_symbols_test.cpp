// SPDX-License-Identifier: Apache-2.0
#include "image/elf.hpp"

#include <gtest/gtest.h>

#include <string>

#include "elf_expect.hpp"

namespace glint::core {
namespace {

using test::ElfBuilder;
using test::ElfFile;
using test::expect_good;
using test::load_header;
using test::sample_elf;

// ---- symbols
// ------------------------------------------------------------------------------------------------------

TEST(Elf, FindsTheNearestSymbol) {
  const ElfFile file = sample_elf().build();
  const Program program = expect_good(file.bytes);
  const uint64_t code = file.header().e_entry;
  ASSERT_EQ(program.symbols.size(), 3u);
  EXPECT_EQ(program.symbols[1].size, 12u);
  ASSERT_NE(program.nearest_symbol(code), nullptr);
  EXPECT_EQ(program.nearest_symbol(code)->name, "_start");
  EXPECT_EQ(program.nearest_symbol(code + 3)->name, "_start");
  EXPECT_EQ(program.nearest_symbol(code + 4)->name, "add");
  EXPECT_EQ(program.nearest_symbol(code + 31)->name, "shrink");
  EXPECT_EQ(program.nearest_symbol(code - 1), nullptr);  // code, but before the first symbol
  EXPECT_EQ(program.nearest_symbol(0x402000), nullptr);  // not code
  EXPECT_EQ(program.nearest_symbol(~uint64_t{0}), nullptr);
}

TEST(Elf, NamesNoCodeByASymbolOfAnotherSegment) {
  ElfBuilder builder = sample_elf();
  builder.extra = {load_header(PF_R | PF_X, 0x500000, 8)};
  EXPECT_EQ(expect_good(builder.build().bytes).nearest_symbol(0x500004), nullptr);
}

TEST(Elf, TakesFunctionsAndGlobalLabelsInCodeOnly) {
  ElfBuilder builder = sample_elf();
  builder.symbols = {{"function", 0, 1},
                     {"label", 1, 0, STT_NOTYPE, STB_GLOBAL},
                     {"local_label", 2, 0, STT_NOTYPE, STB_LOCAL},
                     {"object", 3, 1, STT_OBJECT},
                     {"undefined", 4, 1, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
                     {"elsewhere", 0x100000, 1},
                     {"", 5, 1},
                     {"resolver", 6, 1, STT_GNU_IFUNC},
                     {"local_function", 7, 1, STT_FUNC, STB_LOCAL}};
  std::string names;
  for (const Symbol& symbol : expect_good(builder.build().bytes).symbols) names += symbol.name + " ";
  EXPECT_EQ(names, "function label resolver local_function ");
}

TEST(Elf, PrefersTheBestKnownOfSeveralSymbolsAtOneAddress) {
  ElfBuilder builder = sample_elf();
  builder.symbols = {{"a_label", 0, 0, STT_NOTYPE},
                     {"a_local", 0, 8, STT_FUNC, STB_LOCAL},
                     {"a_weak", 0, 8, STT_FUNC, STB_WEAK},
                     {"memcpy", 0, 8},
                     {"memmove", 0, 8}};
  const Program program = expect_good(builder.build().bytes);
  ASSERT_EQ(program.symbols.size(), 1u);
  EXPECT_EQ(program.symbols[0].name, "memcpy");
}

TEST(Elf, CutsLongSymbolNames) {
  ElfBuilder builder = sample_elf();
  builder.symbols = {
      {std::string(255, 'a'), 0, 1}, {std::string(256, 'b'), 1, 1}, {std::string(1000, 'c'), 2, 1}};
  const Program program = expect_good(builder.build().bytes);
  ASSERT_EQ(program.symbols.size(), 3u);
  for (const Symbol& symbol : program.symbols) EXPECT_EQ(symbol.name.size(), 255u);
}

TEST(Elf, LosesOnlyTheSymbolsWhenSectionHeadersAreBroken) {
  const auto expect_stripped = [](const char* what, auto damage) {
    SCOPED_TRACE(what);
    ElfFile file = sample_elf().build();
    damage(file);
    const Program program = expect_good(file.bytes);
    EXPECT_EQ(program.functions.size(), 3u);
    EXPECT_TRUE(program.symbols.empty());
  };
  const auto header = [](auto change) { return [change](ElfFile& file) { file.edit_header(change); }; };
  const auto section = [](size_t i, auto change) {
    return [i, change](ElfFile& file) { file.edit_section(i, change); };
  };
  constexpr size_t kSymbols = ElfBuilder::kSymbolTable;
  constexpr size_t kStrings = ElfBuilder::kStringTable;
  expect_stripped("no sections", header([](Elf64_Ehdr& h) { h.e_shnum = 0; }));
  expect_stripped("too many", header([](Elf64_Ehdr& h) { h.e_shnum = 0xffff; }));
  expect_stripped("offset", header([](Elf64_Ehdr& h) { h.e_shoff = ~uint64_t{0}; }));
  expect_stripped("entry size", header([](Elf64_Ehdr& h) { h.e_shentsize = 40; }));
  expect_stripped("no symbol table", section(kSymbols, [](Elf64_Shdr& s) { s.sh_type = SHT_PROGBITS; }));
  expect_stripped("symbol size", section(kSymbols, [](Elf64_Shdr& s) { s.sh_entsize = 16; }));
  expect_stripped("symbols outside", section(kSymbols, [](Elf64_Shdr& s) { s.sh_size = ~uint64_t{0}; }));
  expect_stripped("link outside", section(kSymbols, [](Elf64_Shdr& s) { s.sh_link = 3; }));
  expect_stripped("link to no strings", section(kSymbols, [](Elf64_Shdr& s) { s.sh_link = 0; }));
  expect_stripped("strings outside", section(kStrings, [](Elf64_Shdr& s) { s.sh_offset = 1u << 30; }));
  expect_stripped("no strings", section(kStrings, [](Elf64_Shdr& s) { s.sh_size = 0; }));
}

TEST(Elf, SkipsASymbolWhoseNameIsOutsideOrDoesNotEnd) {
  ElfFile file = sample_elf().build();
  file.edit_symbol(1, [](Elf64_Sym& symbol) { symbol.st_name = 0xffffffff; });
  file.edit_section(ElfBuilder::kStringTable, [](Elf64_Shdr& section) { section.sh_size -= 1; });
  const Program program = expect_good(file.bytes);
  ASSERT_EQ(program.symbols.size(), 1u);
  EXPECT_EQ(program.symbols[0].name, "_start");
}

TEST(Elf, GivesUpSymbolsWhoseNamesExceedTheFile) {
  ElfBuilder builder = sample_elf();
  builder.symbols.clear();
  for (uint64_t i = 0; i < ElfBuilder::kCodeSize; ++i) builder.symbols.push_back({"x", i, 1});
  builder.symbols.push_back({std::string(255, 'n'), 0, 0});
  ElfFile file = builder.build();
  EXPECT_EQ(expect_good(file.bytes).symbols.size(), ElfBuilder::kCodeSize);
  const uint32_t shared = file.get<Elf64_Sym>(file.symbols_offset + 33 * sizeof(Elf64_Sym)).st_name;
  for (size_t i = 1; i <= 32; ++i) file.edit_symbol(i, [&](Elf64_Sym& symbol) { symbol.st_name = shared; });
  EXPECT_TRUE(expect_good(file.bytes).symbols.empty());
}

}  // namespace
}  // namespace glint::core
