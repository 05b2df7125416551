// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a snapshot's file, written and read; and files of the fake's guests, saved and loaded. With
// real guests: tests/kvm/snapshot_files_test.cpp.

#include "sandbox/snapshot_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "base/file.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/snapshot_state.hpp"
#include "unit/elf_builder.hpp"
#include "unit/snapshot_bytes.hpp"

namespace glint::test {
namespace {

using namespace glint::core;
namespace fs = std::filesystem;

// ---- the parts ----

TEST(Hashing, PiecesAreAsOne) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(100'000);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  Hasher hasher;
  for (size_t size : {size_t{0}, size_t{1}, size_t{240}, size_t{241}, size_t{4096}, bytes.size()}) {
    const auto part = std::span<const std::byte>(bytes).first(size);
    for (size_t at = 0; at < size; at += 4096)
      hasher.add(part.subspan(at, std::min<size_t>(4096, size - at)));
    EXPECT_EQ(hasher.finish64(), hash64(part)) << size;
  }
  hasher.add(bytes);
  const Hash128 first = hasher.finish128();
  bytes[50'000] ^= std::byte{1};
  hasher.add(bytes);
  EXPECT_NE(hasher.finish128(), first);
}

TEST(CpuFeatures, AreReadFromTheirLeavesOnly) {
  std::array<CpuidAnswer, kFeatureQueries.size()> answers{};
  EXPECT_TRUE(CpuFeatures::of(answers).empty());
  answers[0].eax = 0xd;
  answers[1].ecx = 1u << 28;
  answers[2].ebx = 1u << 5;
  EXPECT_EQ(CpuFeatures::of(answers).names(), "AVX, AVX2");
  // Leaf 7 has no subleaf 1, and there are no extended ones: what is answered for them means nothing.
  answers[3].eax = ~0u;
  answers[7].ecx = ~0u;
  EXPECT_EQ(CpuFeatures::of(answers).names(), "AVX, AVX2");
  answers[2].eax = 1;
  answers[3].eax = 1u << 4;
  answers[6].eax = 0x80000001;
  answers[7].ecx = 1u << 5;
  const CpuFeatures all = CpuFeatures::of(answers);
  EXPECT_EQ(all.names(), "AVX, AVX2, AVX-VNNI, LZCNT");
  answers[0].eax = 1;
  EXPECT_EQ(all.without(CpuFeatures::of(answers)).names(), "AVX2, AVX-VNNI");
  EXPECT_EQ(CpuFeatures({0, uint64_t{1} << 63}).names(), "feature 127");
}

class PortableStates : public testing::Test {
 protected:
  PortableStates() {
    layout.mappings.push_back({Region::kLibos, 0x400000, 0, 0x1000, true, false, true, false});
    layout.mappings.push_back({Region::kProgram, 0x500000, 0x1000, 0x1000, true, true, false, false});
    layout.mappings.push_back({Region::kSystem, 0x600000, 0x2000, 0x1000, false, false, true, false});
    state.registers.rip = 0x400010;
  }
  Result<VcpuState> again() const { return from_portable(state, layout, xsave, loadable); }
  glint_status code() const {
    auto result = again();
    return result ? GLINT_OK : result.error().code;
  }

  Layout layout;
  // AVX, and PKRU where AMD has it.
  XsaveLayout xsave{{{2, 576, 256}, {9, 2432, 8}}, 0xffff};
  uint64_t loadable = 0x7;
  PortableState state;
};

TEST_F(PortableStates, TheGuestWaitsInItsCode) {
  for (const uint64_t rip : {uint64_t{0x400000}, uint64_t{0x400fff}, uint64_t{0x401000}}) {
    state.registers.rip = rip;
    EXPECT_EQ(code(), GLINT_OK) << rip;
  }
  for (const uint64_t rip :
       {uint64_t{0x3fffff}, uint64_t{0x401001}, uint64_t{0x500000}, uint64_t{0x600000}, ~uint64_t{0}}) {
    state.registers.rip = rip;
    EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT) << rip;
  }
}

TEST_F(PortableStates, FlagsAreThoseThatRing3CanSet) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    state.registers.rflags = 0x2 | uint64_t{1} << bit;
    // SDM vol. 1, figure 3-8, without IF, IOPL, RF, VM, VIF and VIP.
    const bool good = bit == 0 || bit == 1 || bit == 2 || bit == 4 || (bit >= 6 && bit <= 8) || bit == 10 ||
                      bit == 11 || bit == 14 || bit == 18 || bit == 21;
    EXPECT_EQ(code(), good ? GLINT_OK : GLINT_E_SNAPSHOT_CORRUPT) << bit;
  }
  state.registers.rflags = 0;
  EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT) << "bit 1 is always set";
}

TEST_F(PortableStates, BasesAreCanonical) {
  for (const uint64_t base :
       {uint64_t{0}, uint64_t{0x7fffffffffff}, uint64_t{0xffff800000000000}, ~uint64_t{0}}) {
    state.fs_base = state.gs_base = base;
    EXPECT_EQ(code(), GLINT_OK) << base;
  }
  for (const uint64_t base : {uint64_t{0x800000000000}, uint64_t{0xffff7fffffffffff}, uint64_t{1} << 63}) {
    state.fs_base = base;
    state.gs_base = 0;
    EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT) << base;
    std::swap(state.fs_base, state.gs_base);
    EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT) << base;
  }
}

TEST_F(PortableStates, VectorsAreThoseOfThisProcessor) {
  auto& vectors = state.vectors.emplace();
  const auto set_mxcsr = [&](uint32_t value) {
    std::memcpy(vectors.legacy.data() + kMxcsrOffset, &value, sizeof value);
  };
  set_mxcsr(0x1f80);
  EXPECT_EQ(code(), GLINT_OK);
  set_mxcsr(0x20000);  // AMD's, which this one does not have
  EXPECT_EQ(code(), GLINT_E_SNAPSHOT_MACHINE);
  set_mxcsr(0x10000);  // nobody's
  EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT);
  set_mxcsr(0x1f80);
  vectors.components.push_back({2, std::vector<std::byte>(256, std::byte{5})});
  auto good = again();
  ASSERT_TRUE(good);
  const auto& area = (*good).vectors->xsave;
  EXPECT_EQ(area[576], std::byte{5});
  EXPECT_EQ(area[576 + 255], std::byte{5});
  EXPECT_EQ(area[576 + 256], std::byte{0});
  EXPECT_EQ(area[512], std::byte{7}) << "XSTATE_BV";
  vectors.components[0].bytes.resize(255);
  EXPECT_EQ(code(), GLINT_E_SNAPSHOT_CORRUPT);
  vectors.components[0] = {9, std::vector<std::byte>(8)};
  EXPECT_EQ(code(), GLINT_E_SNAPSHOT_MACHINE) << "the processor has it, the hypervisor does not take it";
  for (const uint32_t number : {0u, 1u, 5u, 17u, 62u, 63u, 64u, 0x80000002u}) {
    vectors.components[0].number = number;
    EXPECT_EQ(code(), GLINT_E_SNAPSHOT_MACHINE) << number;
  }
}

TEST_F(PortableStates, MoveBetweenLayouts) {
  VcpuState original;
  original.registers.rip = 0x400010;
  original.registers.rflags = 0x3246;  // IOPL and IF are the machine's
  original.fs_base = 0x1234000;
  auto vectors = std::make_shared<VectorState>();
  vectors->xsave[100] = std::byte{1};
  vectors->xsave[576] = std::byte{2};
  vectors->xsave[2432] = std::byte{3};
  vectors->xsave[512] = std::byte{7};  // PKRU is in its initial state
  original.vectors = vectors;
  state = to_portable(original, xsave);
  ASSERT_EQ(state.vectors->components.size(), 1u);
  xsave.components = {{2, 832, 256}};
  auto moved = again();
  ASSERT_TRUE(moved);
  EXPECT_EQ((*moved).registers.rflags, 0x46u);
  EXPECT_EQ((*moved).fs_base, 0x1234000u);
  EXPECT_EQ((*moved).vectors->xsave[100], std::byte{1});
  EXPECT_EQ((*moved).vectors->xsave[832], std::byte{2});
  EXPECT_EQ((*moved).vectors->xsave[2432], std::byte{0});
}

// ---- the head ----

SnapshotHead sample_head() {
  SnapshotHead head;
  head.image.glint_version = "9.9.9";
  head.image.abi_version = 1;
  head.image.memory_size = 2u << 20;
  head.image.stack_size = 65536;
  head.image.program.fill(std::byte{1});
  head.image.layout.fill(std::byte{4});
  Function function;
  function.name = "add";
  function.result = GLINT_ABI_I64;
  function.params = {GLINT_ABI_I64, GLINT_ABI_STRING};
  head.functions.push_back(function);
  function.kind = Function::Kind::kImport;
  function.index = 7;
  function.name = "ask";
  head.functions.push_back(function);
  head.backend = "kvm";
  head.features = CpuFeatures({3, 9});
  head.state.registers.rip = 0x400000;
  head.state.registers.r15 = 15;
  head.state.gs_base = 77;
  auto& vectors = head.state.vectors.emplace();
  vectors.legacy[400] = std::byte{8};
  vectors.components.push_back({2, std::vector<std::byte>(256, std::byte{6})});
  head.time_epoch = 12;
  head.runs = {{0, 1, 11}, {5, 3, 22}, {511, 1, 33}};
  return head;
}

uint64_t file_size_of(const std::vector<std::byte>& head) {
  return memory_offset_behind(head.size()) + (2u << 20);
}

TEST(SnapshotHeads, AreReadAsTheyWereWritten) {
  const SnapshotHead head = sample_head();
  const auto bytes = write_snapshot_head(head);
  auto size = snapshot_head_size(std::span(bytes).first(kSnapshotHeaderSize), file_size_of(bytes));
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, bytes.size());
  auto read = read_snapshot_head(bytes, file_size_of(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->image.glint_version, "9.9.9");
  EXPECT_EQ(read->image.program, head.image.program);
  EXPECT_EQ(read->image.layout, head.image.layout);
  EXPECT_EQ(read->image.stack_size, 65536u);
  ASSERT_EQ(read->functions.size(), 2u);
  EXPECT_EQ(read->functions[0].name, "add");
  EXPECT_TRUE(read->functions[0].same_signature(head.functions[0]));
  EXPECT_EQ(read->functions[1].index, 7u);
  EXPECT_EQ(read->functions[1].kind, Function::Kind::kImport);
  EXPECT_EQ(read->backend, "kvm");
  EXPECT_EQ(read->features, head.features);
  EXPECT_EQ(read->state.registers, head.state.registers);
  EXPECT_EQ(read->state.gs_base, 77u);
  EXPECT_EQ(read->state.vectors->legacy, head.state.vectors->legacy);
  EXPECT_EQ(read->state.vectors->components.at(0).bytes, head.state.vectors->components[0].bytes);
  EXPECT_EQ(read->time_epoch, 12u);
  ASSERT_EQ(read->runs.size(), 3u);
  EXPECT_EQ(read->runs[1].first, 5u);
  EXPECT_EQ(read->runs[1].count, 3u);
  EXPECT_EQ(read->runs[1].checksum, 22u);
  EXPECT_EQ(read->memory_offset, memory_offset_behind(bytes.size()));
  EXPECT_EQ(write_snapshot_head(*read), bytes);
}

TEST(SnapshotHeads, RunsLieInTheMemoryAndApart) {
  const std::vector<std::vector<PageRun>> bad = {
      {{512, 1, 0}},          {{0, 513, 0}},          {{0, 0, 0}},
      {{1, 2, 0}, {2, 1, 0}}, {{5, 1, 0}, {4, 1, 0}}, {{0xffffffff, 0xffffffff, 0}}};
  for (const auto& runs : bad) {
    SnapshotHead head = sample_head();
    head.runs = runs;
    const auto bytes = write_snapshot_head(head);
    auto read = read_snapshot_head(bytes, file_size_of(bytes));
    ASSERT_FALSE(read) << runs[0].first;
    EXPECT_EQ(read.error().code, GLINT_E_SNAPSHOT_CORRUPT);
  }
}

TEST(SnapshotHeads, SectionsThatMayBeSkippedAre) {
  const auto written = write_snapshot_head(sample_head());
  // The table of one more stands where the first section was: all move.
  SnapshotBytes file{written};
  const size_t end = SnapshotBytes::kHeader + 5 * SnapshotBytes::kEntry;
  file.bytes.insert(file.bytes.begin() + static_cast<ptrdiff_t>(end), SnapshotBytes::kEntry, std::byte{});
  file.set(12, uint32_t{6});
  for (const auto& section : file.sections()) {
    file.set(section.entry + 8, uint64_t{section.offset + SnapshotBytes::kEntry});
  }
  file.set(end, uint32_t{1000});
  file.set(end + 4, uint32_t{1});
  file.set(end + 8, uint64_t{end});
  file.set(16, uint64_t{file.bytes.size()});
  file.repair();
  auto read = read_snapshot_head(file.bytes, file_size_of(written));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->functions.size(), 2u);
  file.set(end + 4, uint32_t{0});
  file.repair();
  read = read_snapshot_head(file.bytes, file_size_of(written));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, GLINT_E_SNAPSHOT_VERSION);
}

// With good checksums, so that all of the reader is reached.
TEST(SnapshotHeads, AnyBytesGiveAHeadOrAnError) {
  const auto written = write_snapshot_head(sample_head());
  std::mt19937 random(7);
  uint32_t good = 0;
  for (int round = 0; round < 20'000; ++round) {
    SnapshotBytes file{written};
    for (uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const size_t at = random() % file.bytes.size();
      file.bytes[at] = static_cast<std::byte>(random() % 4 == 0 ? 0xff : random());
    }
    file.repair();
    const uint64_t file_size = file_size_of(written);
    auto size = snapshot_head_size(std::span(file.bytes).first(kSnapshotHeaderSize), file_size);
    if (!size) continue;
    ASSERT_LE(*size, kMaxSnapshotHead);
    file.bytes.resize(*size);
    auto read = read_snapshot_head(file.bytes, file_size);
    if (read) {
      ++good;
      // What was read can be written, and is the same then.
      auto again = read_snapshot_head(write_snapshot_head(*read), file_size_of(write_snapshot_head(*read)));
      ASSERT_TRUE(again) << again.error().message;
    } else {
      EXPECT_LE(read.error().code, GLINT_E_SNAPSHOT_FORMAT);
      EXPECT_GE(read.error().code, GLINT_E_SNAPSHOT_VERSION);
    }
  }
  EXPECT_GT(good, 1000u);
}

// ---- files of the fake's guests ----

class SnapshotFilesOfTheFake : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "glint-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = (directory / "snapshot").string();
  }
  ~SnapshotFilesOfTheFake() override { fs::remove_all(directory); }

  static std::shared_ptr<Image> image(EngineOptions::Backend backend = EngineOptions::Backend::kFake) {
    ElfBuilder builder;
    builder.functions = {elf_function(GLINT_ABI_EXPORT, "echo", GLINT_ABI_I64, {GLINT_ABI_I64})};
    LayoutOptions options;
    options.memory_size = 2u << 20;
    options.stack_size = 64u << 10;
    EngineOptions engine_options;
    engine_options.backend = backend;
    return Image::load(Engine::create(engine_options).value(), builder.build().bytes, options).value();
  }
  static std::shared_ptr<const Snapshot> taken() {
    return Sandbox::create(image(), nullptr, {}).value()->snapshot().value();
  }

  fs::path directory;
  std::string path;
};

TEST_F(SnapshotFilesOfTheFake, AreSavedAndLoaded) {
  ASSERT_TRUE(save_snapshot(*taken(), path));
  auto snapshot = load_snapshot(image(), path);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  auto sandbox = Sandbox::create(*snapshot, nullptr, {}).value();
  const std::vector<Value> arguments = {Value::scalar(GLINT_ABI_I64, 41)};
  auto result = sandbox->call(0, arguments);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->bits, 41u);
  EXPECT_EQ(sandbox->counters().exits, 1u) << "it did not start again";
}

TEST_F(SnapshotFilesOfTheFake, NeedAnEngineThatRunsGuests) {
  ASSERT_TRUE(save_snapshot(*taken(), path));
  auto refused = load_snapshot(image(EngineOptions::Backend::kNone), path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, GLINT_E_NO_HYPERVISOR);
}

TEST_F(SnapshotFilesOfTheFake, WhatCannotBeWrittenLeavesNothing) {
  const auto snapshot = taken();
  auto saved = save_snapshot(*snapshot, (directory / "no" / "such").string());
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, GLINT_E_SYSTEM);
  fs::create_directory(path);
  saved = save_snapshot(*snapshot, path);
  ASSERT_FALSE(saved) << "a directory is not replaced";
  EXPECT_EQ(saved.error().code, GLINT_E_SYSTEM);
  saved = save_snapshot(*snapshot, "");
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1);
}

TEST_F(SnapshotFilesOfTheFake, AFifoIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  auto refused = load_snapshot(image(), path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, GLINT_E_SNAPSHOT_FORMAT);
}

TEST_F(SnapshotFilesOfTheFake, SavedTwiceAreTheSameBytes) {
  const auto snapshot = taken();
  const std::string other = (directory / "other").string();
  ASSERT_TRUE(save_snapshot(*snapshot, path));
  ASSERT_TRUE(save_snapshot(*snapshot, other));
  EXPECT_TRUE(SnapshotBytes::of_file(path).bytes == SnapshotBytes::of_file(other).bytes);
}

}  // namespace
}  // namespace glint::test
