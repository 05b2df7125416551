// SPDX-License-Identifier: Apache-2.0
//
// Every order of interrupt, deadline, foreign signal, exit and next call. All scripts of up to three exits
// are played to all ends; in each, stops come at every place. A model says what must come of it.

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "call_loop_fixture.hpp"
#include "call_orders_model.hpp"
#include "in_a_child.hpp"

namespace glint::test {
namespace {

using namespace orders;

// Plays cases on an engine that keeps one VM: the sandbox of the case and the other one take it from each
// other, so that a kick that is left in its vCPU would hit somebody.
class CallOrders : public ::testing::Test {
 protected:
  CallOrders() {
    machine.on_progress = [this](HostCall& call) { return serve_host_call(call); };
    other = start(machine.sandbox());
  }

  // Plays `c` and compares it with the model; what is wrong, or empty.
  std::string play(const Case& c) {
    const Ending expected = Model(c).run();
    while (!play_once(c, time_)) time_ *= 2;
    time_ = std::max(kShortest, time_ - time_ / 8);
    if (wrong_.empty() && seen_ != expected) {
      wrong_ = "expected " + describe(expected) + "\n     got " + describe(seen_);
    }
    return wrong_.empty() ? "" : describe(c) + "\n" + wrong_;
  }

  ScriptedMachine machine{1};
  std::unique_ptr<Sandbox> other;

 private:
  static constexpr uint64_t kShortest = 50'000, kHour = 3'600'000'000'000;  // ns

  // `good`: a bool, or a Result.
  template <class Good>
  void check(const Good& good, const char* what) {
    if (!good && wrong_.empty()) wrong_ = what;
  }
  bool kicked() const { return vcpu_ != nullptr && vcpu_->kicked(); }
  // One that is found is taken away: a guest that nobody stops would never get away from it.
  void check_no_kick(const char* what) {
    check(!kicked(), what);
    if (kicked()) vcpu_->clear_kick();
  }

  std::unique_ptr<Sandbox> start(std::unique_ptr<Sandbox> sandbox) {
    machine.script = {ready()};
    check(sandbox->run(), "a sandbox does not start");
    return sandbox;
  }

  // One try, with `time` for the call where a deadline is to end it. False when the deadline was over before
  // the place where it was wanted: this thread did not have the processor.
  bool play_once(const Case& c, uint64_t time) {
    case_ = &c;
    seen_ = {};
    wrong_.clear();
    interrupt_ = std::make_shared<Interrupt>();
    stopped_ = too_late_ = false;
    SandboxOptions options;
    options.output = [this](uint32_t, std::span<const std::byte>) {
      ++seen_.texts;
      come_to({Place::kCallback, step_});
    };
    options.input = [this](std::span<std::byte>) {
      ++seen_.inputs;
      come_to({Place::kCallback, step_});
      return uint64_t{0};
    };
    auto sandbox = machine.sandbox(std::move(options));
    if (!c.is_new) sandbox = start(std::move(sandbox));

    machine.script.clear();
    for (size_t i = 0; i < c.steps.size(); ++i) machine.script.push_back(step(i));
    const uint64_t runs = machine.runs;
    CallOptions call{.deadline_ns = kNoDeadline, .interrupt = interrupt_};
    waits_for_deadline_ = c.has(Stop::kDeadline);
    if (waits_for_deadline_) call.deadline_ns = time;
    come_to({Place::kBeforeCall}, &call);
    begun_ = clock_ns(CLOCK_MONOTONIC);
    earliest_ = begun_ + time;
    latest_ = UINT64_MAX;
    auto got = sandbox->call(ScriptedMachine::kFlag, {}, call);
    if (waits_for_deadline_ && clock_ns(CLOCK_MONOTONIC) >= earliest_) too_late_ = true;
    if (!got) seen_.code = got.error().code;
    seen_.state = sandbox->state();
    seen_.runs = machine.runs - runs;
    check_no_kick("a kick is left after the call");
    come_to({Place::kAfterCall});
    check_no_kick("a kick came after the call");

    call_again(*sandbox);
    call_other();
    return !too_late_;
  }

  Step step(size_t i) {
    return [this, i](GuestView& g) {
      vcpu_ = &g.vcpu;
      step_ = i;
      // A deadline that begins with the call began before this.
      latest_ = std::min(latest_, clock_ns(CLOCK_MONOTONIC) + (earliest_ - begun_));
      come_to({Place::kRun, i});
      return leave(g, case_->steps[i]);
    };
  }

  Result<Exit> leave(GuestView& g, Do what) {
    if (prints(what)) g.print(GLINT_TEXT_STDOUT, "text");
    switch (what) {
      case Do::kSignal:
        return exit_of_kind(Exit::Kind::kInterrupted);
      case Do::kText:
        return g.leave(GLINT_EXIT_TEXT);
      case Do::kHostCall:
        return host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7})(g);
      case Do::kGrow:
        GLINT_SET(g, exit_frame, 2 * GLINT_TRANSFER_INITIAL);
        return g.leave(GLINT_EXIT_GROW);
      case Do::kInput:
        GLINT_SET(g, exit_reply, kGuestFrame);
        GLINT_SET(g, exit_count, 16);
        return g.leave(GLINT_EXIT_INPUT);
      case Do::kReady:
        return g.leave(GLINT_EXIT_READY);
      case Do::kResult:
        return result(GLINT_ABI_BOOL, 1)(g);
      case Do::kError:
        g.put_value(kGuestFrame, GLINT_ABI_STRING, kGuestFrame, 0);
        GLINT_SET(g, exit_frame, kGuestFrame);
        GLINT_SET(g, exit_code, 7);
        return g.leave(GLINT_EXIT_ERROR);
      case Do::kProgramEnd:
        GLINT_SET(g, exit_code, 3);
        return g.leave(GLINT_EXIT_PROGRAM);
      case Do::kFault:
        return exit_by_port(0x1234);
      case Do::kLost:
        vcpu_ = nullptr;  // goes with its VM
        return exit_of_kind(Exit::Kind::kShutdown);
    }
    return error(GLINT_E_INTERNAL, "no such step");
  }

  int32_t serve_host_call(HostCall& call) {
    ++seen_.host_calls;
    int told = 0;
    check(call.on_stop([&] { ++told; }), "a host function cannot ask to be told");
    check(call.stopped() == StopReason::kNone, "a stopped call makes a host call");
    come_to({Place::kCallback, step_});
    check((call.stopped() != StopReason::kNone) == stopped_, "a host function sees something else");
    static_cast<void>(call.on_stop(nullptr));  // before `told` goes: a deadline may come at any moment
    check(told == (stopped_ ? 1 : 0), "a host function is not told, or not once");
    return GLINT_OK;
  }

  // The stops of this place. `options`: of the call that is about to begin.
  void come_to(Place place, CallOptions* options = nullptr) {
    const bool under_way = place.where == Place::kRun || place.where == Place::kCallback;
    for (const auto& [where, stop] : case_->stops) {
      if (where != place) continue;
      if (stop == Stop::kInterrupt) {
        seen_.told.push_back(interrupt_->raise());
      } else if (options != nullptr) {
        options->deadline_ns = 1;
        waits_for_deadline_ = false;
      } else {
        reach_deadline();
      }
      if (under_way) stopped_ = true;
      if (place.where != Place::kRun) {
        check_no_kick("a guest is kicked that does not run");
      } else if (!too_late_) {
        check(kicked(), "a guest that runs is not kicked");
      }
    }
  }

  void reach_deadline() {
    waits_for_deadline_ = false;
    const uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (now >= earliest_) too_late_ = true;
    const uint64_t due = std::min(latest_, now + (earliest_ - begun_));
    while (clock_ns(CLOCK_MONOTONIC) < due) ::sched_yield();
    let_the_timer_catch_up();
  }

  // The timer serves one place after another, in the order of their times: when it has come to ours, whatever
  // was due before is done.
  void let_the_timer_catch_up() {
    const uint64_t number = last_->begin();
    check(machine.engine->timer().arm(last_place_, number, clock_ns(CLOCK_MONOTONIC)),
          "the timer does not start");
    while (last_->reason() == StopReason::kNone) ::sched_yield();
    last_->end();
  }

  // Calls that nobody stops: one that has no interrupt, while the old one is raised once more, and one that
  // has a new interrupt.
  void call_again(Sandbox& sandbox) {
    const State state = sandbox.state();
    const uint64_t runs = machine.runs;
    machine.script.clear();
    if (state == State::kPoisoned || state == State::kEnded) {
      auto refused = machine.call(sandbox, ScriptedMachine::kFlag);
      const auto code = state == State::kPoisoned ? GLINT_E_POISONED : GLINT_E_ENDED;
      check(!refused && refused.error().code == code, "a sandbox that cannot be called was called");
      check(machine.runs == runs, "a guest that cannot run ran");
      return;
    }
    if (state == State::kNew) machine.script.push_back(ready());
    machine.script.push_back([this](GuestView& g) {
      vcpu_ = &g.vcpu;
      check_no_kick("a kick hits the next call");
      come_to({Place::kNextCall});
      check(interrupt_->raise() == 0, "an interrupt reaches a call that does not have it");
      check_no_kick("a stop hits the next call");
      return result(GLINT_ABI_BOOL, 1)(g);
    });
    machine.script.push_back(result(GLINT_ABI_BOOL, 1));
    const size_t steps = machine.script.size();
    const CallOptions without{.deadline_ns = kNoDeadline, .interrupt = nullptr};
    const CallOptions with{.deadline_ns = kHour, .interrupt = std::make_shared<Interrupt>()};
    for (const CallOptions& options : {without, with}) {
      check(sandbox.call(ScriptedMachine::kFlag, {}, options), "a next call is stopped");
    }
    check(machine.runs == runs + steps && machine.script.empty(), "next calls run another time");
    check_no_kick("a kick is left after the next calls");
  }

  void call_other() {
    const uint64_t attaches = machine.engine->counters().attaches;
    const uint64_t runs = machine.runs;
    machine.script = {result(GLINT_ABI_BOOL, 1)};
    auto got = other->call(ScriptedMachine::kFlag, {}, {.deadline_ns = kNoDeadline, .interrupt = nullptr});
    check(got, "the other sandbox is stopped");
    check(machine.runs == runs + 1, "the other sandbox runs another time");
    check_no_kick("a kick is left for the other sandbox");
    check(machine.engine->counters().attaches == attaches + 1 && machine.engine->counters().vms_live == 1,
          "the sandboxes do not share a VM");
  }

  const std::shared_ptr<CallControl> last_ = std::make_shared<CallControl>();
  const DeadlineTimer::Place last_place_ = machine.engine->timer().enroll(last_);

  const Case* case_ = nullptr;
  Ending seen_;
  std::string wrong_;
  std::shared_ptr<Interrupt> interrupt_;
  FakeVcpu* vcpu_ = nullptr;   // of the one VM, once it has run
  uint64_t time_ = kShortest;  // for a call that a deadline is to end; as this machine needs it
  size_t step_ = 0;
  bool stopped_ = false;             // the call under way, by us
  bool waits_for_deadline_ = false;  // it is due at a place that was not reached yet
  bool too_late_ = false;
  uint64_t begun_ = 0, earliest_ = 0, latest_ = 0;  // when the deadline is over at the earliest, and latest
};

// ---- all cases ----

// All scripts of `length` exits, and an end; for a new sandbox with `start` before them.
std::vector<Case> scripts(size_t length, const std::vector<Do>& start = {}) {
  std::vector<std::vector<Do>> begun = {start};
  for (size_t i = 0; i < length; ++i) {
    std::vector<std::vector<Do>> longer;
    for (const auto& steps : begun) {
      for (const Do middle : kMiddles) {
        longer.push_back(steps);
        longer.back().push_back(middle);
      }
    }
    begun = std::move(longer);
  }
  std::vector<Case> all;
  for (const auto& steps : begun) {
    for (const Do end : kEnds) {
      all.push_back({steps, !start.empty()});
      all.back().steps.push_back(end);
    }
  }
  return all;
}

// `count(places)` of all scripts(length) after a start-up of `start` runs, added up, where `places` is how
// many places for a stop one of them has. Three of the five exits have a callback, and four of the five ends.
template <class Count>
uint64_t sum_over_scripts(uint64_t length, uint64_t start, Count count) {
  uint64_t sum = 0;
  uint64_t ways = 1;  // length choose callbacks
  for (uint64_t callbacks = 0; callbacks <= length; ++callbacks) {
    uint64_t scripts = ways;
    for (uint64_t i = 0; i < length; ++i) scripts *= i < callbacks ? 3 : 2;
    // Before, after, the next call; each run, each callback.
    const uint64_t places = 3 + start + length + 1 + callbacks;
    sum += scripts * (4 * count(places + 1) + count(places));
    ways = ways * (length - callbacks) / (callbacks + 1);
  }
  return sum;
}

constexpr size_t kLongest = 3;       // exits of a script, before its end
constexpr size_t kLongestMixed = 2;  // of one with two stops
constexpr size_t kLongestPair = 1;   // of one with two stops at different places; and after a start-up
const std::vector<std::vector<Do>> kStarts = {{Do::kReady}, {Do::kSignal, Do::kReady}};

template <class Visit>
void for_each_script(Visit visit) {
  for (size_t length = 0; length <= kLongest; ++length) {
    for (const Case& c : scripts(length)) visit(c, length);
    if (length > kLongestPair) continue;
    for (const auto& start : kStarts) {
      for (const Case& c : scripts(length, start)) visit(c, length);
    }
  }
}

// `count(places, length)` of all scripts, added up.
template <class Count>
uint64_t count_cases(Count count) {
  uint64_t sum = 0;
  for (uint64_t length = 0; length <= kLongest; ++length) {
    const auto of_script = [&](uint64_t places) { return count(places, length); };
    for (uint64_t start = 0; start <= 2; ++start) {
      if (start == 0 || length <= kLongestPair) sum += sum_over_scripts(length, start, of_script);
    }
  }
  return sum;
}

// The places for a second stop behind a first one.
uint64_t count_seconds(uint64_t places, uint64_t length) {
  if (length > kLongestMixed) return 0;
  return length > kLongestPair ? places : places * (places + 1) / 2;
}

// Visits the case with every stop of `alone`, and with every two of `mixed`.
template <class Visit>
void for_each_stop(const Case& script, size_t length, Stop alone,
                   const std::vector<std::pair<Stop, Stop>>& mixed, Visit visit) {
  const auto places = places_of(script);
  Case c = script;
  for (auto first = places.begin(); first != places.end(); ++first) {
    c.stops = {{*first, alone}};
    visit(c);
    if (length > kLongestMixed) continue;
    for (auto second = first; second != places.end(); ++second) {
      if (second != first && length > kLongestPair) break;
      for (const auto& [one, two] : mixed) {
        c.stops = {{*first, one}, {*second, two}};
        visit(c);
      }
    }
  }
}

TEST_F(CallOrders, OfInterruptsAreAsTheModelSays) {
  uint64_t cases = 0;
  std::string wrong;
  const auto visit = [&](const Case& c) {
    ++cases;
    if (wrong.empty()) wrong = play(c);
  };
  for_each_script([&](const Case& script, size_t length) {
    visit(script);
    // The second time, it tells nobody.
    for_each_stop(script, length, Stop::kInterrupt, {{Stop::kInterrupt, Stop::kInterrupt}}, visit);
  });
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(cases, count_cases([](uint64_t n, uint64_t length) { return 1 + n + count_seconds(n, length); }));
  EXPECT_GT(cases, 5000u);
}

TEST_F(CallOrders, OfDeadlinesAndInterruptsAreAsTheModelSays) {
  uint64_t cases = 0;
  std::string wrong;
  const auto visit = [&](const Case& c) {
    ++cases;
    if (wrong.empty()) wrong = play(c);
  };
  for_each_script([&](const Case& script, size_t length) {
    for_each_stop(script, length, Stop::kDeadline,
                  {{Stop::kInterrupt, Stop::kDeadline}, {Stop::kDeadline, Stop::kInterrupt}}, visit);
  });
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(cases, count_cases([](uint64_t n, uint64_t length) { return n + 2 * count_seconds(n, length); }));
  EXPECT_GT(cases, 5000u);
}

// ---- orders that need another thread ----

class CallOrdersOfThreads : public CallLoop {
 protected:
  static constexpr uint32_t kNeverMind = UINT32_MAX;

  Result<Value> call_flag(Sandbox& s) {
    return s.call(ScriptedMachine::kFlag, {}, {.deadline_ns = kNoDeadline, .interrupt = interrupt});
  }
  // Raises the interrupt once `begun`; what that returned comes with the end of the thread.
  std::thread raiser(const std::atomic<bool>& begun) {
    return std::thread([&] {
      while (!begun) std::this_thread::yield();
      told = interrupt->raise();
    });
  }
  // In a child of fork: 0 when the inherited interrupt reaches nobody, and no call may be given it.
  int use_inherited() {
    if (interrupt->raise() != 0) return 1;
    if (!interrupt->raised()) return 2;
    ScriptedMachine own;
    auto s = own.sandbox();
    auto refused = call_flag(*s);
    if (refused || refused.error().code != GLINT_E_UNSUPPORTED) return 3;
    if (own.runs != 0 || s->state() != Sandbox::State::kNew) return 4;
    interrupt = std::make_shared<Interrupt>();
    own.script = {ready(), yes};
    return call_flag(*s) ? 0 : 5;
  }

  std::shared_ptr<Interrupt> interrupt = std::make_shared<Interrupt>();
  uint32_t told = kNeverMind;
  const Step yes = result(GLINT_ABI_BOOL, 1);
};

TEST_F(CallOrdersOfThreads, AKickThatCannotBeQueuedIsTriedAgain) {
  auto s = ready_sandbox();
  std::atomic<bool> inside{false};
  FakeVcpu* vcpu = nullptr;
  machine.script = {[&](GuestView& g) {
    vcpu = &g.vcpu;
    vcpu->refused_kicks = 3;
    inside = true;
    return Result<Exit>(vcpu->run_until_kicked());
  }};
  auto thread = raiser(inside);
  EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED);
  thread.join();
  EXPECT_EQ(told, 1u);
  EXPECT_FALSE(vcpu->kicked());
}

TEST_F(CallOrdersOfThreads, AKickThatCannotBeQueuedIsGivenUpWhenTheGuestComesOut) {
  auto s = ready_sandbox();
  std::atomic<bool> inside{false};
  FakeVcpu* vcpu = nullptr;
  machine.script = {[&](GuestView& g) {
                      vcpu = &g.vcpu;
                      vcpu->refused_kicks = UINT32_MAX;
                      inside = true;
                      while (!vcpu->kicked()) std::this_thread::yield();
                      return yes(g);
                    },
                    yes, yes};
  auto thread = raiser(inside);
  EXPECT_TRUE(call_flag(*s)) << "it ended by itself";
  thread.join();
  EXPECT_EQ(told, 1u);
  EXPECT_GT(vcpu->refused_kicks, 0u);
  EXPECT_FALSE(vcpu->kicked());
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  interrupt = std::make_shared<Interrupt>();
  EXPECT_TRUE(call_flag(*s));
}

TEST_F(CallOrdersOfThreads, AnInterruptDoesNothingToAViewThatIsHeld) {
  auto s = ready_sandbox();
  constexpr std::string_view kText = "a result";
  machine.script = {[&](GuestView& g) {
    std::memcpy(g.bytes().data() + kGuestFrame + 64, kText.data(), kText.size());
    return result(GLINT_ABI_STRING, kGuestFrame + 64, kText.size())(g);
  }};
  const std::vector<Value> arguments = {text_value("who")};
  auto view =
      s->call(ScriptedMachine::kGreet, arguments, {.deadline_ns = kNoDeadline, .interrupt = interrupt});
  ASSERT_TRUE(view) << view.error().message;
  std::thread([&] { EXPECT_EQ(interrupt->raise(), 0u); }).join();
  EXPECT_EQ(text_of(*view), kText);
  EXPECT_EQ(s->state(), Sandbox::State::kReady);
  s->release_result();
  machine.script = {yes};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

// ---- children of fork ----

TEST_F(CallOrdersOfThreads, AChildOfForkReachesNoCallOfItsParent) {
  auto s = ready_sandbox();
  std::atomic<bool> inside{false};
  machine.script = {[&](GuestView& g) {
    inside = true;
    return Result<Exit>(g.vcpu.run_until_kicked());
  }};
  std::thread caller([&] { EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED); });
  while (!inside) std::this_thread::yield();
  EXPECT_EQ(in_a_child([&] { return use_inherited(); }), 0);
  EXPECT_FALSE(interrupt->raised()) << "the child's is another one";
  EXPECT_EQ(interrupt->raise(), 1u);
  caller.join();
}

TEST_F(CallOrdersOfThreads, AChildOfForkDoesNotWaitForARaiseOfItsParent) {
  auto s = ready_sandbox();
  std::atomic<bool> in_host{false}, notified{false}, go{false};
  machine.on_progress = [&](HostCall& call) {
    EXPECT_TRUE(call.on_stop([&] {
      notified = true;
      while (!go) std::this_thread::yield();
    }));
    in_host = true;
    while (call.stopped() == StopReason::kNone) std::this_thread::yield();
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), yes};
  std::thread caller([&] { EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED); });
  auto thread = raiser(in_host);
  while (!notified) std::this_thread::yield();
  // The raise holds the interrupt's mutex, and that of the call.
  EXPECT_EQ(in_a_child([&] { return use_inherited(); }), 0);
  go = true;
  thread.join();
  caller.join();
  EXPECT_EQ(told, 1u);
}

}  // namespace
}  // namespace glint::test
