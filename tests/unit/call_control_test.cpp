// SPDX-License-Identifier: Apache-2.0
//
// The protocol by which other threads end a call (docs/interrupts.md), in every order of its steps.

#include "sandbox/call_control.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hypervisor/fake/fake.hpp"
#include "sandbox/interrupt.hpp"

namespace glint::core {
namespace {

// A vCPU that counts what is done to it.
class KickedVcpu : public ::testing::Test {
 protected:
  KickedVcpu()
      : hypervisor(std::make_shared<FakeHypervisor>([](FakeVcpu&) { return exit_by_port(0x80); })),
        vm(hypervisor->create_vm().value()),
        vcpu(vm->create_vcpu().value()) {}

  bool kicked() const { return static_cast<FakeVcpu&>(*vcpu).kicked(); }

  std::shared_ptr<FakeHypervisor> hypervisor;
  std::unique_ptr<Vm> vm;
  std::unique_ptr<Vcpu> vcpu;
  CallControl control;
};

TEST_F(KickedVcpu, NumbersOfCallsNeverComeAgain) {
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 3; ++i) {
    numbers.push_back(control.begin());
    control.end();
  }
  EXPECT_LT(numbers[0], numbers[1]);
  EXPECT_LT(numbers[1], numbers[2]);
}

TEST_F(KickedVcpu, TheFirstReasonStays) {
  const uint64_t number = control.begin();
  EXPECT_TRUE(control.stop(number, StopReason::kDeadline));
  EXPECT_FALSE(control.stop(number, StopReason::kInterrupt));
  EXPECT_EQ(control.reason(), StopReason::kDeadline);
}

TEST_F(KickedVcpu, OnlyACallThatIsInTheGuestIsKicked) {
  uint64_t number = control.begin();
  EXPECT_TRUE(control.stop(number, StopReason::kInterrupt));
  EXPECT_FALSE(kicked());
  EXPECT_EQ(control.enter_guest(*vcpu), StopReason::kInterrupt);
  control.end();
  number = control.begin();
  EXPECT_EQ(control.enter_guest(*vcpu), StopReason::kNone);
  EXPECT_TRUE(control.stop(number, StopReason::kInterrupt));
  EXPECT_TRUE(kicked());
  control.leave_guest();
  EXPECT_FALSE(kicked()) << "a kick outlived the stay in the guest";
}

// Two calls with two stays in the guest each. The steps of the running thread, in their only order …
struct Runner {
  CallControl& control;
  Vcpu& vcpu;
  std::vector<uint64_t> numbers{};
  bool in_call = false;
  bool inside = false;
  int entries = 0;

  static constexpr int kSteps = 12;
  static constexpr int kStepsOfACall = 6;  // begin, enter, leave, enter, leave, end

  void step(int number) {
    switch (number % kStepsOfACall) {
      case 0:
        numbers.push_back(control.begin());
        in_call = true;
        break;
      case 1:
      case 3:
        inside = control.enter_guest(vcpu) == StopReason::kNone;
        entries += inside ? 1 : 0;
        break;
      case 2:
      case 4:
        if (inside) control.leave_guest();
        inside = false;
        break;
      default:
        control.end();
        in_call = false;
    }
  }
};

// … and two stops, of any call and any reason, put between them at every pair of places.
TEST_F(KickedVcpu, AStopReachesItsCallAndNoOtherInEveryOrder) {
  int told = 0;
  for (int first_at = 0; first_at <= Runner::kSteps; ++first_at) {
    for (int second_at = first_at; second_at <= Runner::kSteps; ++second_at) {
      for (int choice = 0; choice < 4; ++choice) {
        CallControl fresh;
        // The numbers that two calls of a fresh control get.
        const uint64_t first = 1, second = 3;
        const uint64_t targets[2] = {(choice & 1) != 0 ? second : first, (choice & 2) != 0 ? second : first};
        Runner runner{fresh, *vcpu};
        bool stopped[2] = {};  // by call
        const auto stop = [&](uint64_t target) {
          const uint64_t running = runner.numbers.empty() ? 0 : runner.numbers.back();
          const bool under_way = runner.in_call && running == target;
          const size_t call = target == first ? 0 : 1;
          const bool expected = under_way && !stopped[call];
          const bool was_inside = runner.inside;
          ASSERT_EQ(fresh.stop(target, StopReason::kInterrupt), expected);
          if (expected) {
            stopped[call] = true;
            ++told;
            ASSERT_EQ(kicked(), was_inside);
          }
        };
        for (int step = 0; step <= Runner::kSteps; ++step) {
          if (step == first_at) stop(targets[0]);
          if (step == second_at) stop(targets[1]);
          if (step == Runner::kSteps) break;
          const size_t call = static_cast<size_t>(step / Runner::kStepsOfACall);
          const int entries = runner.entries;
          runner.step(step);
          if (stopped[call]) {
            ASSERT_EQ(runner.entries, entries) << "a stopped call entered the guest";
          }
          if (!runner.inside) {
            ASSERT_FALSE(kicked()) << "a kick is left for the next stay";
          }
          const bool is_entry = step % Runner::kStepsOfACall == 1 || step % Runner::kStepsOfACall == 3;
          if (is_entry && !stopped[call]) {
            ASSERT_TRUE(runner.inside) << "a call that nobody stopped was kept out";
          }
        }
      }
    }
  }
  EXPECT_GT(told, 100);
}

TEST_F(KickedVcpu, TellsAHostFunctionOnceAndNeverAfterItReturned) {
  const uint64_t number = control.begin();
  int told = 0;
  EXPECT_TRUE(control.set_notify([&] { ++told; }));
  EXPECT_FALSE(control.set_notify([&] { told += 100; }));
  control.stop(number, StopReason::kInterrupt);
  control.stop(number, StopReason::kDeadline);
  EXPECT_EQ(told, 1);
  control.clear_notify();
  control.end();
  control.stop(control.begin(), StopReason::kInterrupt);
  EXPECT_EQ(told, 1);
}

TEST_F(KickedVcpu, TellsAHostFunctionAtOnceThatAsksTooLate) {
  control.stop(control.begin(), StopReason::kInterrupt);
  int told = 0;
  EXPECT_TRUE(control.set_notify([&] { ++told; }));
  EXPECT_EQ(told, 1);
}

TEST_F(KickedVcpu, ADeadlineIsQueuedOnceForManyCalls) {
  uint64_t number = control.begin();
  EXPECT_TRUE(control.set_deadline(number, 1000));
  control.end();
  number = control.begin();
  EXPECT_FALSE(control.set_deadline(number, 2000)) << "the timer wakes up at 1000 anyhow";
  EXPECT_EQ(control.deadline_passed(1000, 1000), std::optional<uint64_t>(2000));
  EXPECT_EQ(control.reason(), StopReason::kNone);
  EXPECT_EQ(control.deadline_passed(2000, 2001), std::nullopt);
  EXPECT_EQ(control.reason(), StopReason::kDeadline);
}

TEST_F(KickedVcpu, AnEarlierDeadlineTakesThePlaceOfALaterOne) {
  uint64_t number = control.begin();
  EXPECT_TRUE(control.set_deadline(number, 5000));
  control.end();
  number = control.begin();
  EXPECT_TRUE(control.set_deadline(number, 100));
  EXPECT_EQ(control.deadline_passed(100, 100), std::nullopt);
  EXPECT_EQ(control.reason(), StopReason::kDeadline);
  control.end();
  number = control.begin();
  EXPECT_TRUE(control.set_deadline(number, 6000));
  EXPECT_EQ(control.deadline_passed(5000, 5000), std::nullopt) << "an entry that was replaced";
  EXPECT_EQ(control.reason(), StopReason::kNone);
}

TEST_F(KickedVcpu, ADeadlineDoesNotReachTheNextCall) {
  EXPECT_TRUE(control.set_deadline(control.begin(), 10));
  control.end();
  control.begin();  // without a deadline
  EXPECT_EQ(control.deadline_passed(10, 20), std::nullopt);
  EXPECT_EQ(control.reason(), StopReason::kNone);
}

TEST_F(KickedVcpu, AnInterruptReachesTheCallsThatHaveIt) {
  Interrupt interrupt;
  CallControl other, stranger;
  interrupt.link(control, control.begin());
  interrupt.link(other, other.begin());
  stranger.begin();
  EXPECT_EQ(interrupt.raise(), 2u);
  EXPECT_EQ(interrupt.raise(), 0u) << "they have been told";
  EXPECT_EQ(control.reason(), StopReason::kInterrupt);
  EXPECT_EQ(other.reason(), StopReason::kInterrupt);
  EXPECT_EQ(stranger.reason(), StopReason::kNone);
}

TEST_F(KickedVcpu, AnInterruptStaysRaisedForLaterCallsAndForgetsEndedOnes) {
  Interrupt interrupt;
  const uint64_t number = control.begin();
  interrupt.link(control, number);
  interrupt.unlink(control);
  control.end();
  EXPECT_EQ(interrupt.raise(), 0u);
  control.begin();
  EXPECT_EQ(control.reason(), StopReason::kNone);
  control.end();
  interrupt.link(control, control.begin());
  EXPECT_EQ(control.reason(), StopReason::kInterrupt);
}

}  // namespace
}  // namespace glint::core
