// SPDX-License-Identifier: Apache-2.0
//
// The limit of VMs that the images of an engine keep together, on the fake hypervisor.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "sandbox/pool.hpp"
#include "scripted_guest.hpp"

namespace glint::test {
namespace {

// Guests that count their calls in memory and in a register, and so notice when they lose either.
class VmLimits : public ::testing::Test {
 protected:
  static constexpr uint32_t kCount = 0, kMeanwhile = 1, kCountMeanwhile = 2, kText = 3;

  void use(uint32_t max_shells, uint32_t max_vms) {
    hypervisor = std::make_shared<FakeHypervisor>([this](FakeVcpu& vcpu) { return play(vcpu); });
    engine = Engine::with_hypervisor(hypervisor, {}, max_shells, max_vms);
    functions = std::make_shared<HostFunctions>();
    auto added = functions->add("meanwhile", GLINT_ABI_VOID, {GLINT_ABI_U32}, [this](HostCall&) {
      meanwhile();
      return GLINT_OK;
    });
    ASSERT_TRUE(added);
  }
  std::shared_ptr<Image> load() {
    ElfBuilder elf;
    elf.functions = {elf_function(GLINT_ABI_EXPORT, "count", GLINT_ABI_I64, {}),
                     elf_function(GLINT_ABI_IMPORT, "meanwhile", GLINT_ABI_VOID, {GLINT_ABI_U32}),
                     elf_function(GLINT_ABI_EXPORT, "count_meanwhile", GLINT_ABI_I64, {}),
                     elf_function(GLINT_ABI_EXPORT, "text", GLINT_ABI_STRING, {})};
    auto image = Image::load(engine, elf.build().bytes, {}).value();
    std::call_once(layout_known, [&] { layout = image->layout(); });
    return image;
  }
  std::unique_ptr<Sandbox> make(const std::shared_ptr<Image>& image, SandboxOptions options = {}) {
    return std::move(Sandbox::create(image, functions, std::move(options))).value();
  }
  // 0 when it fails.
  static uint64_t count(Sandbox& sandbox, uint32_t function = kCount) {
    auto value = sandbox.call(function, {});
    EXPECT_TRUE(value) << value.error().message;
    return value ? value->bits : 0;
  }
  uint64_t live() const {
    EXPECT_EQ(engine->counters().vms_live, hypervisor->vms_live());
    return hypervisor->vms_live();
  }
  uint64_t made() const { return engine->counters().vms_created; }

  std::shared_ptr<FakeHypervisor> hypervisor;
  std::shared_ptr<Engine> engine;
  std::shared_ptr<HostFunctions> functions;
  std::function<void()> meanwhile;

 private:
  Result<Exit> play(FakeVcpu& vcpu) const {
    GuestView g(vcpu, layout);
    if (g.header().request == GLINT_REQUEST_NONE) return g.leave(GLINT_EXIT_READY);
    if (g.header().function == kCountMeanwhile && vcpu.registers.r14 == 0) {
      vcpu.registers.r14 = 1;
      return host_call(kMeanwhile, {GLINT_ABI_U32, 0, 0})(g);
    }
    vcpu.registers.r14 = 0;
    if (g.header().function == kText) return result(GLINT_ABI_STRING, 0x9000, 4)(g);
    uint64_t calls = 0;
    std::memcpy(&calls, g.window(), sizeof calls);
    EXPECT_EQ(vcpu.registers.r13, calls);
    vcpu.registers.r13 = ++calls;
    std::memcpy(g.window(), &calls, sizeof calls);
    return result(GLINT_ABI_I64, calls)(g);
  }

  std::once_flag layout_known;
  Layout layout;
};

TEST_F(VmLimits, ImagesKeepNoMoreVmsTogetherThanTheEngineAllows) {
  use(2, 3);
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (int i = 0; i < 10; ++i) {
    const auto image = load();
    sandboxes.push_back(make(image));
    sandboxes.push_back(make(image));
  }
  for (uint64_t call = 1; call <= 3; ++call) {
    for (auto& sandbox : sandboxes) {
      EXPECT_EQ(count(*sandbox), call);
      EXPECT_LE(live(), 3u);
    }
  }
  EXPECT_EQ(live(), 3u);
}

TEST_F(VmLimits, TheVmThatWasUsedLongestAgoGoesWhoeversItIs) {
  use(4, 2);
  const auto first = make(load()), second = make(load()), third = make(load());
  EXPECT_EQ(count(*first), 1u);
  EXPECT_EQ(count(*second), 1u);
  EXPECT_EQ(count(*first), 2u);
  EXPECT_EQ(made(), 2u);
  EXPECT_EQ(count(*third), 1u);  // second's VM goes
  EXPECT_EQ(count(*first), 3u);
  EXPECT_EQ(made(), 3u) << "first kept its VM";
  EXPECT_EQ(count(*second), 2u);  // third's
  EXPECT_EQ(made(), 4u);
  EXPECT_EQ(count(*first), 4u);
  EXPECT_EQ(made(), 4u);
}

TEST_F(VmLimits, AVmWithoutASandboxGoesToo) {
  use(4, 1);
  const auto empty = load();
  EXPECT_EQ(count(*make(empty)), 1u);
  EXPECT_EQ(live(), 1u) << "outlives its sandbox";
  const auto other = make(load());
  EXPECT_EQ(count(*other), 1u);
  EXPECT_EQ(live(), 1u);
  EXPECT_EQ(count(*other), 2u);
  EXPECT_EQ(made(), 2u) << "it was the empty one that went";
}

TEST_F(VmLimits, AsManyAsCallsRunAtOnceAreThereNevertheless) {
  use(1, 1);
  const auto outer = make(load()), inner = make(load());
  EXPECT_EQ(count(*outer), 1u);
  meanwhile = [&] {
    EXPECT_EQ(count(*inner), 1u);
    EXPECT_EQ(count(*inner), 2u);
  };
  EXPECT_EQ(count(*outer, kCountMeanwhile), 2u);
  EXPECT_EQ(live(), 1u) << "none of them is kept above the limit";
  EXPECT_EQ(count(*outer), 3u);
  EXPECT_EQ(count(*inner), 3u);
  EXPECT_EQ(live(), 1u);
}

TEST_F(VmLimits, SandboxesThatAreFreedBeforeTheyRestGiveTheirVmsUp) {
  use(8, 1);
  std::vector<std::shared_ptr<Image>> images;  // without which their VMs would end anyway
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (int i = 0; i < 5; ++i) {
    images.push_back(load());
    sandboxes.push_back(make(images.back()));
    ASSERT_TRUE(sandboxes.back()->call(kText, {}));  // which is held
  }
  EXPECT_EQ(live(), 5u);
  sandboxes.clear();
  EXPECT_EQ(live(), 1u);
}

TEST_F(VmLimits, DedicatedVmsAreNotCounted) {
  use(1, 1);
  const auto image = load();
  SandboxOptions dedicated;
  dedicated.dedicated_vm = true;
  const auto one = make(image, dedicated), two = make(image, dedicated), shared = make(load());
  for (uint64_t call = 1; call <= 2; ++call) {
    EXPECT_EQ(count(*one), call);
    EXPECT_EQ(count(*two), call);
    EXPECT_EQ(count(*shared), call);
  }
  EXPECT_EQ(made(), 3u);
  EXPECT_EQ(live(), 3u);
}

TEST_F(VmLimits, VmsOfAnImageThatIsGoneLeaveRoomForOthers) {
  use(2, 2);
  for (int i = 0; i < 5; ++i) {
    const auto image = load();
    const auto one = make(image), two = make(image);
    EXPECT_EQ(count(*one), 1u);
    EXPECT_EQ(count(*two), 1u);
    EXPECT_EQ(count(*one), 2u);
    EXPECT_EQ(count(*two), 2u);
  }
  EXPECT_EQ(live(), 0u);
  EXPECT_EQ(made(), 10u) << "none was retired";
}

TEST_F(VmLimits, AVmThatCannotBeMadeTakesNoRoom) {
  use(2, 2);
  const auto first = make(load()), second = make(load());
  for (int i = 0; i < 5; ++i) {
    hypervisor->fail("create_vm");
    EXPECT_FALSE(first->run());
    hypervisor->fail("");
  }
  const auto third = make(load());
  EXPECT_EQ(count(*second), 1u);
  EXPECT_EQ(count(*third), 1u);
  EXPECT_EQ(count(*second), 2u);
  EXPECT_EQ(made(), 2u);
}

TEST_F(VmLimits, ASandboxThatCannotBeParkedIsLostAlone) {
  use(1, 1);
  const auto victim = make(load()), other = make(load());
  EXPECT_EQ(count(*victim), 1u);
  hypervisor->fail("save");
  EXPECT_EQ(count(*other), 1u);
  hypervisor->fail("");
  EXPECT_EQ(live(), 1u);
  EXPECT_EQ(victim->call(kCount, {}).error().code, GLINT_E_HYPERVISOR);
  EXPECT_EQ(count(*other), 2u);
}

TEST_F(VmLimits, ManyThreadsOfManyImagesKeepTheLimitAndTheirState) {
  use(2, 3);
  constexpr int kThreads = 4, kImages = 3, kCalls = 100;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      // Images come and go, too.
      for (int round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<Sandbox>> mine;
        for (int i = 0; i < kImages; ++i) {
          const auto image = load();
          mine.push_back(make(image));
          mine.push_back(make(image));
        }
        for (uint64_t call = 1; call <= kCalls; ++call) {
          for (auto& sandbox : mine) {
            auto value = sandbox->call(kCount, {});
            if (!value || value->bits != call) ++wrong;
          }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(live(), 0u);
}

TEST_F(VmLimits, TheDefaultIsWhatOneImageMayKeepAnd32AtLeast) {
  EXPECT_EQ(default_vms(4), 32u);
  EXPECT_EQ(default_vms(100), 100u);
  use(1, 0);
  std::vector<std::unique_ptr<Sandbox>> sandboxes;
  for (uint64_t i = 0; i < 34; ++i) {
    sandboxes.push_back(make(load()));
    EXPECT_EQ(count(*sandboxes.back()), 1u);
    EXPECT_EQ(live(), std::min<uint64_t>(i + 1, 32));
  }
}

}  // namespace
}  // namespace glint::test
