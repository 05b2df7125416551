// SPDX-License-Identifier: Apache-2.0
//
// Many sandboxes take turns on few VMs, and each finds its memory and registers as it left them.

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

// The guest: tests/guests/state.c with registers.c.
class Shells : public KvmTest {
 protected:
  // A sandbox that was told what to remember.
  struct Keeper {
    std::unique_ptr<Sandbox> sandbox;
    uint64_t pattern = 0;
    int64_t count = 0;
    bool holding = false;  // at rest inside hold_registers()

    void fill(uint64_t next) {
      if (holding) check();
      if (::testing::Test::HasFatalFailure()) return;
      pattern = next;
      ASSERT_TRUE(gave(call<bool>(*sandbox, "fill", pattern), true));
      ASSERT_TRUE(succeeded(call_void(*sandbox, "set_thread_local", ~pattern)));
      hold();
    }
    void hold() {
      ASSERT_TRUE(gave(call<uint64_t>(*sandbox, "hold_registers", pattern), UINT64_MAX));
      holding = true;
    }
    // Registers first, since any other call would change them.
    void check() {
      if (holding) {
        ASSERT_TRUE(gave(call<uint64_t>(*sandbox, "hold_registers", uint64_t{0}), 0u)) << "registers";
        holding = false;
      }
      ASSERT_TRUE(gave(call<uint64_t>(*sandbox, "get_thread_local"), ~pattern));
      ASSERT_TRUE(gave(call<int32_t>(*sandbox, "verify", pattern), 0)) << "memory";
      ASSERT_TRUE(gave(call<int64_t>(*sandbox, "increment"), ++count));
    }
    void check_and_hold() {
      check();
      if (!::testing::Test::HasFatalFailure()) hold();
    }
  };

  static LayoutOptions small() {
    LayoutOptions options;
    options.memory_size = 8u << 20;
    return options;
  }
  void use(uint32_t max_shells, bool large_pages = false) {
    own_engine = make_engine(max_shells);
    LayoutOptions options = small();
    if (large_pages) options.memory_size = 16u << 20;
    options.large_pages = large_pages;
    image = load_image(own_engine, "keeper", options);
  }
  Keeper make_keeper(uint64_t pattern) {
    Keeper keeper;
    keeper.sandbox = make_sandbox(image);
    keeper.fill(pattern);
    return keeper;
  }
  const Engine::Counters& counters() const { return own_engine->counters(); }

  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
};

TEST_F(Shells, TwoHundredSandboxesOnTwoShellsKeepMemoryAndRegisters) {
  use(2);
  const uint32_t count = std::max(20u, scaled(200));
  std::mt19937_64 random(7);
  std::vector<Keeper> keepers;
  for (uint32_t i = 0; i < count; ++i) {
    keepers.push_back(make_keeper(random()));
    ASSERT_FALSE(HasFatalFailure()) << i;
  }
  EXPECT_EQ(counters().vms_created, 2u);
  EXPECT_EQ(counters().parks, count - 2);
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (int round = 0; round < 3; ++round) {
    if (round > 0) std::ranges::shuffle(order, random);
    for (uint32_t i : order) {
      keepers[i].check_and_hold();
      ASSERT_FALSE(HasFatalFailure()) << "round " << round << ", sandbox " << i;
    }
  }
  EXPECT_EQ(counters().vms_created, 2u);
  EXPECT_EQ(counters().vms_live, 2u);
  EXPECT_EQ(counters().sandboxes_live, count);
  EXPECT_EQ(counters().attaches, counters().parks + 2) << "each attach but two needed another one's shell";
  EXPECT_GE(counters().attaches, uint64_t{count} * 3);
  uint64_t attaches = 0;
  for (const Keeper& keeper : keepers) attaches += keeper.sandbox->counters().attaches;
  EXPECT_EQ(attaches, counters().attaches);
}

TEST_F(Shells, SandboxesOnLargePagesTakeTurns) {
  use(2, true);
  std::mt19937_64 random(17);
  std::vector<Keeper> keepers;
  for (int i = 0; i < 8; ++i) keepers.push_back(make_keeper(random()));
  for (int round = 0; round < 3; ++round) {
    std::ranges::shuffle(keepers, random);
    for (Keeper& keeper : keepers) {
      keeper.check_and_hold();
      ASSERT_FALSE(HasFatalFailure()) << "round " << round;
    }
  }
  EXPECT_EQ(counters().vms_created, 2u);
}

TEST_F(Shells, TheTwoLastUsedStayAttached) {
  use(2);
  Keeper a = make_keeper(1), b = make_keeper(2);
  for (int i = 0; i < 10; ++i) {
    a.check();
    b.check();
  }
  EXPECT_EQ(counters().attaches, 2u);
  EXPECT_EQ(counters().parks, 0u);
  Keeper c = make_keeper(3);  // takes the shell of a, which rested longest
  EXPECT_EQ(counters().parks, 1u);
  b.check();
  c.check();
  EXPECT_EQ(counters().parks, 1u);
  a.check();
  EXPECT_EQ(counters().parks, 2u);
  EXPECT_EQ(a.sandbox->counters().attaches, 2u);
  EXPECT_EQ(b.sandbox->counters().attaches, 1u);
}

TEST_F(Shells, ImagesKeepNoMoreVmsTogetherThanTheEngineAllows) {
  own_engine = make_engine(2, 3);
  std::mt19937_64 random(13);
  std::vector<Keeper> keepers;
  for (int i = 0; i < 4; ++i) {
    image = load_image(own_engine, "keeper", small());
    for (int k = 0; k < 2; ++k) keepers.push_back(make_keeper(random()));
    ASSERT_FALSE(HasFatalFailure()) << i;
    EXPECT_LE(counters().vms_live, 3u);
  }
  for (int round = 0; round < 3; ++round) {
    std::ranges::shuffle(keepers, random);
    for (Keeper& keeper : keepers) {
      keeper.check_and_hold();
      ASSERT_FALSE(HasFatalFailure()) << "round " << round;
      EXPECT_LE(counters().vms_live, 3u);
    }
  }
  EXPECT_EQ(counters().vms_live, 3u);
}

TEST_F(Shells, NewSandboxesFindNothingOfTheLastOne) {
  use(1);
  for (uint64_t i = 0; i < 10; ++i) {
    Keeper keeper;
    keeper.sandbox = make_sandbox(image);
    ASSERT_TRUE(gave(call<bool>(*keeper.sandbox, "is_untouched"), true)) << i;
    ASSERT_TRUE(gave(call<uint64_t>(*keeper.sandbox, "get_thread_local"), 1u));
    keeper.fill(i * 12345);
    keeper.check();
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_EQ(counters().vms_created, 1u);
}

TEST_F(Shells, CreatingAndDestroyingBetweenTurnsDisturbsNobody) {
  use(2);
  std::mt19937_64 random(11);
  std::vector<Keeper> keepers;
  const uint32_t steps = std::max(50u, scaled(600));
  for (uint32_t step = 0; step < steps; ++step) {
    const uint64_t what = random() % 10;
    if (keepers.size() < 3 || (what < 2 && keepers.size() < 40)) {
      keepers.push_back(make_keeper(random()));
    } else if (what == 2) {
      keepers.erase(keepers.begin() + static_cast<ptrdiff_t>(random() % keepers.size()));
    } else if (what == 3) {
      keepers[random() % keepers.size()].fill(random());
    } else {
      keepers[random() % keepers.size()].check_and_hold();
    }
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
  }
  EXPECT_EQ(counters().vms_created, 2u);
  EXPECT_EQ(counters().sandboxes_live, keepers.size());
  keepers.clear();
  EXPECT_EQ(counters().sandboxes_live, 0u);
  EXPECT_EQ(counters().vms_live, 2u) << "shells outlive sandboxes";
}

TEST_F(Shells, FourThreadsTakeTurnsOnTwoShells) {
  use(2);
  constexpr size_t kThreads = 4;
  const uint32_t turns = std::max(10u, scaled(100));
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      std::vector<Keeper> keepers;
      for (uint64_t i = 0; i < 8; ++i) keepers.push_back(make_keeper(random()));
      for (uint32_t turn = 0; turn < turns && !HasFatalFailure(); ++turn) {
        const size_t i = random() % keepers.size();
        if (random() % 8 == 0) {
          keepers[i] = make_keeper(random());
        } else {
          keepers[i].check_and_hold();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(counters().vms_live, 2u) << "more are made while more calls run at once, and let go after it";
  EXPECT_EQ(counters().sandboxes_live, 0u);
  Keeper after = make_keeper(99);
  after.check();
}

TEST_F(Shells, SandboxesWanderBetweenThreads) {
  use(2);
  std::vector<Keeper> keepers;
  for (uint64_t i = 0; i < 6; ++i) keepers.push_back(make_keeper(i * 7777));
  for (int round = 0; round < 4; ++round) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t, round] {
        for (size_t i = t; i < keepers.size(); i += 3) {
          keepers[(i + static_cast<size_t>(round)) % keepers.size()].check_and_hold();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST_F(Shells, AHeldResultStaysWhileOthersRun) {
  own_engine = make_engine(2);
  const auto echo = load_image(own_engine, "echo", small());
  auto holder = make_sandbox(echo);
  const Bytes sent = pattern_bytes(100000);
  auto view = call_view(*holder, "echo_bytes", sent);
  ASSERT_TRUE(succeeded(view));
  for (uint64_t i = 0; i < 5; ++i) {
    auto other = make_sandbox(echo);
    const Bytes mine = pattern_bytes(100000, static_cast<uint32_t>(i) + 100);
    EXPECT_TRUE(gave(call<Bytes>(*other, "echo_bytes", mine), mine));
    EXPECT_TRUE(std::ranges::equal(view->bytes, sent)) << i;
  }
  EXPECT_EQ(counters().vms_created, 2u);
  // All shells are held: more are made while they are needed, and none is kept over the limit.
  std::vector<std::unique_ptr<Sandbox>> holders;
  std::vector<Value> views;
  std::vector<Bytes> values;
  for (uint32_t i = 0; i < 5; ++i) {
    holders.push_back(make_sandbox(echo));
    values.push_back(pattern_bytes(5000, i));
    auto held = call_view(*holders.back(), "echo_bytes", values.back());
    ASSERT_TRUE(succeeded(held));
    views.push_back(*held);
  }
  EXPECT_EQ(counters().vms_live, 6u);
  for (size_t i = 0; i < views.size(); ++i) EXPECT_TRUE(std::ranges::equal(views[i].bytes, values[i])) << i;
  holder->release_result();
  for (auto& each : holders) each->release_result();
  EXPECT_EQ(counters().vms_live, 2u);
  for (auto& each : holders) EXPECT_TRUE(gave(call<int64_t>(*each, "add", int64_t{1}, int64_t{2}), 3));
}

TEST_F(Shells, DestroyingASandboxThatHoldsAResultGivesItsShellBack) {
  own_engine = make_engine(1);
  const auto echo = load_image(own_engine, "echo", small());
  for (int i = 0; i < 20; ++i) {
    auto holder = make_sandbox(echo);
    ASSERT_TRUE(succeeded(call_view(*holder, "make_bytes", uint64_t{1000})));
  }
  EXPECT_EQ(counters().vms_created, 1u);
}

TEST_F(Shells, ImagesDoNotShareShells) {
  own_engine = make_engine(1);
  const auto echo = load_image(own_engine, "echo", small());
  const auto faults = load_image(own_engine, "faults", small());
  auto a = make_sandbox(echo);
  auto b = make_sandbox(faults);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(gave(call<int64_t>(*a, "add", int64_t{1}, int64_t{2}), 3));
    EXPECT_TRUE(gave(call<int32_t>(*b, "fine"), 42));
  }
  EXPECT_EQ(counters().vms_created, 2u);
  EXPECT_EQ(counters().parks, 0u);
}

}  // namespace
}  // namespace glint::test
