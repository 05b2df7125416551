// SPDX-License-Identifier: Apache-2.0
//
// What sandboxes of a pool hold, and what they cost.

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "kvm/fixture.hpp"
#include "sandbox/pool.hpp"
#include "sandbox/snapshot.hpp"
#include "shell/shell_pool.hpp"

namespace glint::test {
namespace {

constexpr uint64_t kForever = UINT64_MAX;

// Every secret begins with it. Nothing else holds it: the guest's program does not.
constexpr std::array<unsigned char, 8> kMark = {0x9d, 0x1e, 0xc7, 0x55, 0xf0, 0xa3, 0x68, 0xb1};

bool holds_mark(std::span<const std::byte> bytes) {
  return ::memmem(bytes.data(), bytes.size(), kMark.data(), kMark.size()) != nullptr;
}

enum Go : uint32_t { kReturn, kFault, kSpin };

class Pools : public KvmTest {
 protected:
  // A pool of its own engine's, whose sandboxes share `shells` VMs.
  std::shared_ptr<Pool> make_pool(uint32_t shells, PoolOptions options, bool large_pages = false) {
    own_engine = make_engine(shells);
    LayoutOptions layout;
    layout.memory_size = large_pages ? 16u << 20 : 4u << 20;
    layout.large_pages = large_pages;
    image = load_image(own_engine, "secret", layout);
    auto snapshot = make_sandbox(image)->snapshot();
    if (!snapshot) throw std::runtime_error(snapshot.error().message);
    auto pool = Pool::create(*snapshot, nullptr, std::move(options));
    if (!pool) throw std::runtime_error(pool.error().message);
    return *pool;
  }

  static std::unique_ptr<Sandbox> acquire(Pool& pool) {
    auto acquired = pool.acquire({.wait_ns = kForever, .interrupt = nullptr, .sandbox = {}});
    if (!acquired) throw std::runtime_error(acquired.error().message);
    return std::move(*acquired);
  }

  // Most are short; some take more pages of the transfer area than are wiped in place.
  static Bytes secret(uint64_t number) {
    Bytes bytes(number % 7 == 0 ? 300'000 : number % 5 == 0 ? 20'000 : 32);
    std::memcpy(bytes.data(), kMark.data(), kMark.size());
    std::memcpy(bytes.data() + 8, kMark.data(), kMark.size());
    std::memcpy(bytes.data() + 16, &number, sizeof number);
    for (size_t at = 4096; at + kMark.size() < bytes.size(); at += 4096) {
      std::memcpy(bytes.data() + at, kMark.data(), kMark.size());
    }
    return bytes;
  }

  // One that spins has `ms` for planting; what it has not done by then, it has not done.
  static void plant(Sandbox& sandbox, uint64_t number, Go go, uint64_t ms = 20) {
    auto index = sandbox.image().find_export("plant");
    ASSERT_TRUE(succeeded(index));
    const Bytes what = secret(number);
    const std::vector<Value> values = {to_value(what), to_value(static_cast<uint32_t>(go))};
    const uint64_t deadline = go == kSpin ? ms * 1'000'000 : kNoDeadline;
    const auto ended = sandbox.call(*index, values, {.deadline_ns = deadline, .interrupt = nullptr});
    if (go == kReturn) {
      EXPECT_TRUE(succeeded(ended));
    } else {
      EXPECT_TRUE(failed_with(ended, go == kFault ? GLINT_E_GUEST_FAULT : GLINT_E_DEADLINE));
    }
  }

  // Where the mark is to be found; empty: nowhere.
  static std::string where_marked(Sandbox& sandbox) {
    std::string where;
    auto looked = sandbox.inspect(
        [&](std::span<const std::byte> memory, const VcpuState& state, std::span<const std::byte> transfer) {
          if (holds_mark(memory)) where += " memory";
          if (holds_mark(transfer)) where += " transfer";
          if (holds_mark(std::as_bytes(std::span(&state.registers, 1)))) where += " registers";
          if (state.vectors && holds_mark(state.vectors->xsave)) where += " vectors";
        });
    return looked ? where : looked.error().message;
  }

  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
};

TEST_F(Pools, ThePlantedSecretIsEverywhereUntilItsSandboxGoesBack) {
  const auto pool = make_pool(1, {.size = 1, .warm = 1, .background = false});
  auto sandbox = acquire(*pool);
  EXPECT_EQ(where_marked(*sandbox), "");
  plant(*sandbox, 1, kSpin, 1000);  // also where the processor is emulated
  EXPECT_EQ(where_marked(*sandbox), " memory transfer registers vectors");
  if (!own_engine->traits().has_avx) return;
  auto looked = sandbox->inspect([&](auto, const VcpuState& state, auto) {
    constexpr size_t kUpperHalves = 576;  // SDM vol. 1, 13.4.2
    EXPECT_TRUE(holds_mark(std::span(state.vectors->xsave).subspan(kUpperHalves, 256)));
  });
  EXPECT_TRUE(succeeded(looked));
}

// Restored where it is, restored while parked, and another sandbox's in the same VM: with fewer VMs than
// sandboxes, and fewer sandboxes than threads, all of it happens.
TEST_F(Pools, ASecretOfOneCallerIsNotFoundByTheNextUnderLoad) {
  for (const auto& [background, large_pages] : {std::pair(true, false), {false, false}, {true, true}}) {
    const auto pool = make_pool(2, {.size = 3, .warm = 2, .background = background}, large_pages);
    std::atomic<uint64_t> number{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (uint32_t i = 0; i < scaled(60); ++i) {
          auto sandbox = acquire(*pool);
          EXPECT_EQ(where_marked(*sandbox), "");
          const uint64_t mine = ++number;
          plant(*sandbox, mine, static_cast<Go>(mine % 3));
          pool->give_back(std::move(sandbox));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(pool->counters().replaced, 0u);
    EXPECT_LE(pool->counters().made, 3u);
  }
}

TEST_F(Pools, ArgumentsOfACallThatNeverRanAreNotFoundEither) {
  const auto pool = make_pool(1, {.size = 1, .warm = 1, .background = false});
  auto sandbox = acquire(*pool);
  auto index = sandbox->image().find_export("plant");
  ASSERT_TRUE(succeeded(index));
  const Bytes what = secret(1);
  const std::vector<Value> values = {to_value(what), to_value(uint32_t{0})};
  // A deadline of a nanosecond is over when the arguments are written.
  EXPECT_FALSE(sandbox->call(*index, values, {.deadline_ns = 1, .interrupt = nullptr}));
  ASSERT_EQ(where_marked(*sandbox), " transfer");
  pool->give_back(std::move(sandbox));
  EXPECT_EQ(where_marked(*acquire(*pool)), "");
}

TEST_F(Pools, EachBeginsWithTheSnapshot) {
  const auto pool = make_pool(2, {.size = 4, .warm = 4});
  for (int i = 0; i < 50; ++i) {
    auto sandbox = acquire(*pool);
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 1u));
    EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 2u));
    pool->give_back(std::move(sandbox));
  }
}

TEST_F(Pools, ThoseThatAreCalledOftenStayAttached) {
  for (const bool background : {true, false}) {
    const auto pool = make_pool(3, {.size = 20, .warm = 20, .background = background});
    const uint64_t before = own_engine->counters().attaches;
    EXPECT_EQ(before, 4u) << "the one of the snapshot, and one for each VM";
    for (int i = 0; i < 100; ++i) {
      auto sandbox = acquire(*pool);
      EXPECT_TRUE(gave(call<uint64_t>(*sandbox, "count"), 1u));
      pool->give_back(std::move(sandbox));
    }
    EXPECT_EQ(own_engine->counters().attaches, before);
    EXPECT_EQ(own_engine->counters().vms_created, 3u);
  }
}

TEST_F(Pools, AtRestTheyKeepNoMoreMemoryThanAllowed) {
  constexpr uint64_t kPages = 100, kLimit = 2 * (kPages + 50) * 4096;
  const auto pool = make_pool(2, {.size = 6, .warm = 1, .idle_memory = kLimit, .background = false});
  std::vector<std::unique_ptr<Sandbox>> all;
  for (int i = 0; i < 6; ++i) all.push_back(acquire(*pool));
  for (auto& sandbox : all) EXPECT_TRUE(succeeded(call_void(*sandbox, "spread", kPages)));
  for (auto& sandbox : all) pool->give_back(std::move(sandbox));
  Pool::Counters counters = pool->counters();
  EXPECT_LE(counters.idle_bytes, kLimit);
  EXPECT_GE(counters.idle_bytes, kPages * 4096) << "one fits";
  EXPECT_EQ(counters.dropped, 6 - counters.ready);
  EXPECT_EQ(counters.live, counters.ready);
  EXPECT_TRUE(gave(call<uint64_t>(*acquire(*pool), "count"), 1u));
  pool->trim(0);
  counters = pool->counters();
  EXPECT_EQ(counters.idle_bytes, 0u);
}

TEST_F(Pools, SandboxesThatNobodyUsesCostNoVm) {
  const auto pool = make_pool(2, {.size = 1000, .warm = 1000});
  EXPECT_EQ(own_engine->counters().vms_live, 2u);
  EXPECT_EQ(pool->counters().ready, 1000u);
}

TEST_F(Pools, ADedicatedVmServesOneSandboxOnlyAndEndsWithIt) {
  const auto pool = make_pool(1, {.size = 1, .warm = 1});
  auto shared = acquire(*pool);
  SandboxOptions options;
  options.dedicated_vm = true;
  auto dedicated = make_sandbox(image, nullptr, options);
  for (uint64_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(gave(call<uint64_t>(*dedicated, "count"), i));
    EXPECT_TRUE(gave(call<uint64_t>(*shared, "count"), i));
  }
  EXPECT_EQ(own_engine->counters().parks, 0u) << "neither has to make room for the other";
  EXPECT_EQ(dedicated->counters().attaches, 1u);
  EXPECT_EQ(own_engine->counters().vms_created, 2u);
  dedicated.reset();
  EXPECT_EQ(own_engine->counters().vms_live, 1u);
  auto next = make_sandbox(image, nullptr, options);
  EXPECT_TRUE(gave(call<uint64_t>(*next, "count"), 1u));
  EXPECT_EQ(own_engine->counters().vms_created, 3u) << "a new one has a new one";
}

TEST_F(Pools, WithDedicatedVmsEachHasOne) {
  const auto pool = make_pool(1, {.size = 3, .warm = 3, .dedicated_vms = true});
  EXPECT_EQ(own_engine->counters().vms_live, 4u) << "these, and the one that ran the start-up code";
  std::vector<std::unique_ptr<Sandbox>> all;
  for (int i = 0; i < 3; ++i) all.push_back(acquire(*pool));
  for (int round = 0; round < 3; ++round) {
    for (auto& sandbox : all) EXPECT_TRUE(succeeded(call<uint64_t>(*sandbox, "count")));
  }
  EXPECT_EQ(own_engine->counters().parks, 0u);
  SandboxOptions options;
  options.dedicated_vm = true;
  for (auto& sandbox : all) pool->give_back(std::move(sandbox));
  EXPECT_TRUE(failed_with(pool->acquire({.wait_ns = 0, .interrupt = nullptr, .sandbox = options}),
                          GLINT_E_INVALID_ARGUMENT, "for all of them"));
}

}  // namespace
}  // namespace glint::test
