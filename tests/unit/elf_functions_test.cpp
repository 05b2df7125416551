// SPDX-License-Identifier: Apache-2.0
#include "image/elf.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "elf_expect.hpp"

namespace glint::core {
namespace {

using test::elf_function;
using test::ElfBuilder;
using test::ElfBytes;
using test::ElfFile;
using test::expect_good;
using test::expect_refused;
using test::sample_elf;
using test::with_function;
using test::with_note;

// ---- the function table
// -------------------------------------------------------------------------------------------

TEST(Elf, ReadsExportsAndImports) {
  const Program program = expect_good(sample_elf().build().bytes);
  ASSERT_EQ(program.functions.size(), 3u);
  EXPECT_EQ(program.functions[0].name, "add");
  EXPECT_EQ(program.functions[0].kind, Function::Kind::kExport);
  EXPECT_EQ(program.functions[0].index, 0u);
  EXPECT_EQ(program.functions[1].name, "progress");
  EXPECT_EQ(program.functions[1].kind, Function::Kind::kImport);
  EXPECT_EQ(program.functions[1].index, 2u);  // the padding entry counts
  EXPECT_EQ(signature_text(program.functions[0]), "(i64, i64) -> i64");
  EXPECT_EQ(signature_text(program.functions[1]), "(u32) -> void");
  EXPECT_EQ(signature_text(program.functions[2]), "(string, bytes, f64) -> bytes");
  EXPECT_EQ(program.find_export("shrink"), &program.functions[2]);
  EXPECT_EQ(program.find_export("progress"), nullptr);
  EXPECT_EQ(program.find_export("absent"), nullptr);
}

TEST(Elf, NamesEveryType) {
  const std::pair<glint_abi_type, std::string_view> names[] = {
      {GLINT_ABI_VOID, "void"},   {GLINT_ABI_BOOL, "bool"},    {GLINT_ABI_I32, "i32"}, {GLINT_ABI_U32, "u32"},
      {GLINT_ABI_I64, "i64"},     {GLINT_ABI_U64, "u64"},      {GLINT_ABI_F32, "f32"}, {GLINT_ABI_F64, "f64"},
      {GLINT_ABI_BYTES, "bytes"}, {GLINT_ABI_STRING, "string"}};
  for (const auto& [type, name] : names) EXPECT_EQ(type_name(type), name);
  EXPECT_EQ(signature_text(Function{}), "() -> void");
}

TEST(Elf, TakesAProgramWithoutANote) {
  ElfBuilder builder = sample_elf();
  builder.with_note = false;
  EXPECT_TRUE(expect_good(builder.build().bytes).functions.empty());
}

TEST(Elf, TakesAnEmptyFunctionTable) {
  ElfBuilder builder = sample_elf();
  builder.functions.clear();
  EXPECT_TRUE(expect_good(builder.build().bytes).functions.empty());
}

TEST(Elf, ReadsNotesAlignedTo8Bytes) {
  ElfBuilder builder = sample_elf();
  builder.note_alignment = 8;
  EXPECT_EQ(expect_good(builder.build().bytes).functions.size(), 3u);
}

// A note segment of its own, at the end of the file and not loaded.
ElfFile with_notes(const ElfBytes& notes, size_t times = 1) {
  ElfBuilder builder = sample_elf();
  builder.extra.resize(times);
  builder.extra_bytes = notes;
  for (Elf64_Phdr& header : builder.extra) {
    header.p_type = PT_NOTE;
    header.p_offset = builder.extra_offset();
    header.p_filesz = notes.size();
    header.p_align = 4;
  }
  return builder.build();
}

ElfBytes note_bytes(std::string_view owner, uint32_t type, size_t descriptor_size) {
  const Elf64_Nhdr header{static_cast<uint32_t>(owner.size()), static_cast<uint32_t>(descriptor_size), type};
  const uint64_t name_size = (owner.size() + 3) / 4 * 4;
  ElfBytes bytes(sizeof(header) + name_size + (descriptor_size + 3) / 4 * 4);
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), owner.data(), owner.size());
  return bytes;
}

TEST(Elf, StepsOverNotesOfOthers) {
  using namespace std::string_view_literals;
  ElfBytes notes;
  for (const ElfBytes& note :
       {note_bytes("GNU\0"sv, 1, 17), note_bytes("", 1, 0), note_bytes("Glint\0"sv, 99, 5),
        note_bytes("Glint"sv, 1, 5), note_bytes("Glinu\0"sv, 1, 5)}) {
    notes.insert(notes.end(), note.begin(), note.end());
  }
  notes.resize(notes.size() + 11);  // less than a header: padding
  EXPECT_EQ(expect_good(with_notes(notes).bytes).functions.size(), 3u);
  EXPECT_EQ(expect_good(with_notes(notes, 15).bytes).functions.size(), 3u);
  expect_refused(with_notes(notes, 16).bytes, GLINT_E_IMAGE_SEGMENTS, {"more than 16 note segments"});
}

TEST(Elf, RefusesNotesThatAreCut) {
  ElfFile file = sample_elf().build();
  file.edit_program(ElfBuilder::kNote, [&](Elf64_Phdr& header) { header.p_filesz = file.bytes.size(); });
  expect_refused(file.bytes, GLINT_E_IMAGE_TRUNCATED, {"notes of segment 3"});
  file.edit_program(ElfBuilder::kNote, [](Elf64_Phdr& header) { header.p_filesz = 43; });
  expect_refused(file.bytes, GLINT_E_IMAGE_TRUNCATED, {"the note at offset", "segment 3"});

  for (const bool name : {true, false}) {
    ElfFile wrong = sample_elf().build();
    wrong.edit<Elf64_Nhdr>(wrong.note_offset,
                           [&](Elf64_Nhdr& note) { (name ? note.n_namesz : note.n_descsz) = 0xffffffff; });
    expect_refused(wrong.bytes, GLINT_E_IMAGE_TRUNCATED, {"the note at offset", "segment 3"});
  }
}

TEST(Elf, RefusesTwoGlintNotes) {
  const ElfFile once = sample_elf().build();
  const auto begin = once.bytes.begin() + static_cast<ptrdiff_t>(once.note_offset);
  const ElfBytes note(begin, begin + 44);
  expect_refused(with_notes(note).bytes, GLINT_E_IMAGE_FUNCTIONS, {"more than one Glint note"});
}

TEST(Elf, RefusesAnotherAbiVersionAndSaysWhatToDo) {
  expect_refused(with_note([](glint_abi_note& note) { note.abi_version = 7; }).bytes, GLINT_E_IMAGE_ABI,
                 {"version 7", "version 1", "rebuild"});
}

TEST(Elf, RefusesANoteOrEntriesOfAnotherSize) {
  expect_refused(with_note([](glint_abi_note& note) { note.function_size = 120; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"120", "112"});
  ElfFile file = sample_elf().build();
  file.edit<Elf64_Nhdr>(file.note_offset, [](Elf64_Nhdr& note) { note.n_descsz = 20; });
  expect_refused(file.bytes, GLINT_E_IMAGE_FUNCTIONS, {"20 bytes", "24"});
  file.edit<Elf64_Nhdr>(file.note_offset, [](Elf64_Nhdr& note) { note.n_descsz = 0; });
  expect_refused(file.bytes, GLINT_E_IMAGE_FUNCTIONS, {"0 bytes"});
}

TEST(Elf, RefusesAFunctionTableInTheWrongPlace) {
  expect_refused(
      with_note([](glint_abi_note& note) { note.functions_end = note.functions_begin - 112; }).bytes,
      GLINT_E_IMAGE_FUNCTIONS, {"ends before it begins"});
  expect_refused(with_note([](glint_abi_note& note) { note.functions_end -= 1; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"whole number"});
  expect_refused(with_note([](glint_abi_note& note) { note.functions_end += 112; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"initialized part"});
  const auto moved = [](int64_t distance) {
    return with_note([distance](glint_abi_note& note) {
             note.functions_begin += distance;
             note.functions_end += distance;
           })
        .bytes;
  };
  expect_refused(moved(-0x1000), GLINT_E_IMAGE_FUNCTIONS, {"initialized part"});  // before the first segment
  expect_refused(moved(0x3000), GLINT_E_IMAGE_FUNCTIONS, {"initialized part"});   // in the zeros of the last
  expect_refused(moved(INT64_MAX - 4096), GLINT_E_IMAGE_FUNCTIONS, {"initialized part"});
  expect_refused(with_note([](glint_abi_note& note) {
                   note.functions_begin = INT64_MIN;
                   note.functions_end = INT64_MAX;
                 }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"the function table"});
}

TEST(Elf, TakesUpTo4096Functions) {
  ElfBuilder builder;
  for (unsigned i = 0; i < GLINT_ABI_MAX_FUNCTIONS; ++i) {
    builder.functions.push_back(elf_function(GLINT_ABI_EXPORT, "f" + std::to_string(i), GLINT_ABI_VOID, {}));
  }
  const Program program = expect_good(builder.build().bytes);
  ASSERT_EQ(program.functions.size(), GLINT_ABI_MAX_FUNCTIONS);
  EXPECT_EQ(program.functions.back().index, GLINT_ABI_MAX_FUNCTIONS - 1);
  builder.functions.push_back(elf_function(GLINT_ABI_EXPORT, "last", GLINT_ABI_VOID, {}));
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_FUNCTIONS, {"4097", "4096"});
}

TEST(Elf, RefusesAnEntryOfUnknownKind) {
  expect_refused(with_function(0, [](glint_abi_function& function) { function.kind = 3; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"entry 0", "kind 3"});
}

TEST(Elf, ChecksTheTypesOfFunctions) {
  expect_refused(with_function(2, [](glint_abi_function& function) { function.result = 10; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"entry 2 (progress)", "result", "type 10"});
  expect_refused(with_function(0, [](glint_abi_function& function) { function.params[1] = 200; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"entry 0 (add)", "parameter 2", "type 200"});
  expect_refused(
      with_function(0, [](glint_abi_function& function) { function.params[0] = GLINT_ABI_VOID; }).bytes,
      GLINT_E_IMAGE_FUNCTIONS, {"parameter 1 is void"});
  expect_refused(
      with_function(0, [](glint_abi_function& function) { function.params[31] = GLINT_ABI_I32; }).bytes,
      GLINT_E_IMAGE_FUNCTIONS, {"parameter 32", "beyond the parameter count"});
  expect_refused(with_function(0, [](glint_abi_function& function) { function.param_count = 33; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"33 parameters"});
}

TEST(Elf, Takes32Parameters) {
  const ElfFile file = with_function(0, [](glint_abi_function& function) {
    function.param_count = 32;
    std::memset(function.params, GLINT_ABI_BOOL, sizeof(function.params));
  });
  EXPECT_EQ(expect_good(file.bytes).functions[0].params.size(), 32u);
}

TEST(Elf, RefusesReservedBytesThatAreNotZero) {
  expect_refused(with_function(3, [](glint_abi_function& function) { function.reserved[4] = 1; }).bytes,
                 GLINT_E_IMAGE_FUNCTIONS, {"entry 3 (shrink)", "reserved"});
}

TEST(Elf, ChecksTheNamesOfFunctions) {
  const auto named = [](std::string_view name) {
    return with_function(0,
                         [name](glint_abi_function& function) {
                           std::memset(function.name, 0, sizeof(function.name));
                           name.copy(function.name, sizeof(function.name));
                         })
        .bytes;
  };
  EXPECT_EQ(expect_good(named("_ns::f-1.x")).functions[0].name, "_ns::f-1.x");
  EXPECT_EQ(expect_good(named(std::string(63, 'n'))).functions[0].name.size(), 63u);
  expect_refused(named(std::string(64, 'n')), GLINT_E_IMAGE_FUNCTIONS, {"entry 0", "NUL", "63"});
  expect_refused(named(""), GLINT_E_IMAGE_FUNCTIONS, {"entry 0", "no name"});
  for (const std::string_view bad : {"1st", "a b", "-a", "a\x1b[2J", "\xc3\xa4", "a/b"}) {
    expect_refused(named(bad), GLINT_E_IMAGE_FUNCTIONS, {"entry 0", "must begin with a letter"});
    EXPECT_EQ(parse_program(named(bad)).error().message.find('\x1b'), std::string::npos);
  }
}

TEST(Elf, RefusesTwoExportsOfOneName) {
  ElfBuilder builder = sample_elf();
  builder.functions.push_back(
      elf_function(GLINT_ABI_EXPORT, "add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}));
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_FUNCTIONS, {"entries 0 and 4", "export add"});
}

TEST(Elf, TakesAnImportTwiceOnlyIfItsSignaturesAgree) {
  ElfBuilder builder = sample_elf();
  builder.functions.push_back(elf_function(GLINT_ABI_IMPORT, "progress", GLINT_ABI_VOID, {GLINT_ABI_U32}));
  EXPECT_EQ(expect_good(builder.build().bytes).functions.size(), 4u);
  builder.functions.back() = elf_function(GLINT_ABI_IMPORT, "progress", GLINT_ABI_VOID, {GLINT_ABI_U64});
  expect_refused(builder.build().bytes, GLINT_E_IMAGE_FUNCTIONS,
                 {"function table entries 2 and 4", "import progress", "(u32) -> void", "(u64) -> void"});
}

TEST(Elf, LetsAnExportAndAnImportShareAName) {
  ElfBuilder builder = sample_elf();
  builder.functions.push_back(elf_function(GLINT_ABI_IMPORT, "add", GLINT_ABI_VOID, {}));
  const Program program = expect_good(builder.build().bytes);
  EXPECT_EQ(program.find_export("add"), &program.functions[0]);
}

}  // namespace
}  // namespace glint::core
