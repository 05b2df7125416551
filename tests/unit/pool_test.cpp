// SPDX-License-Identifier: Apache-2.0
//
// What a pool does with sandboxes that cannot be restored, on the fake hypervisor.

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "sandbox/pool.hpp"
#include "sandbox/snapshot.hpp"
#include "scripted_guest.hpp"

namespace glint::test {
namespace {

// False when it has not come true after half a minute.
template <class Predicate>
bool comes_true(const Predicate& predicate) {
  for (int i = 0; i < 30'000; ++i) {
    if (predicate()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Pools of two sandboxes, of which one is in use all the time. Each guest counts its calls; the snapshot was
// taken after the first one.
class PoolReplaces : public ::testing::Test {
 protected:
  PoolReplaces() {
    ElfBuilder elf;
    elf.functions = {elf_function(GLINT_ABI_EXPORT, "count", GLINT_ABI_I64, {})};
    image_ = Image::load(engine_, elf.build().bytes, {}).value();
    auto first = Sandbox::create(image_, nullptr, {}).value();
    EXPECT_EQ(count(*first), 1u);
    snapshot_ = first->snapshot().value();
  }

  // One sandbox of the pool is in use, and another one, which was called, is to be given back.
  void use_pool(bool background) {
    PoolOptions options;
    options.size = 2;
    options.background = background;
    pool_ = Pool::create(snapshot_, nullptr, options).value();
    other_ = pool_->acquire({}).value();
    EXPECT_EQ(count(*other_), 2u);
    called_ = pool_->acquire({}).value();
    EXPECT_EQ(count(*called_), 2u);
    EXPECT_EQ(pool_->counters().made, 2u);
  }

  // 0 when it fails.
  static uint64_t count(Sandbox& sandbox) {
    auto value = sandbox.call(0, {});
    EXPECT_TRUE(value) << value.error().message;
    return value ? value->bits : 0;
  }

  void expect_replaced(Sandbox& by) {
    EXPECT_EQ(count(by), 2u) << "it is as the snapshot has it";
    EXPECT_EQ(count(*other_), 3u) << "the other one goes on";
    const Pool::Counters counters = pool_->counters();
    EXPECT_EQ(counters.replaced, 1u);
    EXPECT_EQ(counters.made, 3u);
    EXPECT_EQ(counters.restored + counters.restored_late, 0u);
    EXPECT_EQ(counters.live, 2u);
    EXPECT_EQ(counters.in_use, 2u);
    EXPECT_EQ(counters.ready + counters.returned + counters.waiting, 0u);
    EXPECT_EQ(pool_->acquire({}).error().code, GLINT_E_POOL_EMPTY) << "there are no more than before";
  }

  void replaces_what_was_given_back(bool background) {
    use_pool(background);
    hypervisor_->fail("load");
    pool_->give_back(std::move(called_));
    EXPECT_TRUE(comes_true([&] { return pool_->counters().live == 1; })) << "it goes";
    hypervisor_->fail("");
    EXPECT_EQ(pool_->counters().replaced, 1u);
    EXPECT_EQ(pool_->counters().in_use, 1u);
    auto next = pool_->acquire({});
    ASSERT_TRUE(next) << next.error().message;
    expect_replaced(**next);

    // The new one is restored as ever.
    pool_->give_back(std::move(*next));
    EXPECT_TRUE(comes_true([&] { return pool_->counters().ready == 1; }));
    auto again = pool_->acquire({});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(count(**again), 2u);
    EXPECT_EQ(pool_->counters().made, 3u);
    EXPECT_EQ(pool_->counters().restored, 1u);
  }

  static Result<Exit> play(FakeVcpu& vcpu, const Layout& layout) {
    GuestView g(vcpu, layout);
    if (g.header().request == GLINT_REQUEST_NONE) return g.leave(GLINT_EXIT_READY);
    uint64_t calls = 0;
    std::memcpy(&calls, g.window(), sizeof calls);
    EXPECT_EQ(vcpu.registers.r13, calls);
    vcpu.registers.r13 = ++calls;
    std::memcpy(g.window(), &calls, sizeof calls);
    return result(GLINT_ABI_I64, calls)(g);
  }

  std::shared_ptr<FakeHypervisor> hypervisor_ =
      std::make_shared<FakeHypervisor>([this](FakeVcpu& vcpu) { return play(vcpu, image_->layout()); });
  std::shared_ptr<Engine> engine_ = Engine::with_hypervisor(hypervisor_, {}, 2);
  std::shared_ptr<Image> image_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Sandbox> other_, called_;
};

TEST_F(PoolReplaces, WhatWhoGivesItBackCannotRestore) { replaces_what_was_given_back(false); }

TEST_F(PoolReplaces, WhatItsThreadCannotRestore) { replaces_what_was_given_back(true); }

// Who waits gets what is given back as it is, and restores it.
TEST_F(PoolReplaces, WhatWhoAcquiresItCannotRestore) {
  use_pool(true);
  auto waiting = std::async(std::launch::async, [&] {
    Pool::Request request;
    request.wait_ns = 60'000'000'000;
    return pool_->acquire(std::move(request));
  });
  EXPECT_TRUE(comes_true([&] { return pool_->counters().waiting == 1; }));
  hypervisor_->fail("load");
  pool_->give_back(std::move(called_));
  auto next = waiting.get();
  hypervisor_->fail("");
  ASSERT_TRUE(next) << next.error().message;
  expect_replaced(**next);
}

}  // namespace
}  // namespace glint::test
