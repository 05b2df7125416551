// SPDX-License-Identifier: Apache-2.0
//
// The timer that ends calls whose time is over: alone, with bare controls, and under a sandbox.

#include "sandbox/deadline_timer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "call_loop_fixture.hpp"
#include "in_a_child.hpp"

namespace glint::test {
namespace {

using namespace std::chrono_literals;
using State = Sandbox::State;

constexpr uint64_t kMillisecond = 1'000'000, kSecond = 1'000'000'000, kHour = 3600 * kSecond;  // ns

uint64_t now() { return clock_ns(CLOCK_MONOTONIC); }
uint64_t cpu_time() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

// Long enough for any machine: only a failure takes so long.
template <class Condition>
bool comes_true(Condition condition) {
  const uint64_t end = now() + 60 * kSecond;
  while (!condition()) {
    if (now() > end) return false;
    std::this_thread::sleep_for(100us);
  }
  return true;
}

// ---- the timer alone ----

// What a sandbox has to do with its timer.
struct Caller {
  explicit Caller(DeadlineTimer& its_timer) : timer(its_timer) {}

  uint64_t begin(uint64_t when) {
    const uint64_t number = control->begin();
    EXPECT_TRUE(timer.arm(place, number, when));
    return number;
  }
  bool stopped() const { return control->reason() == StopReason::kDeadline; }

  DeadlineTimer& timer;
  const std::shared_ptr<CallControl> control = std::make_shared<CallControl>();
  const DeadlineTimer::Place place = timer.enroll(control);
};

TEST(DeadlineTimer, StopsEachOfManyAndNoneBeforeItsTime) {
  struct Timed {
    explicit Timed(DeadlineTimer& timer) : caller(timer) {}
    Caller caller;
    uint64_t when = 0;
    std::atomic<uint64_t> stopped_at{0};
  };
  DeadlineTimer timer;
  std::mt19937 random(1);  // the same numbers in each run
  std::vector<std::unique_ptr<Timed>> all;
  uint64_t latest = 0;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(std::make_unique<Timed>(timer));
    Timed& one = *all.back();
    one.when = now() + random() % (50 * kMillisecond);
    latest = std::max(latest, one.when);
    one.caller.begin(one.when);
    EXPECT_TRUE(one.caller.control->set_notify([&] { one.stopped_at = now(); }));
    // Every other one ends at once, and its next call has no deadline.
    if (i % 2 == 0) continue;
    one.caller.control->clear_notify();
    one.caller.control->end();
    one.caller.control->begin();
  }
  EXPECT_EQ(timer.places(), 1000u);
  for (size_t i = 0; i < all.size(); i += 2) {
    ASSERT_TRUE(comes_true([&] { return all[i]->stopped_at != 0; })) << i;
    EXPECT_GE(all[i]->stopped_at, all[i]->when) << i;
    EXPECT_TRUE(all[i]->caller.stopped()) << i;
  }
  // When the timer has come to a later one, it has been at all of them.
  Caller last(timer);
  last.begin(latest + 1);
  ASSERT_TRUE(comes_true([&] { return last.stopped(); }));
  for (size_t i = 1; i < all.size(); i += 2) EXPECT_FALSE(all[i]->caller.stopped()) << i;
  all.clear();
  EXPECT_EQ(timer.places(), 1u);
}

TEST(DeadlineTimer, AnEarlierDeadlineComesFirst) {
  DeadlineTimer timer;
  Caller late(timer), early(timer);
  late.begin(now() + kHour);
  std::this_thread::sleep_for(5ms);  // the timer waits for it
  early.begin(now() + 5 * kMillisecond);
  EXPECT_TRUE(comes_true([&] { return early.stopped(); }));
  EXPECT_FALSE(late.stopped());
  // Also one of the sandbox whose later one it waits for.
  late.control->end();
  late.begin(now() + 5 * kMillisecond);
  EXPECT_TRUE(comes_true([&] { return late.stopped(); }));
}

TEST(DeadlineTimer, ADeadlineThatIsOverIsServedAtOnce) {
  DeadlineTimer timer;
  Caller caller(timer);
  for (const uint64_t when : {uint64_t{1}, now() - 1, now()}) {
    caller.begin(when);
    EXPECT_TRUE(comes_true([&] { return caller.stopped(); }));
    caller.control->end();
  }
}

TEST(DeadlineTimer, LongAndShortDeadlinesInTurnTakeOnePlace) {
  DeadlineTimer timer;
  Caller caller(timer);
  for (int i = 0; i < 200; ++i) {
    caller.begin(now() + kHour);
    EXPECT_EQ(timer.places(), 1u);
    caller.control->end();
    caller.begin(now() + 100'000);
    EXPECT_EQ(timer.places(), 1u);
    ASSERT_TRUE(comes_true([&] { return caller.stopped(); })) << i;
    caller.control->end();
  }
}

TEST(DeadlineTimer, AnEarlierCallsTimeWakesItForTheLaterCallsDeadline) {
  DeadlineTimer timer;
  Caller caller(timer);
  caller.begin(now() + 5 * kMillisecond);
  caller.control->end();
  const uint64_t when = now() + 20 * kMillisecond;
  caller.begin(when);
  EXPECT_TRUE(comes_true([&] { return caller.stopped(); }));
  EXPECT_GE(now(), when);
}

// ---- places that go ----

// The timer is inside the call of a sandbox: there it stays until `go`.
struct Holder {
  explicit Holder(Caller& caller) {
    EXPECT_TRUE(caller.control->set_notify([this] {
      inside = true;
      while (!go) std::this_thread::yield();
    }));
  }
  std::atomic<bool> inside{false}, go{false};
};

TEST(DeadlineTimer, APlaceMayGoWhileItIsQueued) {
  DeadlineTimer timer;
  std::optional<Caller> soon(timer), late(timer);
  soon->begin(now() + 10 * kMillisecond);
  late->begin(now() + kHour);
  const std::weak_ptr<CallControl> control = soon->control;
  soon.reset();
  EXPECT_TRUE(control.expired());
  EXPECT_EQ(timer.places(), 1u);
  late.reset();
  EXPECT_EQ(timer.places(), 0u);
  Caller next(timer);
  next.begin(now() + 15 * kMillisecond);
  EXPECT_TRUE(comes_true([&] { return next.stopped(); }));
}

TEST(DeadlineTimer, APlaceMayGoWhileItIsServed) {
  DeadlineTimer timer;
  std::optional<Caller> caller(timer);
  Holder holder(*caller);
  caller->begin(now());
  ASSERT_TRUE(comes_true([&] { return holder.inside.load(); }));
  const std::weak_ptr<CallControl> control = caller->control;
  caller.reset();
  EXPECT_FALSE(control.expired()) << "the timer is inside";
  EXPECT_EQ(timer.places(), 0u);
  holder.go = true;
  EXPECT_TRUE(comes_true([&] { return control.expired(); }));
  Caller next(timer);
  next.begin(now());
  EXPECT_TRUE(comes_true([&] { return next.stopped(); }));
}

// The timer has found that the call of its place has more time, and finds the place gone.
TEST(DeadlineTimer, APlaceMayGoWhileItIsToBeMovedOn) {
  DeadlineTimer timer;
  std::optional<Caller> caller(timer);
  const uint64_t first = now() + 5 * kMillisecond;
  caller->begin(first);
  caller->control->end();
  const uint64_t number = caller->begin(first + kHour);
  const auto control = caller->control;
  EXPECT_TRUE(control->stop(number, StopReason::kInterrupt));
  // Called at once, under the mutex that the timer needs.
  EXPECT_TRUE(control->set_notify([&] {
    while (now() < first + 20 * kMillisecond) std::this_thread::sleep_for(1ms);
    caller.reset();
  }));
  EXPECT_EQ(timer.places(), 0u);
  Caller next(timer);
  next.begin(now());
  EXPECT_TRUE(comes_true([&] { return next.stopped(); }));
  EXPECT_EQ(timer.places(), 1u);
}

TEST(DeadlineTimer, OthersAreArmedWhileItServes) {
  DeadlineTimer timer;
  Caller held(timer), other(timer);
  Holder holder(held);
  held.begin(now());
  ASSERT_TRUE(comes_true([&] { return holder.inside.load(); }));
  other.begin(now() + kHour);
  other.control->end();
  other.begin(now());
  const uint64_t armed = now();
  holder.go = true;
  EXPECT_TRUE(comes_true([&] { return other.stopped(); }));
  EXPECT_GE(now(), armed);
}

TEST(DeadlineTimer, CallersComeAndGoInManyThreads) {
  DeadlineTimer timer;
  std::atomic<uint64_t> stopped{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&timer, &stopped, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 1000; ++i) {
        Caller caller(timer);
        for (unsigned calls = random() % 4; calls > 0; --calls) {
          caller.begin(now() + random() % 100'000);
          if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
          caller.control->end();
        }
        caller.begin(now() + random() % 100'000);
        if (random() % 4 != 0) continue;
        // One in four waits for its end; the others go with their calls.
        if (!comes_true([&] { return caller.stopped(); })) ADD_FAILURE() << "a stop was missed";
        ++stopped;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(stopped, 0u);
  EXPECT_EQ(timer.places(), 0u);
}

TEST(DeadlineTimer, GoesWhileItsThreadWaits) {
  const uint64_t begin = now();
  {
    const DeadlineTimer never_used;
  }
  {
    DeadlineTimer timer;
    const Caller never_armed(timer);
  }
  {
    DeadlineTimer timer;
    Caller(timer).begin(now() + kHour);
    std::this_thread::sleep_for(5ms);  // it waits for an hour, or for another place
  }
  for (int i = 0; i < 200; ++i) {
    DeadlineTimer timer;
    Caller(timer).begin(now() + kHour);  // its thread has hardly begun
  }
  EXPECT_LT(now() - begin, 30 * kSecond);
}

TEST(DeadlineTimer, TheEndOfTimeNeverComes) {
  DeadlineTimer timer;
  Caller caller(timer), other(timer);
  caller.begin(DeadlineTimer::kLatest);
  std::this_thread::sleep_for(5ms);  // the thread has started
  const uint64_t before = cpu_time();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(cpu_time() - before, 50 * kMillisecond) << "the timer spins";
  EXPECT_FALSE(caller.stopped());
  other.begin(now() + 5 * kMillisecond);
  EXPECT_TRUE(comes_true([&] { return other.stopped(); }));
  EXPECT_FALSE(caller.stopped());
  // It is a time like others: an earlier one takes its place, and it may follow one.
  caller.control->end();
  caller.begin(now() + 5 * kMillisecond);
  EXPECT_TRUE(comes_true([&] { return caller.stopped(); }));
  caller.control->end();
  caller.begin(now() + 5 * kMillisecond);
  caller.control->end();
  caller.begin(DeadlineTimer::kLatest);
  const uint64_t moved = cpu_time();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(cpu_time() - moved, 50 * kMillisecond) << "the timer spins";
  EXPECT_FALSE(caller.stopped());
}

TEST(DeadlineTimer, NothingDueTakesNoTime) {
  DeadlineTimer timer;
  Caller caller(timer), ended(timer);
  ended.begin(now());
  EXPECT_TRUE(comes_true([&] { return ended.stopped(); }));
  caller.begin(now() + kHour);
  std::this_thread::sleep_for(5ms);
  const uint64_t before = cpu_time();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(cpu_time() - before, 50 * kMillisecond) << "the timer spins";
}

// ---- children of fork ----

TEST(DeadlineTimer, AChildOfForkDestroysItsCopies) {
  std::optional<DeadlineTimer> timer(std::in_place);
  std::optional<Caller> waited_for(*timer), idle(*timer);
  waited_for->begin(now() + kHour);
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(in_a_child([&] {
              {
                const auto of_no_timer = timer->enroll(std::make_shared<CallControl>());
              }
              waited_for.reset();
              idle.reset();
              timer.reset();
              return 7;
            }),
            7);
  EXPECT_EQ(timer->places(), 2u);
  idle->begin(now());
  EXPECT_TRUE(comes_true([&] { return idle->stopped(); }));
}

TEST(DeadlineTimer, AChildOfForkDestroysItsCopiesWhileItsParentWorks) {
  std::optional<DeadlineTimer> timer(std::in_place);
  std::optional<Caller> caller(*timer);
  caller->begin(now() + kHour);
  std::atomic<bool> end{false};
  std::thread busy([&] {
    while (!end) Caller(*timer).begin(now());
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(in_a_child([&] {
                caller.reset();
                timer.reset();
                return 7;
              }),
              7)
        << i;
  }
  end = true;
  busy.join();
}

// ---- under a sandbox ----

class Deadlines : public CallLoop {
 protected:
  static CallOptions within(uint64_t ns) { return {.deadline_ns = ns, .interrupt = nullptr}; }
  Result<Value> call_flag(Sandbox& s, uint64_t ns) { return s.call(ScriptedMachine::kFlag, {}, within(ns)); }
  // The guest works until somebody kicks it, and then leaves as `then` says.
  static Step kicked(Step then) {
    return [then = std::move(then)](GuestView& g) {
      static_cast<void>(g.vcpu.run_until_kicked());
      return then(g);
    };
  }
  const Step yes = result(GLINT_ABI_BOOL, 1);
};

// Deadlines behind what the clock can say, and such that are just not.
const std::vector<uint64_t> kEndless = {INT64_MAX - kHour * 24 * 365 * 200,
                                        INT64_MAX - 1,
                                        INT64_MAX,
                                        uint64_t{INT64_MAX} + 1,
                                        UINT64_MAX - 1,
                                        kNoDeadline};

TEST_F(Deadlines, AsLongAsTheyCanBeEndNothingAndHoldUpNobody) {
  auto s = ready_sandbox();
  for (const uint64_t ns : kEndless) {
    auto held = ready_sandbox();
    machine.script = {
        [&](GuestView& g) {
          // This call is under way when another one's time is over.
          auto looping = ready_sandbox();
          machine.script = {kicked(test::interrupted())};
          EXPECT_EQ(call_flag(*looping, 5 * kMillisecond).error().code, GLINT_E_DEADLINE);
          machine.script = {yes};
          return yes(g);
        },
    };
    EXPECT_TRUE(call_flag(*held, ns)) << ns;
    machine.script = {yes};
    EXPECT_TRUE(call_flag(*s, ns)) << ns;
  }
}

TEST_F(Deadlines, ThatAreOverWhenAVmWasFoundStopBeforeTheGuestRuns) {
  auto s = ready_sandbox();
  const uint64_t runs = machine.runs;
  for (int i = 0; i < 200; ++i) {
    machine.script = {yes};
    auto ended = call_flag(*s, 1);
    ASSERT_FALSE(ended) << i;
    EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
    EXPECT_NE(ended.error().message.find("before the guest ran"), std::string::npos) << ended.error().message;
    EXPECT_EQ(s->state(), State::kReady);
  }
  EXPECT_EQ(machine.runs, runs);
  EXPECT_TRUE(call_flag(*s, kNoDeadline));
}

TEST_F(Deadlines, DuringTheStartPoisonOnceTheGuestRan) {
  bool ran = false;
  for (uint64_t ns = 5 * kMillisecond; !ran; ns *= 2) {
    auto s = machine.sandbox();
    machine.script = {test::interrupted(), kicked(test::interrupted())};
    const uint64_t runs = machine.runs;
    auto ended = s->run(within(ns));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
    // A machine that is busy may have let all the time pass before.
    ran = machine.runs != runs;
    EXPECT_EQ(s->state(), ran ? State::kPoisoned : State::kNew);
  }
}

TEST_F(Deadlines, BetweenTheStartAndTheCallLeaveTheSandboxReady) {
  bool ran = false;
  for (uint64_t ns = 5 * kMillisecond; !ran; ns *= 2) {
    auto s = machine.sandbox();
    machine.script = {kicked(ready()), yes};
    const uint64_t runs = machine.runs;
    auto ended = call_flag(*s, ns);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
    ran = machine.runs != runs;
    if (!ran) continue;
    EXPECT_EQ(machine.runs, runs + 1) << "the call went to the guest";
    EXPECT_EQ(s->state(), State::kReady);
    EXPECT_TRUE(call_flag(*s, kNoDeadline));
  }
}

TEST_F(Deadlines, BeforeTheStartCostNothingThatWasCounted) {
  auto s = machine.sandbox();
  auto before = s->counters();
  const auto expect_no_less = [&] {
    const auto after = s->counters();
    EXPECT_GE(after.calls, before.calls);
    EXPECT_GE(after.host_calls, before.host_calls);
    EXPECT_GE(after.exits, before.exits);
    EXPECT_GE(after.ioctls, before.ioctls);
    EXPECT_GE(after.attaches, before.attaches);
    EXPECT_GE(after.output_bytes, before.output_bytes);
    before = after;
  };
  for (uint64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(s->run(within(1)).error().code, GLINT_E_DEADLINE);
    EXPECT_EQ(s->state(), State::kNew);
    expect_no_less();
    EXPECT_EQ(before.attaches, i) << "each try has taken a VM";
  }
  EXPECT_GT(before.ioctls, 0u);
  machine.script = {ready(), yes};
  EXPECT_TRUE(call_flag(*s, kNoDeadline));
  expect_no_less();
  EXPECT_EQ(before.attaches, 6u);
  EXPECT_EQ(before.calls, 1u);
}

TEST_F(Deadlines, OfAnEngineMayBeEndlessToo) {
  ElfBuilder elf;
  elf.functions = {elf_function(GLINT_ABI_EXPORT, "nothing", GLINT_ABI_VOID, {}),
                   elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {})};
  constexpr uint32_t kNothing = 0, kSpin = 1;
  for (const uint64_t ns : kEndless) {
    EngineOptions options;
    options.backend = EngineOptions::Backend::kFake;
    options.deadline_ns = ns;
    auto own = Engine::create(options).value();
    auto image = Image::load(own, elf.build().bytes, {}).value();
    auto first = std::move(Sandbox::create(image, nullptr, {})).value();
    auto second = std::move(Sandbox::create(image, nullptr, {})).value();
    EXPECT_TRUE(first->call(kNothing, {})) << ns;
    EXPECT_EQ(second->call(kSpin, {}, within(5 * kMillisecond)).error().code, GLINT_E_DEADLINE) << ns;
    EXPECT_TRUE(first->call(kNothing, {})) << ns;
    const std::weak_ptr<Engine> gone = own;
    const uint64_t begin = now();
    first.reset();
    second.reset();
    image.reset();
    own.reset();
    EXPECT_TRUE(gone.expired());
    EXPECT_LT(now() - begin, 30 * kSecond) << ns;
  }
}

// A deadline that passes between two calls, while the result of the first one is looked at.
TEST_F(Deadlines, DoNothingToAViewThatIsHeld) {
  constexpr std::string_view kText = "a result";
  const std::vector<Value> arguments = {text_value("who")};
  for (uint64_t ns = 5 * kMillisecond;; ns *= 2) {
    auto s = ready_sandbox();
    machine.script = {[&](GuestView& g) {
      std::memcpy(g.bytes().data() + kGuestFrame + 64, kText.data(), kText.size());
      return result(GLINT_ABI_STRING, kGuestFrame + 64, kText.size())(g);
    }};
    auto view = s->call(ScriptedMachine::kGreet, arguments, within(ns));
    if (!view) continue;  // a busy machine
    Caller last(machine.engine->timer());
    last.begin(now() + ns);
    ASSERT_TRUE(comes_true([&] { return last.stopped(); })) << "the view's deadline was served before";
    EXPECT_EQ(text_of(*view), kText);
    EXPECT_EQ(s->state(), State::kReady);
    machine.script = {yes};
    EXPECT_TRUE(call_flag(*s, kNoDeadline));
    return;
  }
}

}  // namespace
}  // namespace glint::test
