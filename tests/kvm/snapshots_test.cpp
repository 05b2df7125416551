// SPDX-License-Identifier: Apache-2.0
//
// Snapshots, sandboxes made from them, and putting sandboxes back.

#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "kvm/fixture.hpp"
#include "sandbox/snapshot.hpp"
#include "shell/shell_pool.hpp"

namespace glint::test {
namespace {

enum End : uint32_t { kReturn, kError, kFault, kAbort, kExit, kStack, kMemory, kSpin, kFs, kEnds };

class Snapshots : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    use_shells(1);
  }
  // An engine and an image of its own, whose sandboxes share `count` VMs.
  void use_shells(uint32_t count, uint64_t memory_size = 8u << 20, bool large_pages = false,
                  std::string_view guest = "dirt") {
    own_engine = make_engine(count);
    LayoutOptions options;
    options.memory_size = memory_size;
    options.large_pages = large_pages;
    image = load_image(own_engine, guest, options);
  }
  std::unique_ptr<Sandbox> from(const std::shared_ptr<const Snapshot>& snapshot,
                                SandboxOptions options = {}) {
    auto made = Sandbox::create(snapshot, nullptr, std::move(options));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
  std::shared_ptr<const Snapshot> take(Sandbox& sandbox) {
    auto taken = sandbox.snapshot();
    if (!taken) throw std::runtime_error(taken.error().message);
    return *taken;
  }
  // A snapshot of a guest that has done something.
  std::shared_ptr<const Snapshot> prepared() {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(succeeded(call_void(*sandbox, "prepare")));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 1u));
    return take(*sandbox);
  }
  // Calls dirty() so that it ends in that way.
  void make_dirty(Sandbox& sandbox, uint64_t seed, uint32_t writes, uint32_t end) {
    auto index = sandbox.image().find_export("dirty");
    ASSERT_TRUE(succeeded(index));
    const std::vector<Value> values = {to_value(seed), to_value(writes), to_value(end)};
    const uint64_t deadline = end == kSpin ? 1'000'000 : kNoDeadline;
    const auto ended = sandbox.call(*index, values, {.deadline_ns = deadline, .interrupt = nullptr});
    // Some seeds take more memory than there is, which is one more way.
    const bool returned = ended || ended.error().code == GLINT_E_GUEST_OUT_OF_MEMORY;
    EXPECT_TRUE(end == kReturn ? returned : !ended)
        << "it was to end in way " << end << ", with seed " << seed
        << (ended ? std::string() : ": " + ended.error().message);
  }

  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
};

TEST_F(Snapshots, WhatIsStoredDoesNotGrowWithTheLimit) {
  const uint64_t small = prepared()->frozen.memory->page_count();
  for (const uint64_t limit : {uint64_t{4} << 20, uint64_t{1} << 30, uint64_t{16} << 30}) {
    use_shells(1, limit);
    const auto snapshot = prepared();
    EXPECT_NEAR(static_cast<double>(snapshot->frozen.memory->page_count()), static_cast<double>(small), 8.0);
    EXPECT_LE(snapshot->frozen.memory->runs().size(), small);
    auto one = from(snapshot), other = from(snapshot);  // one of them is parked
    for (uint64_t round = 1; round <= 3; ++round) {
      EXPECT_TRUE(gave(call<uint64_t>(*one, "count"), 2u));
      EXPECT_TRUE(gave(call<uint64_t>(*other, "count"), 1 + round));
      make_dirty(*one, round, 100, kReturn);
      EXPECT_TRUE(succeeded(one->restore(snapshot)));
    }
  }
}

TEST_F(Snapshots, ASandboxGoesOnWhereTheSnapshotWasTaken) {
  auto original = make_sandbox(image);
  EXPECT_TRUE(gave(call<uint64_t>(*original, "count"), 1u));
  const auto snapshot = take(*original);
  EXPECT_TRUE(gave(call<uint64_t>(*original, "count"), 2u)) << "the original goes on";
  auto one = from(snapshot), other = from(snapshot);
  EXPECT_EQ(one->state(), Sandbox::State::kReady);
  EXPECT_TRUE(gave(call<uint64_t>(*one, "count"), 2u));
  EXPECT_TRUE(gave(call<uint64_t>(*one, "count"), 3u));
  EXPECT_TRUE(gave(call<uint64_t>(*other, "count"), 2u)) << "they do not see each other";
  original.reset();
  EXPECT_TRUE(gave(call<uint64_t>(*from(snapshot), "count"), 2u)) << "it outlives the original";
}

TEST_F(Snapshots, OneThatHasNotStartedIsStartedFirst) {
  auto sandbox = make_sandbox(image);
  const auto snapshot = take(*sandbox);
  EXPECT_EQ(sandbox->state(), Sandbox::State::kReady);
  EXPECT_TRUE(gave(call<uint64_t>(*from(snapshot), "count"), 1u));
}

TEST_F(Snapshots, ASnapshotOfASandboxThatCameFromOneHoldsBoth) {
  const auto first = prepared();
  auto sandbox = from(first);
  const auto same = take(*sandbox);  // it has not run: there is nothing of its own
  EXPECT_EQ(same->frozen.memory, first->frozen.memory);
  EXPECT_TRUE(gave(call<uint64_t>(*from(same), "count"), 2u));
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  const auto second = take(*sandbox);
  sandbox.reset();
  EXPECT_TRUE(gave(call<uint64_t>(*from(second), "count"), 3u));
  EXPECT_TRUE(gave(call<uint64_t>(*from(first), "count"), 2u));
}

TEST_F(Snapshots, PagesOfZerosTakeNoSpace) {
  const auto snapshot = prepared();
  const uint64_t pages = snapshot->frozen.memory->page_count();
  EXPECT_GE(pages, 86u) << "prepare() fills 86 pages";
  EXPECT_LT(pages, 200u) << "of the 2,048 that there are";
}

TEST_F(Snapshots, RefuseWhatCannotBe) {
  auto sandbox = make_sandbox(image);
  EXPECT_TRUE(failed_with(sandbox->restore(nullptr), GLINT_E_INVALID_ARGUMENT, "not made from a snapshot"));
  const auto snapshot = take(*sandbox);
  SandboxOptions options;
  options.arguments = {"other"};
  EXPECT_TRUE(
      failed_with(Sandbox::create(snapshot, nullptr, options), GLINT_E_INVALID_ARGUMENT, "arguments"));
  auto stranger = make_sandbox(load_image(own_engine, "state"));
  EXPECT_TRUE(failed_with(stranger->restore(snapshot), GLINT_E_INVALID_ARGUMENT, "another image"));
  make_dirty(*sandbox, 1, 0, kFault);
  EXPECT_TRUE(failed_with(sandbox->snapshot(), GLINT_E_POISONED));
  auto ended = make_sandbox(image);
  make_dirty(*ended, 1, 0, kExit);
  EXPECT_TRUE(failed_with(ended->snapshot(), GLINT_E_ENDED));
}

TEST_F(Snapshots, RestoringPutsBackWhateverBecameOfIt) {
  const auto snapshot = prepared();
  auto sandbox = from(snapshot);
  for (uint32_t end = 0; end < kEnds; ++end) {
    make_dirty(*sandbox, end + 1, 50, end);
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr))) << "after way " << end;
    EXPECT_EQ(sandbox->state(), Sandbox::State::kReady);
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u)) << "after way " << end;
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u)) << "after way " << end;
  }
}

TEST_F(Snapshots, RestoringToAnotherSnapshotChangesSides) {
  const auto first = prepared();
  auto sandbox = from(first);
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  const auto second = take(*sandbox);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(succeeded(sandbox->restore(first)));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
    ASSERT_TRUE(succeeded(sandbox->restore(second)));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 3u));
  }
}

TEST_F(Snapshots, AParkedSandboxIsRestoredWhereItRests) {
  const auto snapshot = prepared();
  auto sandbox = from(snapshot), other = from(snapshot);
  make_dirty(*sandbox, 3, 50, kReturn);
  EXPECT_TRUE(gave(call<uint64_t>(*other, "count"), 2u));  // takes the only VM
  ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
  EXPECT_TRUE(gave(call<uint64_t>(*other, "count"), 3u));
  EXPECT_EQ(own_engine->counters().vms_created, 1u);
}

TEST_F(Snapshots, TheSameCallAfterRestoringCopiesTheSamePagesAndLooksForNone) {
  const auto snapshot = prepared();
  auto sandbox = from(snapshot);
  const auto cycle = [&] {
    EXPECT_TRUE(succeeded(call<uint64_t>(*sandbox, "touch", 16u)));
    const uint64_t before = sandbox->counters().restored_pages;
    EXPECT_TRUE(succeeded(sandbox->restore(nullptr)));
    return sandbox->counters().restored_pages - before;
  };
  cycle();
  const uint64_t pages = cycle();
  EXPECT_GE(pages, 16u);
  EXPECT_LT(pages, 40u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(cycle(), pages);
}

TEST_F(Snapshots, TheFirstOnesThatGoShowWhatTheOthersWillWriteTo) {
  const auto snapshot = prepared();
  const WindowMemory& memory = *snapshot->frozen.memory;
  EXPECT_TRUE(memory.likely_pages().empty());
  EXPECT_TRUE(succeeded(call<uint64_t>(*from(snapshot), "touch", 10u)));
  const std::vector<uint32_t> first(memory.written_pages().begin(), memory.written_pages().end());
  EXPECT_GE(first.size(), 10u);
  EXPECT_GE(memory.likely_pages().size(), first.size());
  EXPECT_TRUE(succeeded(call<uint64_t>(*from(snapshot), "touch", 200u)));
  const std::vector<uint32_t> second(memory.written_pages().begin(), memory.written_pages().end());
  EXPECT_TRUE(std::ranges::includes(first, second)) << "only what all of them have written to";
  EXPECT_GE(second.size(), 10u);
  // What is copied in advance is what the snapshot holds.
  EXPECT_TRUE(gave(call<uint64_t>(*from(snapshot), "count"), 2u));
}

TEST_F(Snapshots, AnOddOneThatGoesFirstDoesNotDecideForAll) {
  const auto snapshot = prepared();
  const WindowMemory& memory = *snapshot->frozen.memory;
  EXPECT_TRUE(succeeded(call<uint64_t>(*from(snapshot), "touch", 200u)));
  EXPECT_EQ(memory.written_pages().size(), 64u) << "and no more";
  {
    // Those that did nothing, or were restored, say nothing.
    const auto idle = from(snapshot), restored = from(snapshot);
    EXPECT_TRUE(succeeded(call<uint64_t>(*restored, "count")));
    ASSERT_TRUE(succeeded(restored->restore(nullptr)));
  }
  EXPECT_EQ(memory.written_pages().size(), 64u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(succeeded(call<uint64_t>(*from(snapshot), "count")));
  EXPECT_LE(memory.likely_pages().size(), 12u);
  EXPECT_FALSE(memory.is_learning());
  // Now it is learned: others change nothing.
  const uint32_t* const pages = memory.likely_pages().data();
  EXPECT_TRUE(succeeded(call<uint64_t>(*from(snapshot), "touch", 200u)));
  EXPECT_EQ(memory.likely_pages().data(), pages);
}

// The hypervisor finishes the guest's instruction, and writes its memory, when the vCPU is settled.
TEST_F(Snapshots, WhatAnUnfinishedInstructionWritesLaterIsGone) {
  constexpr uint32_t kPage = 200;
  const auto snapshot = prepared();
  auto sandbox = from(snapshot);
  auto before = call<uint64_t>(*sandbox, "word_of", kPage);
  ASSERT_TRUE(succeeded(before));
  // Until no new page is looked for.
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(call_void(*sandbox, "store_behind", uint64_t{0x1122334455667788}));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "word_of", kPage), *before));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  }
  EXPECT_FALSE(call_void(*sandbox, "store_behind", uint64_t{0x1122334455667788}));
  ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  EXPECT_FALSE(call_void(*sandbox, "copy_from_behind", kPage));
  ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "word_of", kPage), *before));
}

TEST_F(Snapshots, WhatIsWrittenToPagesCopiedInAdvanceIsGone) {
  constexpr uint32_t kPage = 200;
  const auto snapshot = prepared();
  auto sandbox = from(snapshot);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(succeeded(call_void(*sandbox, "write_word", kPage, uint64_t{1})));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  }
  EXPECT_TRUE(failed_with(call_void(*sandbox, "write_and_exit", kPage), GLINT_E_ENDED));
  ASSERT_FALSE(snapshot->frozen.memory->likely_pages().empty());
  ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  for (uint64_t word = 2; word < 5; ++word) {
    EXPECT_TRUE(succeeded(call_void(*sandbox, "write_word", kPage, word)));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "word_of", kPage), 0u));
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
  }
}

TEST_F(Snapshots, NoTwoGuestsDrawTheSameRandomBytes) {
  use_shells(2);
  const auto snapshot = prepared();
  std::set<uint64_t> drawn;
  uint64_t draws = 0;
  const auto draw = [&](Sandbox& sandbox) {
    auto word = call<uint64_t>(sandbox, "random_word");
    ASSERT_TRUE(succeeded(word));
    drawn.insert(*word);
    ++draws;
  };
  auto kept = from(snapshot);
  for (int i = 0; i < 20; ++i) {
    auto fresh = from(snapshot);
    // Attached, and put away again before it ran: it must not lose its seed by that.
    const std::vector<Value> none;
    EXPECT_FALSE(fresh->call(*image->find_export("touch"), none));
    draw(*fresh);
    draw(*kept);
    EXPECT_TRUE(succeeded(kept->restore(nullptr)));
    draw(*kept);
    const auto again = take(*kept);
    draw(*kept);
    draw(*from(again));
  }
  EXPECT_EQ(drawn.size(), draws);
}

// A guest that is put into another VM and does not run there still remembers the epoch of the last one.
TEST_F(Snapshots, ASnapshotOfAGuestThatWasMovedAndDidNotRunGivesNewSeeds) {
  auto sandbox = make_sandbox(image);
  EXPECT_TRUE(succeeded(call<uint64_t>(*sandbox, "random_word")));
  auto other = make_sandbox(image);
  for (int moves = 0; moves < 3; ++moves) {
    EXPECT_TRUE(succeeded(call<uint64_t>(*other, "count")));  // takes the only VM
    EXPECT_TRUE(succeeded(sandbox->inspect([](auto&&...) {})));
    const auto snapshot = take(*sandbox);
    std::set<uint64_t> drawn;
    for (int i = 0; i < 4; ++i) {
      auto word = call<uint64_t>(*from(snapshot), "random_word");
      ASSERT_TRUE(succeeded(word));
      drawn.insert(*word);
    }
    EXPECT_EQ(drawn.size(), 4u);
  }
}

TEST_F(Snapshots, ClocksGoOnFromNow) {
  const auto snapshot = prepared();
  auto sandbox = from(snapshot);
  uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const auto before = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    auto seen = call<uint64_t>(*sandbox, "monotonic_ns");
    const auto after = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    ASSERT_TRUE(succeeded(seen));
    // The guest reckons from its TSC: a millisecond of tolerance for the frequency.
    EXPECT_GT(*seen + 1'000'000, before);
    EXPECT_LT(*seen, after + 1'000'000);
    EXPECT_GT(*seen, last);
    last = *seen;
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
}

TEST_F(Snapshots, EachCallOfAnIsolatedSandboxBeginsWithTheSnapshot) {
  SandboxOptions options;
  options.restore_each_call = true;
  auto plain = make_sandbox(image, nullptr, options);
  auto made = from(prepared(), options);
  for (uint32_t end = 0; end < kEnds; ++end) {
    EXPECT_TRUE(gave(call<uint64_t>(*plain, "count"), 1u));
    EXPECT_TRUE(gave(call<uint64_t>(*made, "count"), 2u));
    make_dirty(*plain, end + 1, 20, end);
    make_dirty(*made, end + 1, 20, end);
  }
}

TEST_F(Snapshots, ManySandboxesOfOneSnapshotShareAFewMachines) {
  use_shells(2);
  const auto snapshot = prepared();
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (uint32_t i = 0; i < scaled(300); ++i) sandboxes.push_back(from(snapshot));
  for (uint64_t round = 2; round < 4; ++round) {
    for (const auto& sandbox : sandboxes) EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), round));
  }
  EXPECT_LE(own_engine->counters().vms_created, 2u);
}

// ---- completeness ----

// Memory and registers at one moment.
struct Seen {
  Bytes memory;
  Registers registers;
  uint64_t fs_base = 0, gs_base = 0;
  Bytes vectors;
};

Seen look_at(Sandbox& sandbox) {
  Seen seen;
  EXPECT_TRUE(succeeded(sandbox.inspect([&](std::span<const std::byte> memory, const VcpuState& state, auto) {
    seen.memory.assign(memory.begin(), memory.end());
    seen.registers = state.registers;
    seen.fs_base = state.fs_base;
    seen.gs_base = state.gs_base;
    seen.vectors.assign(state.vectors->xsave.begin(), state.vectors->xsave.end());
  })));
  return seen;
}

bool is_what_is_frozen(const Seen& seen, const FrozenSandbox& frozen) {
  const Bytes zeros(kPageSize);
  for (uint64_t page = 0; page < seen.memory.size() / kPageSize; ++page) {
    const std::byte* stored = frozen.memory->page(page);
    const void* wanted = stored != nullptr ? static_cast<const void*>(stored) : zeros.data();
    if (std::memcmp(seen.memory.data() + page * kPageSize, wanted, kPageSize) != 0) return false;
  }
  const VcpuState& state = frozen.state;
  return seen.registers == state.registers && seen.fs_base == state.fs_base &&
         seen.gs_base == state.gs_base &&
         std::memcmp(seen.vectors.data(), state.vectors->xsave.data(), seen.vectors.size()) == 0;
}

bool is_in_libos(const Layout& layout, uint64_t gva) {
  return std::ranges::any_of(layout.mappings, [&](const Mapping& mapping) {
    return mapping.region == Region::kLibos && mapping.executable && gva >= mapping.gva &&
           gva - mapping.gva < mapping.size;
  });
}

class RestoreCompleteness : public Snapshots {
 protected:
  static uint32_t wanted_rounds() {
    const char* wanted = std::getenv("GLINT_TEST_RESTORES");
    return wanted == nullptr ? scaled(2000) : static_cast<uint32_t>(std::strtoul(wanted, nullptr, 10));
  }

  // Rounds of writing and restoring, until one leaves something. How many were well; 0 also when restoring
  // does not give what the snapshot holds.
  uint32_t run(uint32_t rounds) {
    const auto snapshot = prepared();
    auto sandbox = from(snapshot);
    // Put back once, so that both looks come after the same things.
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
    EXPECT_TRUE(succeeded(sandbox->restore(nullptr)));
    const Seen expected = look_at(*sandbox);
    if (!is_what_is_frozen(expected, snapshot->frozen)) return 0;
    std::mt19937_64 random(20261128);
    for (uint32_t round = 0; round < rounds; ++round) {
      const uint64_t seed = random();
      const auto writes = static_cast<uint32_t>(random() % 12);
      // Most rounds return: the ends that take a deadline or all memory are slow.
      const auto end = static_cast<uint32_t>(random() % 4 == 0 ? random() % kEnds : 0);
      make_dirty(*sandbox, seed, writes, end);
      if (random() % 8 == 0 && sandbox->state() == Sandbox::State::kReady)
        make_dirty(*sandbox, seed + 1, 3, kReturn);
      if (!succeeded(sandbox->restore(nullptr))) return round;
      if (!is_as_before(*sandbox, expected)) return round;
    }
    return rounds;
  }

 private:
  static bool is_as_before(Sandbox& sandbox, const Seen& expected) {
    bool same = true;
    auto looked = sandbox.inspect([&](std::span<const std::byte> memory, const VcpuState& state, auto) {
      same = memory.size() == expected.memory.size() &&
             std::memcmp(memory.data(), expected.memory.data(), memory.size()) == 0 &&
             state.registers == expected.registers && state.fs_base == expected.fs_base &&
             state.gs_base == expected.gs_base &&
             std::memcmp(state.vectors->xsave.data(), expected.vectors.data(), expected.vectors.size()) == 0;
    });
    return looked && same;
  }
};

TEST_F(RestoreCompleteness, NotAByteAndNotARegisterDiffers) {
  EXPECT_EQ(run(wanted_rounds()), wanted_rounds());
}

// Each round that writes there restores 2 MiB and more: a tenth of the rounds.
TEST_F(RestoreCompleteness, NotAByteAndNotARegisterDiffersOnLargePages) {
  use_shells(1, 16u << 20, true);
  const uint32_t rounds = std::max(wanted_rounds() / 10, 50u);
  EXPECT_EQ(run(rounds), rounds);
}

TEST_F(RestoreCompleteness, ATrackingThatFindsNothingIsNoticed) {
  image->shells().break_tracking();
  EXPECT_LT(run(50), 50u);
}

TEST_F(RestoreCompleteness, ATrackingThatFindsNothingIsNoticedOnLargePages) {
  use_shells(1, 16u << 20, true);
  image->shells().break_tracking();
  EXPECT_LT(run(50), 50u);
}

// There the program's registers lie on its stack, and data of the libos may be changed by half.
TEST_F(RestoreCompleteness, AGuestStoppedInsideTheLibosIsAsTheSnapshotHasIt) {
  constexpr uint32_t kTries = 200, kWanted = 10;
  const auto snapshot = prepared();
  auto sandbox = from(snapshot), other = from(snapshot);
  const auto function = image->find_export("stay_in_libos");
  ASSERT_TRUE(succeeded(function));
  uint32_t stops = 0;
  for (uint32_t i = 0; i < kTries && stops < kWanted; ++i) {
    // 1 to 3 ms; under an emulated processor, where that may not reach the libos, more and more.
    const uint64_t deadline_ns = (1 + i % 3 + i / 10) * 1'000'000;
    ASSERT_TRUE(failed_with(sandbox->call(*function, {}, {.deadline_ns = deadline_ns, .interrupt = nullptr}),
                            GLINT_E_DEADLINE));
    if (sandbox->state() != Sandbox::State::kPoisoned) continue;  // it was too late to enter the guest
    if (!is_in_libos(image->layout(), look_at(*sandbox).registers.rip)) {
      ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
      continue;
    }
    // The other one takes the only VM: every second time it is restored where it is parked.
    if (++stops % 2 == 0) {
      EXPECT_TRUE(succeeded(call<uint64_t>(*other, "count")));
    }
    ASSERT_TRUE(succeeded(sandbox->restore(nullptr)));
    ASSERT_TRUE(is_what_is_frozen(look_at(*sandbox), snapshot->frozen)) << "after stop " << stops;
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
    EXPECT_TRUE(succeeded(call<uint64_t>(*sandbox, "random_word"))) << "the libos serves again";
  }
  EXPECT_GE(stops, 3u);
}

// The window is as large as one large page, and the heap, a part of it, too small for any.
TEST_F(RestoreCompleteness, HoldsForTheSmallestMemory) {
  // Filled: most pages that are written later are stored in the snapshot; else they are zeros there.
  for (const auto& [large_pages, filled] :
       {std::pair(false, false), {false, true}, {true, false}, {true, true}}) {
    SCOPED_TRACE(::testing::Message() << "large pages: " << large_pages << ", filled: " << filled);
    use_shells(1, kMinMemory, large_pages, "state");
    ASSERT_EQ(image->layout().window_size, 2u << 20);
    auto original = make_sandbox(image);
    if (filled) {
      EXPECT_TRUE(gave(call<bool>(*original, "fill", uint64_t{7}), true));
    }
    const int32_t kept = filled ? 0 : 1;  // what verify() says
    EXPECT_TRUE(gave(call<int64_t>(*original, "increment"), 1));
    const auto snapshot = take(*original);
    auto one = from(snapshot), other = from(snapshot);  // one of them is parked
    for (uint32_t round = 1; round <= 3; ++round) {
      EXPECT_TRUE(gave(call<int32_t>(*one, "verify", uint64_t{7}), kept));
      EXPECT_TRUE(gave(call<int64_t>(*one, "increment"), 2));
      EXPECT_TRUE(gave(call<bool>(*one, "fill", uint64_t{100} + round), true));
      EXPECT_TRUE(gave(call<int32_t>(*other, "verify", uint64_t{7}), kept)) << "they do not see each other";
      EXPECT_TRUE(gave(call<int64_t>(*other, "increment"), 1 + round));
      EXPECT_TRUE(gave(call<int32_t>(*one, "verify", uint64_t{100} + round), 0)) << "it was moved";
      // The other one takes the VM: every second time it is restored where it is parked.
      if (round % 2 == 0) {
        EXPECT_TRUE(gave(call<int64_t>(*other, "counter"), 1 + round));
      }
      ASSERT_TRUE(succeeded(one->restore(nullptr)));
      EXPECT_TRUE(is_what_is_frozen(look_at(*one), snapshot->frozen)) << "in round " << round;
    }
    EXPECT_TRUE(gave(call<int32_t>(*from(snapshot), "verify", uint64_t{7}), kept));
    EXPECT_TRUE(gave(call<int64_t>(*original, "increment"), 2)) << "the original goes on";
  }
}

}  // namespace
}  // namespace glint::test
