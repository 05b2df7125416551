// SPDX-License-Identifier: Apache-2.0
//
// Snapshots in files: real guests go on from them, and no file does the host any harm.

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "arch/x86_64/xsave_layout.hpp"
#include "kvm/fixture.hpp"
#include "sandbox/snapshot.hpp"
#include "sandbox/snapshot_file.hpp"
#include "unit/snapshot_bytes.hpp"

namespace glint::test {
namespace {

namespace fs = std::filesystem;

class SnapshotFiles : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::string name = (fs::temp_directory_path() / "glint-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = (directory / "snapshot").string();
    image = fresh_image();
  }
  void TearDown() override {
    if (!directory.empty()) fs::remove_all(directory);
  }

  // As another process would: nothing is shared with what there is but the hypervisor.
  static std::shared_ptr<Image> fresh_image(uint64_t memory_size = 8u << 20) {
    LayoutOptions options;
    options.memory_size = memory_size;
    return load_image(make_engine(2), "dirt", options);
  }
  static std::shared_ptr<const Snapshot> take(Sandbox& sandbox) {
    auto taken = sandbox.snapshot();
    if (!taken) throw std::runtime_error(taken.error().message);
    return *taken;
  }
  // A snapshot of a guest that has done something.
  std::shared_ptr<const Snapshot> prepared() const {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(succeeded(call_void(*sandbox, "prepare")));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 1u));
    return take(*sandbox);
  }
  static std::unique_ptr<Sandbox> from(const std::shared_ptr<const Snapshot>& snapshot,
                                       SandboxOptions options = {}) {
    auto sandbox = Sandbox::create(snapshot, nullptr, std::move(options));
    if (!sandbox) throw std::runtime_error(sandbox.error().message);
    return std::move(*sandbox);
  }
  static std::shared_ptr<const Snapshot> loaded(const std::shared_ptr<Image>& image,
                                                const std::string& path) {
    auto snapshot = load_snapshot(image, path);
    if (!snapshot) throw std::runtime_error(snapshot.error().message);
    return *snapshot;
  }
  SnapshotBytes saved_bytes() const {
    EXPECT_TRUE(succeeded(save_snapshot(*prepared(), path)));
    return SnapshotBytes::of_file(path);
  }
  // What loading a file of these bytes gives.
  Result<std::shared_ptr<const Snapshot>> load_bytes(const SnapshotBytes& bytes) const {
    const std::string name = (directory / "bytes").string();
    ::unlink(name.c_str());
    bytes.to_file(name);
    ::chmod(name.c_str(), 0400);
    return load_snapshot(image, name);
  }
  static bool is_mapped(const std::string& file) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.ends_with(file)) return true;
    }
    return false;
  }

  fs::path directory;
  std::string path;
  std::shared_ptr<Image> image;
};

struct Seen {
  Bytes memory, vectors;
  Registers registers;
  uint64_t fs_base = 0, gs_base = 0;
  bool operator==(const Seen&) const = default;
};

Seen look_at(Sandbox& sandbox) {
  Seen seen;
  EXPECT_TRUE(succeeded(
      sandbox.inspect([&](std::span<const std::byte> memory, const VcpuState& state, const auto&...) {
        seen.memory.assign(memory.begin(), memory.end());
        seen.vectors.assign(state.vectors->xsave.begin(), state.vectors->xsave.end());
        seen.registers = state.registers;
        seen.fs_base = state.fs_base;
        seen.gs_base = state.gs_base;
      })));
  return seen;
}

TEST_F(SnapshotFiles, AGuestGoesOnWithoutItsStartUpCode) {
  const auto original = prepared();
  ASSERT_TRUE(succeeded(save_snapshot(*original, path)));
  const auto snapshot = loaded(fresh_image(), path);
  EXPECT_EQ(snapshot->frozen.memory->page_count(), original->frozen.memory->page_count());
  auto sandbox = from(snapshot), other = from(snapshot);
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u)) << "as the original goes on";
  EXPECT_EQ(sandbox->counters().exits, 1u) << "the call's: the program did not start";
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 3u));
  EXPECT_TRUE(gave(call<uint64_t>(*other, "count"), 2u));
}

TEST_F(SnapshotFiles, NotAByteAndNotARegisterDiffers) {
  const auto original = prepared();
  ASSERT_TRUE(succeeded(save_snapshot(*original, path)));
  const Seen expected = look_at(*from(original));
  const Seen seen = look_at(*from(loaded(fresh_image(), path)));
  EXPECT_TRUE(seen.memory == expected.memory);
  for (size_t i = 0; i < expected.vectors.size(); ++i) {
    // XSTATE_BV may leave x87 and SSE out while they are in their initial state; a loaded state names them,
    // with the same contents.
    const auto mask = std::byte{i == kXstateBvOffset ? uint8_t{0xfc} : uint8_t{0xff}};
    EXPECT_EQ(seen.vectors[i] & mask, expected.vectors[i] & mask) << i;
  }
  EXPECT_TRUE(expected.registers == original->frozen.state.registers);
  EXPECT_TRUE(seen.registers == expected.registers);
  EXPECT_EQ(seen.fs_base, expected.fs_base);
  EXPECT_EQ(seen.gs_base, expected.gs_base);
}

TEST_F(SnapshotFiles, ALoadedOneIsASnapshotLikeAnyOther) {
  ASSERT_TRUE(succeeded(save_snapshot(*prepared(), path)));
  const auto second_image = fresh_image();
  const auto snapshot = loaded(second_image, path);
  auto sandbox = from(snapshot);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
    EXPECT_TRUE(succeeded(call<uint64_t>(*sandbox, "touch", 100u)));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  }
  SandboxOptions isolated;
  isolated.restore_each_call = true;
  auto each = from(snapshot, isolated);
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(gave(call<uint64_t>(*each, "count"), 2u));
  // One of it, in another file, and that after the first is gone.
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  const std::string next = (directory / "next").string();
  ASSERT_TRUE(succeeded(save_snapshot(*take(*sandbox), next)));
  fs::remove(path);
  EXPECT_TRUE(gave(call<uint64_t>(*from(loaded(fresh_image(), next)), "count"), 3u));
  EXPECT_TRUE(gave(call<uint64_t>(*from(snapshot), "count"), 2u)) << "what is removed stays for who has it";
}

// A later snapshot of a large guest shares what has not changed with the one before. Its sandboxes run, are
// parked in parts, and are saved whole.
TEST_F(SnapshotFiles, OneThatSharesPagesWithAnotherIsAsGood) {
  const auto load = [] {
    LayoutOptions options;
    options.memory_size = 64u << 20;
    return load_image(make_engine(1), "secret", options);
  };
  image = load();
  auto sandbox = make_sandbox(image);
  ASSERT_TRUE(succeeded(call_void(*sandbox, "spread", uint64_t{8192})));  // 32 MiB
  auto snapshot = take(*sandbox);
  EXPECT_EQ(snapshot->frozen.memory->segments().size(), 1u);
  for (uint64_t generation = 1; generation <= 3; ++generation) {
    const auto next = from(snapshot);
    EXPECT_TRUE(gave(call<uint64_t>(*next, "count"), generation));
    snapshot = take(*next);
    EXPECT_GT(snapshot->frozen.memory->segments().size(), 1u);
  }
  const auto one = from(snapshot), two = from(snapshot);
  for (uint64_t turn = 4; turn < 8; ++turn) {
    EXPECT_TRUE(gave(call<uint64_t>(*one, "count"), turn));
    EXPECT_TRUE(gave(call<uint64_t>(*two, "count"), turn));
  }
  EXPECT_GE(one->counters().attaches, 4u);
  ASSERT_TRUE(succeeded(one->restore(nullptr)));
  EXPECT_TRUE(gave(call<uint64_t>(*one, "count"), 4u));

  const Seen expected = look_at(*from(snapshot));
  ASSERT_TRUE(succeeded(save_snapshot(*snapshot, path)));
  const auto again = loaded(load(), path);
  EXPECT_EQ(again->frozen.memory->segments().size(), 1u);
  EXPECT_EQ(again->frozen.memory->page_count(), snapshot->frozen.memory->page_count());
  EXPECT_TRUE(look_at(*from(again)).memory == expected.memory);
  EXPECT_TRUE(gave(call<uint64_t>(*from(again), "count"), 4u));
}

TEST_F(SnapshotFiles, RandomBytesDifferAndClocksGoOn) {
  ASSERT_TRUE(succeeded(save_snapshot(*prepared(), path)));
  const auto one = loaded(fresh_image(), path), other = loaded(fresh_image(), path);
  std::set<uint64_t> drawn;
  for (const auto& snapshot : {one, other}) {
    for (int i = 0; i < 4; ++i) {
      auto word = call<uint64_t>(*from(snapshot), "random_word");
      ASSERT_TRUE(succeeded(word));
      drawn.insert(*word);
    }
  }
  EXPECT_EQ(drawn.size(), 8u);
  const auto now = [] {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  const uint64_t before = now();
  auto seen = call<uint64_t>(*from(one), "monotonic_ns");
  ASSERT_TRUE(succeeded(seen));
  // The guest reckons from its TSC: a millisecond of tolerance for the frequency.
  EXPECT_GT(*seen + 1'000'000, before);
  EXPECT_LT(*seen, now() + 1'000'000);
}

TEST_F(SnapshotFiles, AFileTakesItsPagesAndOnlyItsOwnerReadsIt) {
  const auto original = prepared();
  ASSERT_TRUE(succeeded(save_snapshot(*original, path)));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0400u);
  EXPECT_GT(status.st_size, 8 << 20);
  EXPECT_LT(static_cast<uint64_t>(status.st_blocks) * 512,
            (original->frozen.memory->page_count() + 16) * kPageSize);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1) << "nothing else is left";
}

TEST_F(SnapshotFiles, AFileThatLostItsHolesIsAsGood) {
  const SnapshotBytes bytes = saved_bytes();
  auto snapshot = load_bytes(bytes);
  ASSERT_TRUE(succeeded(snapshot));
  EXPECT_LT((*snapshot)->frozen.memory->page_count(), 200u);
  EXPECT_TRUE(gave(call<uint64_t>(*from(*snapshot), "count"), 2u));
}

TEST_F(SnapshotFiles, AFileThatIsReplacedStaysForWhoHasIt) {
  ASSERT_TRUE(succeeded(save_snapshot(*prepared(), path)));
  const auto first = loaded(fresh_image(), path);
  auto sandbox = from(loaded(image, path));
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  ASSERT_TRUE(succeeded(save_snapshot(*take(*sandbox), path)));
  EXPECT_TRUE(gave(call<uint64_t>(*from(first), "count"), 2u));
  EXPECT_TRUE(gave(call<uint64_t>(*from(loaded(image, path)), "count"), 3u));
}

TEST_F(SnapshotFiles, IsMappedUnlessOthersMayWriteToIt) {
  ASSERT_TRUE(succeeded(save_snapshot(*prepared(), path)));
  {
    const auto snapshot = loaded(image, path);
    EXPECT_TRUE(is_mapped(path));
  }
  ::chmod(path.c_str(), 0666);
  const auto snapshot = loaded(image, path);
  EXPECT_FALSE(is_mapped(path));
  // Whatever others do to it.
  ASSERT_EQ(::truncate(path.c_str(), 0), 0);
  auto sandbox = from(snapshot);
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  EXPECT_TRUE(succeeded(sandbox->restore(nullptr)));
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
}

// ---- files that are not good ----

TEST_F(SnapshotFiles, WhatIsNoSnapshotIsRefused) {
  EXPECT_TRUE(failed_with(load_snapshot(image, (directory / "missing").string()), GLINT_E_SYSTEM));
  EXPECT_TRUE(failed_with(load_snapshot(image, directory.string()), GLINT_E_SNAPSHOT_FORMAT, "directory"));
  EXPECT_TRUE(failed_with(load_snapshot(image, "/dev/null"), GLINT_E_SNAPSHOT_FORMAT, "no regular file"));
  EXPECT_TRUE(failed_with(load_snapshot(image, guest_path("dirt")), GLINT_E_SNAPSHOT_FORMAT));
  EXPECT_TRUE(failed_with(load_bytes({}), GLINT_E_SNAPSHOT_FORMAT, "empty"));
  EXPECT_TRUE(failed_with(load_bytes(SnapshotBytes(pattern_bytes(100'000))), GLINT_E_SNAPSHOT_FORMAT));
}

TEST_F(SnapshotFiles, OneThatIsCutOffIsTruncated) {
  const SnapshotBytes whole = saved_bytes();
  std::set<size_t> ends = {1,
                           8,
                           11,
                           63,
                           64,
                           whole.memory() - 1,
                           whole.memory(),
                           whole.memory() + 4096,
                           whole.bytes.size() - 4096,
                           whole.bytes.size() - 1};
  for (const auto& section : whole.sections()) {
    ends.insert({section.entry, section.entry + 31, section.offset, section.offset + 1,
                 section.offset + section.size - 1, section.offset + section.size});
  }
  for (const size_t end : ends) {
    SnapshotBytes cut = whole;
    cut.bytes.resize(end);
    EXPECT_TRUE(failed_with(load_bytes(cut), GLINT_E_SNAPSHOT_TRUNCATED)) << "at " << end;
  }
}

TEST_F(SnapshotFiles, AFlippedBitIsFoundWhereverItIs) {
  const SnapshotBytes whole = saved_bytes();
  const size_t page =
      whole.memory() + whole.get<uint32_t>(whole.section(SnapshotBytes::kPages).offset) * 4096;
  std::vector<std::pair<size_t, glint_status>> places = {
      {0, GLINT_E_SNAPSHOT_FORMAT},
      {8, GLINT_E_SNAPSHOT_VERSION},
      {24, GLINT_E_SNAPSHOT_CORRUPT},
      {32, GLINT_E_SNAPSHOT_CORRUPT},
      {40, GLINT_E_SNAPSHOT_CORRUPT},
      {48, GLINT_E_SNAPSHOT_CORRUPT},
      {56, GLINT_E_SNAPSHOT_CORRUPT},
      {page, GLINT_E_SNAPSHOT_CORRUPT},
      {page + 4095, GLINT_E_SNAPSHOT_CORRUPT},
      {whole.bytes.size() - 1, GLINT_E_SNAPSHOT_CORRUPT},
  };
  for (const auto& section : whole.sections()) {
    for (const size_t at : {section.entry, section.entry + 8, section.entry + 24, section.offset,
                            section.offset + section.size / 2, section.offset + section.size - 1}) {
      places.emplace_back(at, GLINT_E_SNAPSHOT_CORRUPT);
    }
  }
  for (const auto& [at, code] : places) {
    SnapshotBytes bad = whole;
    bad.flip(at, 1);
    EXPECT_TRUE(failed_with(load_bytes(bad), code)) << "at " << at;
  }
  SnapshotBytes longer = whole;
  longer.bytes.resize(longer.bytes.size() + 1);
  EXPECT_TRUE(failed_with(load_bytes(longer), GLINT_E_SNAPSHOT_CORRUPT, "1 bytes follow"));
}

TEST_F(SnapshotFiles, AnotherImageIsToldApart) {
  ASSERT_TRUE(succeeded(save_snapshot(*prepared(), path)));
  const auto engine_of_others = make_engine(1);
  EXPECT_TRUE(failed_with(load_snapshot(load_image(engine_of_others, "state"), path), GLINT_E_SNAPSHOT_IMAGE,
                          "only that of the snapshot exports"));
  EXPECT_TRUE(failed_with(load_snapshot(fresh_image(16u << 20), path), GLINT_E_SNAPSHOT_IMAGE,
                          "8388608 bytes of memory, those of this image 16777216"));
  LayoutOptions options;
  options.memory_size = 8u << 20;
  options.stack_size = 512u << 10;
  EXPECT_TRUE(failed_with(load_snapshot(load_image(engine_of_others, "dirt", options), path),
                          GLINT_E_SNAPSHOT_IMAGE, "bytes of stack"));
  options.stack_size = kDefaultStack;
  options.files.push_back({"/a", pattern_bytes(10)});
  EXPECT_TRUE(failed_with(load_snapshot(load_image(engine_of_others, "dirt", options), path),
                          GLINT_E_SNAPSHOT_IMAGE, "files"));
}

TEST_F(SnapshotFiles, WhatANewerVersionWroteIsTold) {
  const SnapshotBytes whole = saved_bytes();
  SnapshotBytes newer = whole;
  newer.set(8, uint32_t{2});
  EXPECT_TRUE(failed_with(load_bytes(newer), GLINT_E_SNAPSHOT_VERSION, "version 2"));
  newer = whole;
  newer.set(newer.section(SnapshotBytes::kFunctions).entry, uint32_t{9});
  newer.repair();
  EXPECT_TRUE(failed_with(load_bytes(newer), GLINT_E_SNAPSHOT_VERSION, "section 9"));
}

TEST_F(SnapshotFiles, AnotherMachineIsToldApart) {
  const SnapshotBytes whole = saved_bytes();
  const size_t machine = whole.section(SnapshotBytes::kMachine).offset;
  SnapshotBytes other = whole;
  other.flip(machine + 1);  // "kvm" becomes "jvm"
  other.repair();
  EXPECT_TRUE(failed_with(load_bytes(other), GLINT_E_SNAPSHOT_MACHINE, "backend 'jvm'"));
  other = whole;
  const size_t last_word = machine + 4 + 8;
  other.set(last_word, other.get<uint64_t>(last_word) | uint64_t{1} << 63);
  other.repair();
  EXPECT_TRUE(failed_with(load_bytes(other), GLINT_E_SNAPSHOT_MACHINE, "feature 127"));
  // One that saw less is at home here.
  other = whole;
  other.set(last_word - 8, uint64_t{0});
  other.set(last_word, uint64_t{0});
  other.repair();
  EXPECT_TRUE(succeeded(load_bytes(other)));
  EXPECT_NE(whole.get<uint64_t>(last_word - 8), 0u) << "guests see what x86-64 processors have";
}

// ---- files that were made to do harm ----

// With good checksums: what a file says of the vCPU, the guest could have made of itself, or it is refused.
TEST_F(SnapshotFiles, AStateThatRing3CouldNotHaveIsRefused) {
  const SnapshotBytes whole = saved_bytes();
  const size_t state = whole.section(SnapshotBytes::kState).offset;
  const size_t rip = state + 16 * 8, rflags = rip + 8, fs_base = rflags + 8, gs_base = fs_base + 8;
  const size_t legacy = gs_base + 8 + 8, mxcsr = legacy + 24, components = legacy + 416;
  ASSERT_EQ(whole.get<uint32_t>(gs_base + 12), 1u) << "it has vector state";
  const struct {
    size_t at;
    uint64_t value;
    const char* text;
  } bad[] = {
      {rip, 0, "no code"},
      {rip, GLINT_GVA_SYSTEM, "no code"},
      {rip, GLINT_GVA_ARENA, "no code"},
      {rip, 0x0000800000000000, "no code"},
      {rip, ~uint64_t{0}, "no code"},
      {rflags, 0, "RFLAGS"},
      {rflags, 0x3002, "RFLAGS"},   // IOPL
      {rflags, 0x202, "RFLAGS"},    // IF
      {rflags, 0x20002, "RFLAGS"},  // VM
      {rflags, 0x10002, "RFLAGS"},  // RF
      {rflags, 0x100000002, "RFLAGS"},
      {fs_base, 0x0000800000000000, "segment base"},
      {gs_base, 0x8000000000000000, "segment base"},
      {mxcsr, 0xffffffff, "MXCSR"},
  };
  for (const auto& field : bad) {
    SnapshotBytes made = whole;
    made.set(field.at, field.value);
    made.repair();
    EXPECT_TRUE(failed_with(load_bytes(made), GLINT_E_SNAPSHOT_CORRUPT, field.text))
        << field.at - state << " = " << field.value;
  }
  if (whole.get<uint32_t>(components) == 0) return;
  for (const uint32_t number : {0u, 1u, 3u, 17u, 63u, 64u, 0xffffffffu}) {
    SnapshotBytes made = whole;
    made.set(components + 4, number);
    made.repair();
    auto result = load_bytes(made);
    ASSERT_FALSE(result) << number;
    EXPECT_TRUE(result.error().code == GLINT_E_SNAPSHOT_MACHINE ||
                result.error().code == GLINT_E_SNAPSHOT_CORRUPT)
        << number << ": " << result.error().message;
  }
}

// Which pages a file says are there.
std::vector<bool> pages_of(const SnapshotBytes& bytes) {
  const auto pages = bytes.section(SnapshotBytes::kPages);
  std::vector<bool> there((bytes.bytes.size() - bytes.memory()) / SnapshotBytes::kPage);
  for (size_t run = pages.offset; run < pages.offset + pages.size; run += SnapshotBytes::kRun) {
    const uint64_t first = bytes.get<uint32_t>(run), count = bytes.get<uint32_t>(run + 4);
    for (uint64_t i = first; i < std::min<uint64_t>(first + count, there.size()); ++i) there[i] = true;
  }
  return there;
}

TEST_F(SnapshotFiles, WhatStandsBetweenThePagesIsFound) {
  const SnapshotBytes whole = saved_bytes();
  const auto there = pages_of(whole);
  uint32_t found = 0;
  for (size_t i = 0; i < there.size(); i += 97) {
    if (there[i]) continue;
    SnapshotBytes made = whole;
    made.bytes[made.memory() + (i + 1) * SnapshotBytes::kPage - 1] = std::byte{1};
    made.repair();
    EXPECT_TRUE(failed_with(load_bytes(made), GLINT_E_SNAPSHOT_CORRUPT, "nothing was saved")) << "page " << i;
    ++found;
  }
  EXPECT_GT(found, 10u);
}

// Makes zeros of what stands in no run.
void clear_absent(SnapshotBytes& made) {
  const auto there = pages_of(made);
  for (size_t i = 0; i < there.size(); ++i) {
    std::byte* page = made.bytes.data() + made.memory() + i * SnapshotBytes::kPage;
    if (!there[i]) std::memset(page, 0, SnapshotBytes::kPage);
  }
}

// Any file gives a snapshot or an error, and what any snapshot does, it does to itself: the next sandbox is
// as always.
TEST_F(SnapshotFiles, NoFileHarmsTheHost) {
  const SnapshotBytes whole = saved_bytes();
  const auto good = loaded(image, path);
  std::mt19937_64 random(20261128);
  uint32_t ran = 0;
  const uint32_t rounds = scaled(300);
  for (uint32_t round = 0; round < rounds; ++round) {
    SnapshotBytes made = whole;
    const auto sections = made.sections();
    const size_t edits = 1 + random() % 6;
    for (size_t i = 0; i < edits; ++i) {
      // Registers and pages most of all: the rest is mostly refused.
      const auto& section = sections[random() % 3 == 0 ? random() % sections.size() : 3];
      const size_t at = random() % 2 == 0 ? made.memory() + random() % (made.bytes.size() - made.memory())
                                          : section.offset + random() % section.size;
      if (random() % 2 == 0) {
        made.flip(at, static_cast<unsigned>(random() % 8));
      } else if (at + 8 <= made.bytes.size()) {
        made.set(at, random() % 4 == 0 ? ~uint64_t{0} : static_cast<uint64_t>(random()));
      }
    }
    // What stands between the pages would be refused.
    clear_absent(made);
    made.repair();
    auto snapshot = load_bytes(made);
    if (!snapshot) {
      EXPECT_LE(snapshot.error().code, GLINT_E_SNAPSHOT_FORMAT);
      EXPECT_GE(snapshot.error().code, GLINT_E_SNAPSHOT_MACHINE);
      continue;
    }
    ++ran;
    auto sandbox = from(*snapshot);
    auto index = sandbox->image().find_export("count");
    ASSERT_TRUE(succeeded(index));
    for (int calls = 0; calls < 2; ++calls) {
      const auto result = sandbox->call(*index, {}, {.deadline_ns = 20'000'000, .interrupt = nullptr});
      if (!result) {
        // A guest's faults, and never a vCPU that the hypervisor would not take.
        EXPECT_NE(result.error().code, GLINT_E_HYPERVISOR) << result.error().message;
        EXPECT_NE(result.error().code, GLINT_E_INTERNAL) << result.error().message;
        ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
      }
    }
    EXPECT_TRUE(gave(call<uint64_t>(*from(good), "count"), 2u));
  }
  EXPECT_GT(ran, rounds / 10) << "too few of them were run";
}

}  // namespace
}  // namespace glint::test
