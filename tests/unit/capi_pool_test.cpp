// SPDX-License-Identifier: Apache-2.0
//
// Pools in the C ABI and the C++ layer, on the fake backend. What a sandbox of one holds, tests/kvm shows.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "glint/glint.hpp"
#include "unit/elf_builder.hpp"
#include "unit/in_a_child.hpp"

namespace glint::test {
namespace {

using std::chrono::milliseconds;

ElfBytes program() {
  ElfBuilder builder;
  builder.functions = {
      elf_function(GLINT_ABI_EXPORT, "ask", GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_IMPORT, "host_ask", GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {}),
  };
  return builder.build().bytes;
}

glint_live_objects live_objects() {
  glint_live_objects live{};
  live.struct_size = sizeof(live);
  EXPECT_EQ(glint_get_live_objects(&live), GLINT_OK);
  return live;
}

// Waits until it holds; what never does, the time limit of the test shows.
template <class Predicate>
void wait_until(const Predicate& predicate) {
  while (!predicate()) std::this_thread::sleep_for(milliseconds(1));
}

class CapiPool : public testing::Test {
 protected:
  static HostFunctions functions() {
    HostFunctions host;
    host.add("host_ask", [](int64_t n) { return n + 1; });
    return host;
  }

  static void poison(Sandbox& sandbox) {
    while (sandbox.state() != State::kPoisoned) {
      EXPECT_FALSE(sandbox.try_call({.deadline = milliseconds(1)}, "spin"));
    }
  }

  Engine engine_{{.backend = Backend::kFake}};
  Image image_ = engine_.load_bytes(program());
  HostFunctions host_ = functions();
  Snapshot snapshot_ = Sandbox(image_, host_).snapshot();
};

TEST_F(CapiPool, InitSetsTheDefaults) {
  glint_pool_options options;
  glint_pool_options_init(&options, sizeof(options));
  EXPECT_EQ(options.struct_size, sizeof(options));
  EXPECT_EQ(options.flags | options.size | options.warm | options.idle_memory, 0u);
  glint_acquire_options acquire;
  glint_acquire_options_init(&acquire, sizeof(acquire));
  EXPECT_EQ(acquire.struct_size, sizeof(acquire));
  EXPECT_EQ(acquire.wait_ns, GLINT_WAIT_NONE);
  EXPECT_EQ(acquire.sandbox, nullptr);
}

TEST_F(CapiPool, RefusesNullsAndBadStructs) {
  glint_pool* pool = nullptr;
  EXPECT_EQ(glint_pool_create(nullptr, nullptr, nullptr, &pool, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_pool_create(snapshot_.handle(), host_.handle(), nullptr, nullptr, nullptr),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_pool_create(snapshot_.handle(), nullptr, nullptr, &pool, nullptr), GLINT_E_MISSING_IMPORT);
  const auto created = [&](auto&& change) {
    glint_pool_options options;
    glint_pool_options_init(&options, sizeof(options));
    change(options);
    return glint_pool_create(snapshot_.handle(), host_.handle(), &options, &pool, nullptr);
  };
  EXPECT_EQ(created([](auto& o) { o.struct_size = 3; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(created([](auto& o) { o.flags = 8; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(created([](auto& o) { o.size = GLINT_POOL_MAX_SIZE + 1; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(created([](auto& o) { o.size = 1, o.warm = 2; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(created([](auto& o) { o.flags = GLINT_POOL_LAZY, o.warm = 1; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(created([](auto& o) { o.tenant = {nullptr, 1}; }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(pool, nullptr);

  const Pool good(snapshot_, host_);
  glint_sandbox* sandbox = nullptr;
  EXPECT_EQ(glint_pool_acquire(nullptr, nullptr, &sandbox, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_pool_acquire(good.handle(), nullptr, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_acquire_options acquire;
  glint_acquire_options_init(&acquire, sizeof(acquire));
  acquire.reserved = 1;
  EXPECT_EQ(glint_pool_acquire(good.handle(), &acquire, &sandbox, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_pool_counters counters{};
  EXPECT_EQ(glint_pool_get_counters(good.handle(), &counters, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_pool_get_counters(good.handle(), nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_pool_get_counters(nullptr, &counters, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_pool_trim(nullptr, 0);
  glint_pool_close(nullptr);
  glint_pool_free(nullptr);
}

TEST_F(CapiPool, HandsOutUpToItsSizeAndTakesThemBack) {
  const Pool pool(snapshot_, host_, {.size = 2});
  EXPECT_EQ(pool.size(), 2u);
  {
    Sandbox one = pool.acquire(), two = pool.acquire();
    EXPECT_NE(one.handle(), two.handle());
    EXPECT_EQ(one.call<int64_t>("ask", 1), 2);
    EXPECT_EQ(two.call<int64_t>("ask", 2), 3);
    EXPECT_EQ(pool.counters().in_use, 2u);
    EXPECT_EQ(pool.try_acquire(milliseconds(0)).error().code(), GLINT_E_POOL_EMPTY);
    EXPECT_EQ(pool.try_acquire(milliseconds(20)).error().code(), GLINT_E_POOL_EMPTY);
  }
  wait_until([&] { return pool.counters().ready == 2; });
  EXPECT_EQ(pool.counters().in_use, 0u);
  EXPECT_EQ(pool.counters().restored, 2u);
  EXPECT_EQ(pool.acquire().call<int64_t>("ask", 5), 6);
}

// The thread lets them gather while others are ready; the pause lets it fall asleep between.
TEST_F(CapiPool, WhatIsGivenBackIsRestoredThoughNobodyComesAgain) {
  const Pool pool(snapshot_, host_, {.size = 8, .warm = 8});
  for (uint64_t round = 1; round <= 20; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.acquire().call<int64_t>("ask", i), i + 1);
    if (round % 2 == 0) std::this_thread::sleep_for(milliseconds(3));
    wait_until([&] { return pool.counters().ready == 8; });
    EXPECT_EQ(pool.counters().restored + pool.counters().restored_late, 3 * round);
  }
}

TEST_F(CapiPool, WhatBecameOfASandboxDoesNotMatter) {
  const Pool pool(snapshot_, host_, {.size = 1, .use_thread = false});
  for (int i = 0; i < 5; ++i) {
    Sandbox sandbox = pool.acquire();
    EXPECT_EQ(sandbox.state(), State::kReady);
    EXPECT_EQ(sandbox.call<int64_t>("ask", i), i + 1);
    poison(sandbox);
  }
  EXPECT_EQ(pool.counters().made, 1u);
  EXPECT_EQ(pool.counters().restored, 5u);
}

TEST_F(CapiPool, AnUnusedSandboxNeedsNoRestoring) {
  const Pool pool(snapshot_, host_, {.size = 1});
  for (int i = 0; i < 3; ++i) pool.acquire();
  EXPECT_EQ(pool.counters().restored + pool.counters().restored_late, 0u);
  EXPECT_EQ(pool.counters().acquired, 3u);
}

TEST_F(CapiPool, ASandboxRestoredToAnotherSnapshotComesBackAsThePoolsOwn) {
  const Pool pool(snapshot_, host_, {.size = 1, .use_thread = false});
  const Snapshot other = Sandbox(image_, host_).snapshot();
  pool.acquire().restore(other);
  EXPECT_EQ(pool.counters().restored, 1u);
}

TEST_F(CapiPool, WaitersAreServedInTheOrderOfTheirComing) {
  const Pool pool(snapshot_, host_, {.size = 1});
  std::optional<Sandbox> held = pool.acquire();
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Sandbox mine = pool.acquire();
      order.push_back(i);  // by one at a time: there is one sandbox
      EXPECT_EQ(mine.call<int64_t>("ask", i), i + 1);
    });
    wait_until([&] { return pool.counters().waiting == static_cast<uint64_t>(i) + 1; });
  }
  held.reset();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(pool.counters().waited, 8u);
}

TEST_F(CapiPool, OneThatIsBeingRestoredIsNotInUse) {
  const Pool pool(snapshot_, host_, {.size = 1});
  for (int i = 0; i < 500; ++i) {
    Expected<Sandbox> sandbox = pool.try_acquire(milliseconds(0));
    ASSERT_TRUE(sandbox) << "round " << i;
    EXPECT_EQ(sandbox->call<int64_t>("ask", i), i + 1);
  }
}

TEST_F(CapiPool, AnInterruptEndsTheWaiting) {
  const Pool pool(snapshot_, host_, {.size = 1});
  const Sandbox held = pool.acquire();
  const Interrupt interrupt;
  std::thread waiter([&] {
    EXPECT_EQ(pool.try_acquire(kWaitForever, interrupt).error().code(), GLINT_E_INTERRUPTED);
    EXPECT_EQ(pool.try_acquire(kWaitForever, interrupt).error().code(), GLINT_E_INTERRUPTED)
        << "it stays raised";
  });
  wait_until([&] { return pool.counters().waiting == 1; });
  EXPECT_EQ(interrupt.raise(), 1u);
  waiter.join();
  EXPECT_EQ(pool.counters().waiting, 0u);
}

TEST_F(CapiPool, ClosingEndsTheWaitingAndLeavesWhatIsInUse) {
  const Pool pool(snapshot_, host_, {.size = 2});
  Sandbox one = pool.acquire(), two = pool.acquire();
  std::thread waiter([&] { EXPECT_EQ(pool.try_acquire().error().code(), GLINT_E_ENDED); });
  wait_until([&] { return pool.counters().waiting == 1; });
  pool.close();
  waiter.join();
  EXPECT_EQ(pool.try_acquire().error().code(), GLINT_E_ENDED);
  EXPECT_EQ(one.call<int64_t>("ask", 1), 2);
  pool.close();
  EXPECT_EQ(pool.counters().live, 2u);
}

TEST_F(CapiPool, LivesUntilItsLastSandboxIsFreed) {
  std::optional<Pool> pool{std::in_place, snapshot_, host_, PoolOptions{.size = 3}};
  std::optional<Sandbox> sandbox = pool->acquire();
  EXPECT_EQ(live_objects().pools, 1u);
  pool.reset();
  EXPECT_EQ(live_objects().pools, 0u);
  EXPECT_EQ(sandbox->call<int64_t>("ask", 1), 2);
  sandbox.reset();
  EXPECT_EQ(engine_.counters().sandboxes_live, 0u);
}

TEST_F(CapiPool, CallbacksAreThoseOfWhoAcquiredTheSandbox) {
  const Pool pool(snapshot_, host_, {.size = 1, .use_thread = false});
  int destroyed = 0;
  glint_sandbox_options sandbox_options;
  glint_sandbox_options_init(&sandbox_options, sizeof(sandbox_options));
  sandbox_options.output = [](void*, uint32_t, const void*, uint64_t) {};
  sandbox_options.output_user_data = &destroyed;
  sandbox_options.output_destroy = [](void* count) { ++*static_cast<int*>(count); };
  glint_acquire_options options;
  glint_acquire_options_init(&options, sizeof(options));
  options.sandbox = &sandbox_options;
  glint_sandbox* sandbox = nullptr;
  ASSERT_EQ(glint_pool_acquire(pool.handle(), &options, &sandbox, nullptr), GLINT_OK);
  EXPECT_EQ(destroyed, 0);
  glint_sandbox* second = nullptr;
  EXPECT_EQ(glint_pool_acquire(pool.handle(), &options, &second, nullptr), GLINT_E_POOL_EMPTY);
  EXPECT_EQ(destroyed, 1) << "of the one that was not given";
  glint_sandbox_free(sandbox);
  EXPECT_EQ(destroyed, 2);

  sandbox_options.tenant = {"else", 4};
  EXPECT_EQ(glint_pool_acquire(pool.handle(), &options, &sandbox, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(destroyed, 3);
  EXPECT_EQ(pool.try_acquire(milliseconds(0), {}, {.args = {"late"}}).error().code(),
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(pool.try_acquire(milliseconds(0))) << "what was refused has cost no sandbox";
}

TEST_F(CapiPool, ManyThreadsShareAFew) {
  const Pool pool(snapshot_, host_, {.size = 3});
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        Sandbox sandbox = pool.acquire();
        int now = ++inside, seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        EXPECT_EQ(sandbox.call<int64_t>("ask", t * 1000 + i), t * 1000 + i + 1);
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  const PoolCounters counters = pool.counters();
  EXPECT_EQ(counters.acquired, 1600u);
  EXPECT_EQ(counters.in_use, 0u);
  EXPECT_LE(counters.live, 3u);
  EXPECT_EQ(counters.replaced, 0u);
}

TEST_F(CapiPool, WaitingEndsInWhicheverWayComesFirst) {
  const Pool pool(snapshot_, host_, {.size = 1});
  for (int i = 0; i < 200; ++i) {
    std::optional<Sandbox> held = pool.acquire();
    const Interrupt interrupt;
    std::thread waiter([&] {
      Expected<Sandbox> got = pool.try_acquire(milliseconds(i % 2), interrupt);
      if (!got) {
        EXPECT_TRUE(got.error().code() == GLINT_E_INTERRUPTED || got.error().code() == GLINT_E_POOL_EMPTY);
      }
    });
    interrupt.raise();
    held.reset();
    waiter.join();
  }
  EXPECT_EQ(pool.counters().in_use, 0u);
  EXPECT_TRUE(pool.try_acquire(milliseconds(0))) << "none was lost on the way";
}

TEST_F(CapiPool, AChildOfForkCanOnlyFreeIt) {
  Pool pool(snapshot_, host_, {.size = 2});
  Sandbox sandbox = pool.acquire();
  EXPECT_EQ(in_a_child([&] {
              if (pool.try_acquire().error().code() != GLINT_E_UNSUPPORTED) return 1;
              {
                const Sandbox dying = std::move(sandbox);
              }
              pool.close();
              {
                const Pool gone = std::move(pool);
              }
              return 0;
            }),
            0);
  EXPECT_EQ(sandbox.call<int64_t>("ask", 1), 2);
}

}  // namespace
}  // namespace glint::test
