// SPDX-License-Identifier: Apache-2.0
//
// Shells and the sandboxes that take turns in them, on the fake hypervisor (memory is moved for real).

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "sandbox/pool.hpp"
#include "sandbox/snapshot.hpp"
#include "scripted_guest.hpp"

namespace glint::test {
namespace {

// A guest whose every call checks its registers and memory against what its last call left, and leaves
// something new.
class Turns : public ::testing::Test {
 protected:
  struct Expected {
    uint64_t value = 0;
  };

  static Step leave_mark(uint64_t id) {
    return [=](GuestView& g) {
      std::memcpy(g.window() + 0x5000, &id, sizeof id);
      g.vcpu.registers.r12 = id;
      g.vcpu.fs_base = id << 12;
      g.vcpu.vectors.xsave[100] = std::byte(id & 0xff);
      return g.leave(GLINT_EXIT_READY);
    };
  }
  static Step check_mark(uint64_t id, uint64_t next) {
    return [=](GuestView& g) {
      uint64_t found = 0;
      std::memcpy(&found, g.window() + 0x5000, sizeof found);
      EXPECT_EQ(found, id) << "memory";
      EXPECT_EQ(g.vcpu.registers.r12, id) << "register";
      EXPECT_EQ(g.vcpu.fs_base, id << 12) << "fs";
      EXPECT_EQ(g.vcpu.vectors.xsave[100], std::byte(id & 0xff)) << "vectors";
      std::memcpy(g.window() + 0x5000, &next, sizeof next);
      g.vcpu.registers.r12 = next;
      g.vcpu.fs_base = next << 12;
      g.vcpu.vectors.xsave[100] = std::byte(next & 0xff);
      return result(GLINT_ABI_BOOL, 1)(g);
    };
  }

  // Two hundred sandboxes on two shells.
  static void take_turns(const LayoutOptions& options) {
    ScriptedMachine machine(2, {}, options);
    constexpr uint64_t kCount = 200;
    std::vector<std::unique_ptr<Sandbox>> sandboxes;
    std::vector<uint64_t> marks(kCount);
    for (uint64_t i = 0; i < kCount; ++i) {
      sandboxes.push_back(machine.sandbox());
      marks[i] = 1000 + i;
      machine.script = {leave_mark(marks[i])};
      ASSERT_TRUE(sandboxes.back()->run());
    }
    std::mt19937_64 random(1);
    for (int turn = 0; turn < 1000; ++turn) {
      const size_t i = random() % kCount;
      const uint64_t next = random();
      machine.script = {check_mark(marks[i], next)};
      auto called = machine.call(*sandboxes[i], ScriptedMachine::kFlag);
      ASSERT_TRUE(called) << called.error().message;
      marks[i] = next;
    }
    EXPECT_EQ(machine.engine->counters().vms_created, 2u);
    EXPECT_EQ(machine.engine->counters().vms_live, 2u);
    EXPECT_EQ(machine.hypervisor->vms_live(), 2u);
    EXPECT_EQ(machine.engine->counters().sandboxes_live, kCount);
    sandboxes.clear();
    EXPECT_EQ(machine.engine->counters().sandboxes_live, 0u);
    EXPECT_EQ(machine.engine->counters().vms_live, 2u) << "shells outlive sandboxes";
  }
};

TEST_F(Turns, TwoHundredSandboxesOnTwoShellsKeepTheirMemoryAndRegisters) { take_turns({}); }

// Each of them is moved in three parts.
TEST_F(Turns, TheSameOnLargePages) {
  LayoutOptions options;
  options.large_pages = true;
  take_turns(options);
}

TEST_F(Turns, ASandboxStaysAttachedWhileNobodyNeedsItsShell) {
  ScriptedMachine machine(2);
  auto s = machine.sandbox();
  machine.script = {ready(), result(GLINT_ABI_BOOL, 1), result(GLINT_ABI_BOOL, 1)};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(s->counters().attaches, 1u);
  EXPECT_EQ(machine.engine->counters().parks, 0u);
}

TEST_F(Turns, AResultsViewKeepsItsShellUntilItIsReleased) {
  ScriptedMachine machine(1);
  auto holder = machine.sandbox();
  machine.script = {ready(), [](GuestView& g) {
                      std::memcpy(g.bytes().data() + 0x9000, "held", 4);
                      return result(GLINT_ABI_STRING, 0x9000, 4)(g);
                    }};
  auto view = machine.call(*holder, ScriptedMachine::kGreet, {text_value("x")});
  ASSERT_TRUE(view);
  auto other = machine.sandbox();
  machine.script = {ready(), result(GLINT_ABI_BOOL, 1)};
  EXPECT_TRUE(machine.call(*other, ScriptedMachine::kFlag));
  EXPECT_EQ(text_of(*view), "held");
  EXPECT_EQ(machine.engine->counters().vms_created, 2u) << "one more than the limit, for the call";
  EXPECT_EQ(machine.engine->counters().vms_live, 1u) << "and gone after it";
  holder->release_result();
  holder->release_result();  // twice does no harm
}

TEST_F(Turns, TheTransferAreaIsWipedForTheNextSandbox) {
  ScriptedMachine machine(1);
  auto first = machine.sandbox();
  machine.script = {ready(), [](GuestView& g) {
                      std::memcpy(g.bytes().data() + 0x20000, "secret", 6);
                      std::memset(g.bytes().data() + 0xf0000, 0x55, 0x8000);
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*first, ScriptedMachine::kFlag));
  auto second = machine.sandbox();
  machine.script = {[](GuestView& g) {
    const auto bytes = g.bytes().subspan(0x8000);
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; }));
    return g.leave(GLINT_EXIT_READY);
  }};
  EXPECT_TRUE(second->run());
}

TEST_F(Turns, ANewSandboxFindsPristineMemoryAndRegisters) {
  ScriptedMachine machine(1);
  for (int round = 0; round < 3; ++round) {
    auto s = machine.sandbox();
    machine.script = {[](GuestView& g) {
      EXPECT_EQ(g.window()[0x5000], std::byte{});
      EXPECT_EQ(g.vcpu.registers.r12, 0u);
      EXPECT_EQ(g.vcpu.fs_base, 0u);
      EXPECT_EQ(g.vcpu.registers.rip, g.layout.libos_entry);
      return leave_mark(0x77)(g);
    }};
    ASSERT_TRUE(s->run());
    if (round == 1) {
      machine.script = {[](GuestView&) { return exit_by_port(0x70); }};  // one of them faults
      EXPECT_FALSE(machine.call(*s, ScriptedMachine::kFlag));
    }
  }
  EXPECT_EQ(machine.engine->counters().vms_created, 1u);
}

TEST_F(Turns, AFailureWhileParkingLosesOnlyTheSandboxThatWasParked) {
  ScriptedMachine machine(1);
  auto other = machine.sandbox();
  machine.script = {ready()};
  ASSERT_TRUE(other->run());
  auto victim = machine.sandbox();  // `other` is parked for it
  machine.script = {ready()};
  ASSERT_TRUE(victim->run());
  machine.hypervisor->fail("save");
  machine.script = {result(GLINT_ABI_BOOL, 1)};
  auto called = machine.call(*other, ScriptedMachine::kFlag);
  EXPECT_TRUE(called) << "it gets another shell: " << called.error().message;
  machine.hypervisor->fail("");
  EXPECT_EQ(machine.call(*victim, ScriptedMachine::kFlag).error().code, GLINT_E_HYPERVISOR);
  EXPECT_EQ(victim->state(), Sandbox::State::kPoisoned);
  auto again = machine.call(*victim, ScriptedMachine::kFlag);
  EXPECT_EQ(again.error().code, GLINT_E_POISONED);
  EXPECT_NE(again.error().message.find("save: told to fail"), std::string::npos) << again.error().message;
}

TEST_F(Turns, ASandboxThatWasLostWhileParkedIsRestoredAnew) {
  ScriptedMachine machine(1);
  auto victim = machine.sandbox();
  machine.script = {leave_mark(11)};
  auto snapshot = victim->snapshot();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_TRUE(victim->restore(*snapshot));
  for (uint64_t round = 0; round < 3; ++round) {
    machine.script = {check_mark(11, 12 + round)};
    EXPECT_TRUE(machine.call(*victim, ScriptedMachine::kFlag));
    auto other = machine.sandbox();
    machine.script = {ready()};
    machine.hypervisor->fail("save");
    EXPECT_TRUE(other->run()) << "it gets another shell";
    machine.hypervisor->fail("");
    EXPECT_EQ(machine.call(*victim, ScriptedMachine::kFlag).error().code, GLINT_E_HYPERVISOR);
    ASSERT_TRUE(victim->restore(nullptr));
  }
  // The same when taking a snapshot fails: the vCPU is not to be used again.
  machine.script = {check_mark(11, 20)};
  EXPECT_TRUE(machine.call(*victim, ScriptedMachine::kFlag));
  machine.hypervisor->fail("save");
  EXPECT_FALSE(victim->snapshot());
  machine.hypervisor->fail("");
  EXPECT_FALSE(machine.call(*victim, ScriptedMachine::kFlag));
  ASSERT_TRUE(victim->restore(nullptr));
  machine.script = {check_mark(11, 21)};
  EXPECT_TRUE(machine.call(*victim, ScriptedMachine::kFlag));
}

TEST_F(Turns, AParkedSandboxOutlivesTheTroubleOfGettingAShell) {
  for (const char* operation : {"create_vm", "add_memory", "create_vcpu", "configure", "load"}) {
    SCOPED_TRACE(operation);
    ScriptedMachine machine(1);
    auto parked = machine.sandbox();
    machine.script = {leave_mark(11)};
    ASSERT_TRUE(parked->run());
    auto holder = machine.sandbox();
    machine.script = {ready(), [](GuestView& g) {
                        std::memcpy(g.bytes().data() + 0x9000, "held", 4);
                        return result(GLINT_ABI_STRING, 0x9000, 4)(g);
                      }};
    auto view = machine.call(*holder, ScriptedMachine::kGreet, {text_value("x")});  // keeps the only shell
    ASSERT_TRUE(view);
    machine.hypervisor->fail(operation);
    auto failed = machine.call(*parked, ScriptedMachine::kFlag);
    EXPECT_EQ(failed.error().code, GLINT_E_HYPERVISOR);
    EXPECT_EQ(parked->state(), Sandbox::State::kReady);
    machine.hypervisor->fail("");
    machine.script = {check_mark(11, 12)};
    auto called = machine.call(*parked, ScriptedMachine::kFlag);
    EXPECT_TRUE(called) << called.error().message;
  }
}

TEST_F(Turns, AShellWhoseLastExitHasNoEndIsNotLentAgain) {
  ScriptedMachine machine(1);
  auto s = machine.sandbox();
  machine.script = {ready()};
  ASSERT_TRUE(s->run());
  machine.hypervisor->fail("settle");
  s.reset();
  machine.hypervisor->fail("");
  EXPECT_EQ(machine.engine->counters().vms_live, 0u);
  auto next = machine.sandbox();
  machine.script = {ready()};
  EXPECT_TRUE(next->run());
}

TEST_F(Turns, NoVmServesTwoTenants) {
  ScriptedMachine machine(1);
  SandboxOptions red, blue;
  red.tenant = "red";
  blue.tenant = "blue";
  auto first = machine.sandbox(red);
  machine.script = {leave_mark(1)};
  ASSERT_TRUE(first->run());
  auto second = machine.sandbox(blue);
  machine.script = {leave_mark(2)};
  ASSERT_TRUE(second->run());
  EXPECT_EQ(machine.engine->counters().vms_created, 2u);
  EXPECT_EQ(machine.engine->counters().vms_live, 1u) << "the limit holds";
  machine.script = {check_mark(1, 3)};
  EXPECT_TRUE(machine.call(*first, ScriptedMachine::kFlag));
  EXPECT_EQ(machine.engine->counters().vms_created, 3u);
  first.reset();
  auto third = machine.sandbox(red);
  machine.script = {ready()};
  ASSERT_TRUE(third->run());
  EXPECT_EQ(machine.engine->counters().vms_created, 3u) << "the same tenant takes over a free VM";
  machine.script = {check_mark(2, 4)};
  EXPECT_TRUE(machine.call(*second, ScriptedMachine::kFlag));
}

TEST_F(Turns, WhereRegistersWouldStayBehindEachSandboxHasAShellOfItsOwn) {
  MachineTraits traits;
  traits.has_avx = true;  // and keeps_avx is false
  ScriptedMachine machine(1, traits);
  auto first = machine.sandbox();
  auto second = machine.sandbox();
  machine.script = {ready(), ready(), result(GLINT_ABI_BOOL, 1)};
  EXPECT_TRUE(first->run());
  EXPECT_TRUE(second->run());
  EXPECT_TRUE(machine.call(*first, ScriptedMachine::kFlag));
  EXPECT_EQ(machine.engine->counters().vms_live, 2u);
  EXPECT_EQ(machine.engine->counters().parks, 0u);
  first.reset();
  EXPECT_EQ(machine.engine->counters().vms_live, 1u) << "its shell went with it";
}

TEST_F(Turns, ShellsThatAreLetGoAtOnceLeaveAsManyAsTheLimitAllows) {
  constexpr size_t kHolders = 6, kLimit = 3;
  for (int round = 0; round < 20; ++round) {
    ScriptedMachine machine(kLimit);
    std::vector<std::unique_ptr<Sandbox>> holders;
    for (size_t i = 0; i < kHolders; ++i) {
      holders.push_back(machine.sandbox());
      machine.script = {ready(), [](GuestView& g) {
                          std::memcpy(g.bytes().data() + 0x9000, "held", 4);
                          return result(GLINT_ABI_STRING, 0x9000, 4)(g);
                        }};
      ASSERT_TRUE(machine.call(*holders.back(), ScriptedMachine::kGreet, {text_value("x")}));
    }
    EXPECT_EQ(machine.engine->counters().vms_live, kHolders);
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (auto& holder : holders) {
      threads.emplace_back([&go, &holder] {
        while (!go) std::this_thread::yield();
        holder->release_result();
      });
    }
    go = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(machine.engine->counters().vms_live, kLimit);
  }
}

TEST_F(Turns, ManyThreadsTakeTurnsOnTwoShells) {
  // The guest lives in its memory alone, so that any thread may play it: a counter in the window.
  std::shared_ptr<Image> image;
  auto hypervisor = std::make_shared<FakeHypervisor>([&image](FakeVcpu& vcpu) -> Result<Exit> {
    GuestView g(vcpu, image->layout());
    if (g.header().request == GLINT_REQUEST_NONE) return g.leave(GLINT_EXIT_READY);
    uint64_t count = 0;
    std::memcpy(&count, g.window(), sizeof count);
    ++count;
    std::memcpy(g.window(), &count, sizeof count);
    EXPECT_EQ(vcpu.registers.r13 + 1, count);
    vcpu.registers.r13 = count;
    return result(GLINT_ABI_I64, count)(g);
  });
  auto engine = Engine::with_hypervisor(hypervisor, {}, 2);
  ElfBuilder elf;
  elf.functions = {elf_function(GLINT_ABI_EXPORT, "count", GLINT_ABI_I64, {})};
  image = Image::load(engine, elf.build().bytes, {}).value();

  constexpr int kThreads = 4, kSandboxes = 6, kCalls = 200;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      std::vector<std::unique_ptr<Sandbox>> mine;
      for (int i = 0; i < kSandboxes; ++i)
        mine.push_back(std::move(Sandbox::create(image, nullptr, {})).value());
      for (uint64_t call = 1; call <= kCalls; ++call) {
        for (auto& s : mine) {
          auto value = s->call(0, {});
          if (!value || value->bits != call) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(engine->counters().vms_live, 2u);
  EXPECT_LE(hypervisor->vms_live(), 2u);
}

// As on Linux before 6.12, where a vCPU makes a thread wait when another one ran it last.
class ThreadsThatWait : public ::testing::Test {
 protected:
  ThreadsThatWait() {
    hypervisor_->make_threads_wait();
    engine_ = Engine::with_hypervisor(hypervisor_, {}, 2);
    ElfBuilder elf;
    elf.functions = {elf_function(GLINT_ABI_EXPORT, "nothing", GLINT_ABI_VOID, {})};
    image_ = Image::load(engine_, elf.build().bytes, {}).value();
    snapshot_ = Sandbox::create(image_, nullptr, {}).value()->snapshot().value();
    waits_ = 0;
  }

  // So often on two threads at once; nothing but the two makes VMs.
  void on_two_threads(int times, const std::function<void()>& what) {
    const auto repeat = [&] {
      for (int i = 0; i < times; ++i) what();
    };
    std::thread first(repeat), second(repeat);
    first.join();
    second.join();
  }

  Result<Exit> play(FakeVcpu& vcpu) {
    {
      const std::lock_guard lock(mutex_);
      const auto [runner, is_new] = runners_.try_emplace(&vcpu, ::gettid());
      if (runner->second != ::gettid()) ++waits_;
      runner->second = ::gettid();
    }
    GuestView g(vcpu, image_->layout());
    const bool is_call = g.header().request != GLINT_REQUEST_NONE;
    return g.leave(is_call ? GLINT_EXIT_RESULT : GLINT_EXIT_READY);
  }

  std::shared_ptr<FakeHypervisor> hypervisor_ =
      std::make_shared<FakeHypervisor>([this](FakeVcpu& vcpu) { return play(vcpu); });
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Image> image_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::mutex mutex_;
  std::map<const FakeVcpu*, pid_t> runners_;
  int waits_ = 0;
};

TEST_F(ThreadsThatWait, EachThreadHasItsOwnShellsUpToTheLimit) {
  const auto call_a_new_one = [&] {
    auto sandbox = Sandbox::create(snapshot_, nullptr, {}).value();
    EXPECT_TRUE(sandbox->call(0, {}));
  };
  call_a_new_one();  // this thread has one of the two
  std::thread([&] {
    for (int i = 0; i < 20; ++i) call_a_new_one();
  }).join();
  EXPECT_EQ(waits_, 0);
  EXPECT_EQ(engine_->counters().vms_created, 2u);
  std::thread(call_a_new_one).join();
  EXPECT_EQ(waits_, 1) << "at the limit it takes another thread's";
  EXPECT_EQ(engine_->counters().vms_created, 2u);
}

TEST_F(ThreadsThatWait, APoolHandsOutWhatTheThreadUsedLastAndHasNoThread) {
  PoolOptions options;
  options.size = 4;
  options.warm = 2;
  const auto pool = Pool::create(snapshot_, nullptr, options).value();
  constexpr int kLoans = 200;
  on_two_threads(kLoans, [&] {
    auto sandbox = pool->acquire({}).value();
    EXPECT_TRUE(sandbox->call(0, {}));
    pool->give_back(std::move(sandbox));
  });
  EXPECT_EQ(pool->counters().restored, 2u * kLoans) << "by who gave it back";
  EXPECT_LE(waits_, 10) << "of " << 2 * kLoans;
}

}  // namespace
}  // namespace glint::test
