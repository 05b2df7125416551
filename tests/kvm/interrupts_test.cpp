// SPDX-License-Identifier: Apache-2.0
//
// Interrupts and deadlines of guests that really run.

#include <signal.h>

#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "hypervisor/kick_signal.hpp"

namespace glint::test {
namespace {

class InterruptsOfGuests : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (engine) image_ = load_image(engine, "faults");
  }
  std::unique_ptr<Sandbox> open() { return make_sandbox(image_); }

  static Result<Value> call_function(Sandbox& sandbox, std::string_view name, const CallOptions& options) {
    GLINT_TRY_ASSIGN(function, sandbox.image().find_export(name));
    return sandbox.call(function, {}, options);
  }

 private:
  std::shared_ptr<Image> image_;
};

TEST_F(InterruptsOfGuests, ADeadlineEndsAnEndlessLoopAndNamesItsFunction) {
  auto sandbox = open();
  ASSERT_TRUE(call_function(*sandbox, "fine", {}));  // started: where all is emulated, that takes long
  auto ended = call_function(*sandbox, "loop_for_ever", {.deadline_ns = 20'000'000, .interrupt = nullptr});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
  EXPECT_NE(ended.error().message.find("loop_for_ever"), std::string::npos) << ended.error().message;
  EXPECT_EQ(sandbox->state(), Sandbox::State::kPoisoned);
}

TEST_F(InterruptsOfGuests, TheVmOfAnInterruptedSandboxServesTheNextOne) {
  for (uint32_t round = 0; round < scaled(20); ++round) {
    auto looping = open();
    auto ended = call_function(*looping, "loop_for_ever", {.deadline_ns = 1'000'000, .interrupt = nullptr});
    ASSERT_EQ(ended.error().code, GLINT_E_DEADLINE);
    auto good = open();
    ASSERT_TRUE(call_function(*good, "fine", {}));
  }
}

// Interrupts at random moments of calls that end by themselves: each call ends well or as interrupted, never
// otherwise; and calls without an interrupt, on the same threads' sandboxes, always end well.
TEST_F(InterruptsOfGuests, ReachTheirCallsAndNoOthersUnderLoad) {
  constexpr int kThreads = 2;
  std::atomic<uint64_t> interrupted{0}, finished{0}, false_ones{0}, others{0};
  const auto work = [&](uint32_t seed) {
    uint32_t state = seed;
    auto quiet = open();
    for (uint32_t round = 0; round < scaled(400); ++round) {
      auto sandbox = open();
      auto interrupt = std::make_shared<Interrupt>();
      ASSERT_TRUE(call_function(*sandbox, "fine", {}));  // started; its next call is short
      state = state * 1664525u + 1013904223u;
      const uint32_t wait = (state >> 16) % 4000;
      std::thread raiser([&] {
        for (uint32_t i = 0; i < wait; ++i) __asm__ volatile("pause");
        interrupt->raise();
      });
      auto ended = call_function(*sandbox, round % 4 == 0 ? "loop_for_ever" : "fine",
                                 {.deadline_ns = kNoDeadline, .interrupt = interrupt});
      if (ended) {
        ++finished;
      } else if (ended.error().code == GLINT_E_INTERRUPTED) {
        ++interrupted;
      } else {
        ++others;
      }
      if (!call_function(*quiet, "fine", {})) ++false_ones;
      raiser.join();
      if (!call_function(*quiet, "fine", {})) ++false_ones;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, 7u + static_cast<uint32_t>(i));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(others, 0u);
  EXPECT_EQ(false_ones, 0u);
  EXPECT_GE(interrupted, kThreads * scaled(400) / 4) << "every loop must have been interrupted";
  EXPECT_GT(finished, 0u);
}

TEST_F(InterruptsOfGuests, AreSeenByAThreadThatBlocksAllSignals) {
  sigset_t all, old;
  sigfillset(&all);
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &all, &old), 0);
  auto sandbox = open();
  auto ended = call_function(*sandbox, "loop_for_ever", {.deadline_ns = 5'000'000, .interrupt = nullptr});
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &old, &after);
  EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
  EXPECT_EQ(sigismember(&after, kick_signal()), 1) << "the thread's mask must be as it was";
}

TEST_F(InterruptsOfGuests, TheKickSignalIsRealTimeAndNotTheOneOfDotnet) {
  EXPECT_GT(kick_signal(), SIGRTMIN);
  EXPECT_LE(kick_signal(), SIGRTMAX);
  struct sigaction action{};
  ASSERT_EQ(::sigaction(kick_signal(), nullptr, &action), 0);
  EXPECT_NE(action.sa_flags & SA_ONSTACK, 0);
  EXPECT_EQ(action.sa_flags & SA_RESTART, 0);
}

TEST_F(InterruptsOfGuests, AnotherKickSignalIsRefusedOnceThereIsOne) {
  EXPECT_EQ(install_kick_signal(static_cast<uint32_t>(SIGRTMIN)).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(install_kick_signal(SIGUSR1).error().code, GLINT_E_INVALID_ARGUMENT);
  const auto other = static_cast<uint32_t>(kick_signal() == SIGRTMAX ? SIGRTMAX - 1 : SIGRTMAX);
  EXPECT_EQ(install_kick_signal(other).error().code, GLINT_E_BUSY);
  EXPECT_TRUE(install_kick_signal(static_cast<uint32_t>(kick_signal())));
}

}  // namespace
}  // namespace glint::test
