// SPDX-License-Identifier: Apache-2.0
//
// Interrupts and deadlines against a scripted guest: before, during and after a call, and in a host function.

#include <thread>

#include "call_loop_fixture.hpp"

namespace glint::test {
namespace {

class Interrupts : public CallLoop {
 protected:
  Result<Value> call_flag(Sandbox& s) {
    return s.call(ScriptedMachine::kFlag, {}, {.deadline_ns = kNoDeadline, .interrupt = interrupt});
  }
  // The guest works while somebody interrupts, and then leaves as `then` says.
  Step interrupted_while(Step then) {
    return [this, then](GuestView& g) {
      EXPECT_EQ(interrupt->raise(), 1u);
      return then(g);
    };
  }

  std::shared_ptr<Interrupt> interrupt = std::make_shared<Interrupt>();
  const Step yes = result(GLINT_ABI_BOOL, 1);
};

TEST_F(Interrupts, BeforeTheCallTheGuestDoesNotRunAndTheSandboxStaysReady) {
  auto s = ready_sandbox();
  interrupt->raise();
  const uint64_t runs = machine.runs;
  auto ended = call_flag(*s);
  EXPECT_EQ(ended.error().code, GLINT_E_INTERRUPTED);
  EXPECT_EQ(machine.runs, runs);
  EXPECT_EQ(s->state(), Sandbox::State::kReady);
  interrupt = std::make_shared<Interrupt>();
  machine.script = {yes};
  EXPECT_TRUE(call_flag(*s));
}

TEST_F(Interrupts, BeforeTheStartTheSandboxStaysNew) {
  auto s = machine.sandbox();
  interrupt->raise();
  EXPECT_EQ(s->run({.deadline_ns = 0, .interrupt = interrupt}).error().code, GLINT_E_INTERRUPTED);
  EXPECT_EQ(s->state(), Sandbox::State::kNew);
  machine.script = {ready()};
  EXPECT_TRUE(s->run());
}

TEST_F(Interrupts, DuringTheGuestPoisons) {
  auto s = ready_sandbox();
  machine.script = {interrupted_while(test::interrupted())};
  auto ended = call_flag(*s);
  EXPECT_EQ(ended.error().code, GLINT_E_INTERRUPTED);
  EXPECT_NE(ended.error().message.find("'flag'"), std::string::npos) << ended.error().message;
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
}

TEST_F(Interrupts, AResultThatWasJustReadyIsStillGiven) {
  auto s = ready_sandbox();
  machine.script = {interrupted_while(yes), yes};
  auto got = call_flag(*s);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->bits, 1u);
  // Neither the flag nor the kick is left for the next call, which has no interrupt.
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(Interrupts, OtherSignalsEndNothing) {
  auto s = ready_sandbox();
  machine.script = {test::interrupted(), test::interrupted(), test::interrupted(), yes};
  EXPECT_TRUE(call_flag(*s));
}

TEST_F(Interrupts, AnotherSignalAndTheInterruptTogetherEndTheCallOnce) {
  auto s = ready_sandbox();
  machine.script = {test::interrupted(), interrupted_while(test::interrupted()), yes};
  EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED);
  EXPECT_EQ(machine.script.size(), 1u) << "the guest ran after the interrupt";
}

TEST_F(Interrupts, AfterTheCallDoesNothing) {
  auto s = ready_sandbox();
  machine.script = {yes, yes};
  EXPECT_TRUE(call_flag(*s));
  EXPECT_EQ(interrupt->raise(), 0u);
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(Interrupts, OutliveTheSandbox) {
  auto s = ready_sandbox();
  machine.script = {yes};
  EXPECT_TRUE(call_flag(*s));
  s.reset();
  EXPECT_EQ(interrupt->raise(), 0u);
}

TEST_F(Interrupts, AHostCallThatComesWithTheInterruptIsNotMade) {
  auto s = ready_sandbox();
  machine.script = {interrupted_while(host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}))};
  EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED);
  EXPECT_TRUE(machine.progress.empty());
}

TEST_F(Interrupts, TellAHostFunctionAndEndTheCallWhenItReturns) {
  auto s = ready_sandbox();
  int told = 0;
  machine.on_progress = [&](HostCall& call) {
    EXPECT_EQ(call.stopped(), StopReason::kNone);
    EXPECT_TRUE(call.on_stop([&] { ++told; }));
    EXPECT_EQ(call.on_stop([] {}).error().code, GLINT_E_BUSY);
    std::thread([&] { EXPECT_EQ(interrupt->raise(), 1u); }).join();
    EXPECT_EQ(told, 1);
    EXPECT_EQ(call.stopped(), StopReason::kInterrupt);
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), yes};
  auto ended = call_flag(*s);
  EXPECT_EQ(ended.error().code, GLINT_E_INTERRUPTED);
  EXPECT_NE(ended.error().message.find("'progress'"), std::string::npos) << ended.error().message;
  EXPECT_EQ(machine.script.size(), 1u) << "the guest ran on";
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
}

// Each guest of a spinning thread really waits until the timer, or a raise, kicks it.
Step spin() {
  return [](GuestView& g) { return Result<Exit>(g.vcpu.run_until_kicked()); };
}

TEST_F(Interrupts, ADeadlineEndsAGuestThatLoops) {
  auto s = ready_sandbox();
  machine.script = {spin()};
  auto ended = s->call(ScriptedMachine::kFlag, {}, {.deadline_ns = 200'000'000, .interrupt = nullptr});
  EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
}

TEST_F(Interrupts, ADeadlineCountsHostFunctions) {
  auto s = ready_sandbox();
  machine.on_progress = [](HostCall& call) {
    while (call.stopped() == StopReason::kNone) std::this_thread::yield();
    EXPECT_EQ(call.stopped(), StopReason::kDeadline);
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), yes};
  auto ended = s->call(ScriptedMachine::kFlag, {}, {.deadline_ns = 5'000'000, .interrupt = nullptr});
  EXPECT_EQ(ended.error().code, GLINT_E_DEADLINE);
}

TEST_F(Interrupts, AGuestThatLoopsIsFreedByAnotherThread) {
  auto s = ready_sandbox();
  std::atomic<bool> inside{false};
  machine.script = {[&](GuestView& g) {
    inside = true;
    return Result<Exit>(g.vcpu.run_until_kicked());
  }};
  std::thread raiser([&] {
    while (!inside) std::this_thread::yield();
    EXPECT_EQ(interrupt->raise(), 1u);
  });
  EXPECT_EQ(call_flag(*s).error().code, GLINT_E_INTERRUPTED);
  raiser.join();
}

TEST_F(Interrupts, TokensOfHostFailuresComeWithTheCallsError) {
  auto s = ready_sandbox();
  auto token = std::make_shared<int>(5);
  machine.on_progress = [&](HostCall& call) {
    call.set_failure_token(token);
    return 7;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), [](GuestView& g) {
                      g.put_value(kGuestFrame, GLINT_ABI_STRING, kGuestFrame, 0);
                      GLINT_SET(g, exit_frame, kGuestFrame);
                      GLINT_SET(g, exit_code, 7);
                      return g.leave(GLINT_EXIT_ERROR);
                    }};
  auto failed = call_flag(*s);
  EXPECT_EQ(failed.error().code, GLINT_E_GUEST_ERROR);
  EXPECT_EQ(failed.error().host_token, token);
}

TEST_F(Interrupts, TokensOfFailuresThatTheGuestSwallowsAreDropped) {
  auto s = ready_sandbox();
  auto token = std::make_shared<int>(5);
  machine.on_progress = [&](HostCall& call) {
    call.set_failure_token(token);
    return 7;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), yes};
  EXPECT_TRUE(call_flag(*s));
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(Interrupts, AHostFailureEndsTheCallWhereThatWasAskedFor) {
  SandboxOptions options;
  options.end_on_host_failure = true;
  auto s = ready_sandbox(std::move(options));
  auto token = std::make_shared<int>(5);
  machine.on_progress = [&](HostCall& call) {
    call.set_failure_token(token);
    call.set_failure_text("no");
    return 7;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), yes};
  auto ended = call_flag(*s);
  EXPECT_EQ(ended.error().code, GLINT_E_HOST_FUNCTION);
  EXPECT_EQ(ended.error().host_token, token);
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
}

}  // namespace
}  // namespace glint::test
