// SPDX-License-Identifier: Apache-2.0
//
// The call loop against a scripted guest: calls both ways, in every order of signals, with text, input and
// room.

#include <gtest/gtest.h>

#include "call_loop_fixture.hpp"

namespace glint::test {
namespace {

TEST_F(CallLoop, ReturnsWhatTheGuestReturnsWithOneExit) {
  auto s = ready_sandbox();
  const auto before = s->counters();
  machine.script = {[](GuestView& g) {
    const auto h = g.header();
    EXPECT_EQ(h.request, uint32_t{GLINT_REQUEST_CALL});
    EXPECT_EQ(h.function, ScriptedMachine::kAdd);
    EXPECT_EQ(h.count, 2u);
    EXPECT_EQ(h.exit_kind, uint32_t{GLINT_EXIT_NONE});
    return result(GLINT_ABI_I64, g.value(h.frame).bits + g.value(h.frame + 16).bits)(g);
  }};
  auto sum = machine.call_add(*s, 40, 2);
  ASSERT_TRUE(sum) << sum.error().message;
  EXPECT_EQ(sum->bits, 42u);
  EXPECT_EQ(s->counters().exits - before.exits, 1u);
  EXPECT_EQ(s->counters().ioctls - before.ioctls, 1u);
  EXPECT_EQ(s->counters().calls, 1u);
}

TEST_F(CallLoop, StartsTheProgramBeforeTheFirstCall) {
  auto s = machine.sandbox();
  EXPECT_EQ(s->state(), Sandbox::State::kNew);
  machine.script = {[](GuestView& g) {
                      const auto h = g.header();
                      EXPECT_EQ(h.magic, GLINT_ABI_MAGIC);
                      EXPECT_EQ(h.size, GLINT_TRANSFER_INITIAL);
                      EXPECT_GE(h.boot, GLINT_TRANSFER_PAYLOAD);
                      EXPECT_NE(h.realtime_ns, 0u);
                      return g.leave(GLINT_EXIT_READY);
                    },
                    result(GLINT_ABI_I64, 3)};
  EXPECT_TRUE(machine.call_add(*s));
  EXPECT_EQ(machine.runs, 2u);
}

TEST_F(CallLoop, GoesOnAfterASignalWhereverItComes) {
  // Every way to put up to two interruptions before each of three steps.
  for (int order = 0; order < 27; ++order) {
    machine.script.clear();
    auto s = machine.sandbox();
    int digits = order;
    for (const Step& step :
         {ready(), host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 7}), result(GLINT_ABI_I64, 9)}) {
      for (int i = 0; i < digits % 3; ++i) machine.script.push_back(interrupted());
      digits /= 3;
      machine.script.push_back(step);
    }
    machine.progress.clear();
    auto value = machine.call_add(*s);
    ASSERT_TRUE(value) << order << ": " << value.error().message;
    EXPECT_EQ(value->bits, 9u);
    EXPECT_EQ(machine.progress, std::vector<uint32_t>{7});
    EXPECT_TRUE(machine.script.empty());
  }
}

TEST_F(CallLoop, RefusesWrongArgumentsBeforeTheGuestRuns) {
  auto s = ready_sandbox();
  machine.runs = 0;
  auto few = machine.call(*s, ScriptedMachine::kAdd, {Value::scalar(GLINT_ABI_I64, 1)});
  EXPECT_EQ(few.error().code, GLINT_E_SIGNATURE);
  EXPECT_EQ(few.error().message, "add: expected 2 arguments, given 1");
  auto type = machine.call(*s, ScriptedMachine::kAdd, {Value::scalar(GLINT_ABI_I64, 1), text_value("two")});
  EXPECT_EQ(type.error().code, GLINT_E_SIGNATURE);
  EXPECT_EQ(type.error().message, "add, argument 2: expected i64, given string");
  auto utf8 = machine.call(*s, ScriptedMachine::kGreet, {text_value("\xff")});
  EXPECT_EQ(utf8.error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kProgress, {}).error().code, GLINT_E_NOT_FOUND);
  EXPECT_EQ(machine.call(*s, 4711, {}).error().code, GLINT_E_NOT_FOUND);
  EXPECT_EQ(machine.runs, 0u);
  EXPECT_EQ(s->state(), Sandbox::State::kReady);
}

TEST_F(CallLoop, PassesStringsBothWays) {
  auto s = ready_sandbox();
  machine.script = {[](GuestView& g) {
    const auto argument = g.value(g.header().frame);
    EXPECT_EQ(g.text(argument.bits, argument.length), "Ann");
    std::memcpy(g.bytes().data() + 0x9000, "Hi Ann", 6);
    return result(GLINT_ABI_STRING, 0x9000, 6)(g);
  }};
  auto greeting = machine.call(*s, ScriptedMachine::kGreet, {text_value("Ann")});
  ASSERT_TRUE(greeting) << greeting.error().message;
  EXPECT_EQ(text_of(*greeting), "Hi Ann");
}

TEST_F(CallLoop, RefusesTheViewOfItsOwnLastResultAsAnArgument) {
  auto s = ready_sandbox();
  machine.script = {result(GLINT_ABI_STRING, GLINT_TRANSFER_PAYLOAD, 8), result(GLINT_ABI_BOOL, 1)};
  auto view = machine.call(*s, ScriptedMachine::kGreet, {text_value("x")});
  ASSERT_TRUE(view);
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kGreet, {*view}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag)) << "it is still usable";
}

TEST_F(CallLoop, AnOrdinaryErrorLeavesTheSandboxReady) {
  auto s = ready_sandbox();
  machine.script = {[](GuestView& g) {
                      std::memcpy(g.bytes().data() + 0x9000, "bad date", 8);
                      g.put_value(kGuestFrame, GLINT_ABI_STRING, 0x9000, 8);
                      GLINT_SET(g, exit_frame, kGuestFrame);
                      GLINT_SET(g, exit_code, 17);
                      return g.leave(GLINT_EXIT_ERROR);
                    },
                    result(GLINT_ABI_BOOL, 1)};
  auto failed = machine.call(*s, ScriptedMachine::kFlag);
  EXPECT_EQ(failed.error().code, GLINT_E_GUEST_ERROR);
  EXPECT_EQ(failed.error().guest_code, 17);
  EXPECT_EQ(failed.error().message, "function 'flag' failed with code 17: bad date");
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(CallLoop, AFailureThatTheGuestPassesOnNamesTheHostFunction) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall&) { return 5; };
  const auto fail_with = [](int32_t code) {
    return [code](GuestView& g) {
      g.put_value(kGuestFrame, GLINT_ABI_STRING, 0x9000, 0);
      GLINT_SET(g, exit_frame, kGuestFrame);
      GLINT_SET(g, exit_code, code);
      return g.leave(GLINT_EXIT_ERROR);
    };
  };
  const auto ask = host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0});
  machine.script = {ask, fail_with(5), ask, fail_with(6), fail_with(5)};
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().message,
            "function 'flag' failed with code 5; host function 'ask' had failed with that code");
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().message, "function 'flag' failed with code 6");
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().message, "function 'flag' failed with code 5")
      << "the failure was in an earlier call";
}

TEST_F(CallLoop, AHostFunctionAnswersIntoTheGuest) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall& call) {
    EXPECT_EQ(text_of(call.arguments()[0]), "name?");
    EXPECT_TRUE(call.set_result(text_value("Glint")));
    return GLINT_OK;
  };
  machine.script = {[](GuestView& g) {
                      std::memcpy(g.bytes().data() + 0x8100, "name?", 5);
                      return host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 5, 0x8100})(g);
                    },
                    [](GuestView& g) {
                      EXPECT_EQ(g.header().host_status, uint32_t{GLINT_HOST_OK});
                      const auto answer = g.value(kGuestFrame + 0x1000);
                      EXPECT_EQ(g.text(answer.bits, answer.length), "Glint");
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  const auto before = s->counters();
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(s->counters().exits - before.exits, 2u);
  EXPECT_EQ(s->counters().host_calls, 1u);
}

TEST_F(CallLoop, AReservedResultIsWrittenInPlace) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall& call) {
    auto room = call.reserve(4);
    EXPECT_TRUE(room);
    std::memcpy(room->data(), "four", 4);
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0}), [](GuestView& g) {
                      const auto answer = g.value(kGuestFrame + 0x1000);
                      EXPECT_EQ(answer.type, uint32_t{GLINT_ABI_STRING});
                      EXPECT_EQ(g.text(answer.bits, answer.length), "four");
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(CallLoop, AStringWrittenInPlaceIsCheckedToo) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall& call) {
    auto room = call.reserve(1);
    EXPECT_TRUE(room);
    (*room)[0] = std::byte{0xff};
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0}), [](GuestView& g) {
                      EXPECT_EQ(g.header().host_status, uint32_t{GLINT_HOST_ERROR});
                      EXPECT_EQ(g.header().host_code, GLINT_E_HOST_FUNCTION);
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(CallLoop, AFailingHostFunctionIsAnErrorValueForTheGuest) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall& call) {
    call.set_failure_text("no such key");
    return 44;
  };
  machine.script = {host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0}), [](GuestView& g) {
                      EXPECT_EQ(g.header().host_status, uint32_t{GLINT_HOST_ERROR});
                      EXPECT_EQ(g.header().host_code, 44);
                      const auto text = g.value(kGuestFrame + 0x1000);
                      EXPECT_EQ(g.text(text.bits, text.length), "no such key");
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(s->state(), Sandbox::State::kReady);
}

TEST_F(CallLoop, AHostFunctionThatGivesNoResultFails) {
  auto s = ready_sandbox();
  machine.script = {host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0}), [](GuestView& g) {
                      EXPECT_EQ(g.header().host_status, uint32_t{GLINT_HOST_ERROR});
                      EXPECT_EQ(g.header().host_code, GLINT_E_HOST_FUNCTION);
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(CallLoop, AHostFunctionCannotReturnAnotherTypeThanDeclared) {
  auto s = ready_sandbox();
  machine.on_ask = [](HostCall& call) {
    EXPECT_EQ(call.set_result(Value::scalar(GLINT_ABI_I64, 1)).error().code, GLINT_E_SIGNATURE);
    EXPECT_EQ(call.set_result(text_value("\xc3")).error().code, GLINT_E_INVALID_ARGUMENT);
    EXPECT_EQ(call.reserve(GLINT_MAX_PAYLOAD + 1ull).error().code, GLINT_E_TOO_LARGE);
    return 1;
  };
  machine.script = {host_call(ScriptedMachine::kAsk, {GLINT_ABI_STRING, 0, 0}), result(GLINT_ABI_BOOL, 1)};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

TEST_F(CallLoop, RefusesToReenterTheSameSandboxButEntersAnother) {
  auto s = ready_sandbox();
  auto other = ready_sandbox();
  machine.on_progress = [&](HostCall&) {
    EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().code, GLINT_E_BUSY);
    s->release_result();  // harmless
    auto inner = machine.call(*other, ScriptedMachine::kFlag);
    EXPECT_TRUE(inner) << inner.error().message;
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 1}), result(GLINT_ABI_BOOL, 0),
                    result(GLINT_ABI_BOOL, 1)};
  auto outer = machine.call(*s, ScriptedMachine::kFlag);
  ASSERT_TRUE(outer) << outer.error().message;
  EXPECT_EQ(outer->bits, 1u);
}

TEST_F(CallLoop, LimitsHowDeeplyCallsNest) {
  SandboxOptions options;
  options.max_depth = 1;
  auto s = ready_sandbox();
  auto shallow = ready_sandbox(std::move(options));
  machine.on_progress = [&](HostCall&) {
    EXPECT_EQ(machine.call(*shallow, ScriptedMachine::kFlag).error().code, GLINT_E_DEPTH);
    return GLINT_OK;
  };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 1}), result(GLINT_ABI_BOOL, 1),
                    result(GLINT_ABI_BOOL, 1)};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_TRUE(machine.call(*shallow, ScriptedMachine::kFlag)) << "not nested, it is allowed";
}

TEST_F(CallLoop, AnExceptionOfACallbackPoisonsAndLeavesTheSandbox) {
  auto s = ready_sandbox();
  machine.on_progress = [](HostCall&) -> int32_t { throw std::runtime_error("boom"); };
  machine.script = {host_call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 1})};
  EXPECT_THROW(static_cast<void>(machine.call(*s, ScriptedMachine::kFlag)), std::runtime_error);
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().code, GLINT_E_POISONED) << "and not busy";
}

TEST_F(CallLoop, DeliversTextInOrderAlsoBeforeAFault) {
  std::string seen;
  SandboxOptions options;
  options.output = [&](uint32_t stream, std::span<const std::byte> text) {
    seen += std::to_string(stream) + ":" +
            std::string(reinterpret_cast<const char*>(text.data()), text.size()) + ";";
  };
  auto s = ready_sandbox(std::move(options));
  machine.script = {[](GuestView& g) {
                      g.print(GLINT_TEXT_STDOUT, "one");
                      g.print(GLINT_TEXT_STDERR, "two");
                      return g.leave(GLINT_EXIT_TEXT);
                    },
                    [](GuestView& g) {
                      EXPECT_EQ(g.header().text_size, 0u);
                      g.print(GLINT_TEXT_STDOUT, "three");
                      g.vcpu.registers.rip = GLINT_GVA_SYSTEM + 4096 + 6 * 16;
                      return exit_by_port(GLINT_FAULT_PORT);
                    }};
  EXPECT_FALSE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(seen, "1:one;2:two;1:three;");
  EXPECT_EQ(s->counters().output_bytes, 11u);
}

TEST_F(CallLoop, CountsAndNamesUnknownSystemCalls) {
  std::vector<std::string> seen;
  SandboxOptions options;
  options.trace = [&](const SyscallReport& call) {
    seen.push_back(std::string(call.name) + (call.unknown ? "!" : ""));
  };
  auto s = ready_sandbox(std::move(options));
  machine.script = {[](GuestView& g) {
    glint_abi_syscall call{};
    call.number = 57;
    g.print(GLINT_TEXT_UNKNOWN_SYSCALL, {reinterpret_cast<const char*>(&call), sizeof call});
    call.number = 1;
    g.print(GLINT_TEXT_SYSCALL, {reinterpret_cast<const char*>(&call), sizeof call});
    call.number = 99999;
    g.print(GLINT_TEXT_UNKNOWN_SYSCALL, {reinterpret_cast<const char*>(&call), sizeof call});
    g.print(GLINT_TEXT_SYSCALL, "short");
    return result(GLINT_ABI_BOOL, 1)(g);
  }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(seen, (std::vector<std::string>{"fork!", "write", "!"}));
  EXPECT_EQ(s->counters().unknown_syscalls, 2u);
}

TEST_F(CallLoop, GivesInputAndRefusesPlacesWhereItCannotBe) {
  SandboxOptions options;
  options.input = [](std::span<std::byte> buffer) -> uint64_t {
    EXPECT_EQ(buffer.size(), 5u);
    std::memcpy(buffer.data(), "abc", 3);
    return 3;
  };
  auto s = ready_sandbox(std::move(options));
  const auto ask = [](uint64_t reply, uint32_t count) {
    return [=](GuestView& g) {
      GLINT_SET(g, exit_count, count);
      GLINT_SET(g, exit_reply, reply);
      return g.leave(GLINT_EXIT_INPUT);
    };
  };
  machine.script = {ask(0x9000, 5), [](GuestView& g) {
                      EXPECT_EQ(g.header().host_code, 3);
                      EXPECT_EQ(g.text(0x9000, 3), "abc");
                      return result(GLINT_ABI_BOOL, 1)(g);
                    }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
  EXPECT_EQ(must_poison({ask(0, 5)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({ask(0x9000, 0xffffffff)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({ask(~0ull, 2)}).code, GLINT_E_GUEST_PROTOCOL);
}

TEST_F(CallLoop, GrowsTheTransferAreaOnDemandUpToItsLimit) {
  auto s = ready_sandbox();
  const auto grow = [](uint64_t size) {
    return [=](GuestView& g) {
      GLINT_SET(g, exit_frame, size);
      return g.leave(GLINT_EXIT_GROW);
    };
  };
  machine.script = {
      grow(GLINT_TRANSFER_MAX + 1),
      [&](GuestView& g) {
        EXPECT_EQ(g.header().size, GLINT_TRANSFER_INITIAL) << "refused";
        return grow(GLINT_TRANSFER_INITIAL + 1)(g);
      },
      [](GuestView& g) {
        EXPECT_EQ(g.header().size, GLINT_TRANSFER_MAX);
        EXPECT_FALSE(g.vcpu.memory(g.layout.transfer_gpa + GLINT_TRANSFER_INITIAL, 4096).empty());
        return result(GLINT_ABI_BOOL, 1)(g);
      }};
  EXPECT_TRUE(machine.call(*s, ScriptedMachine::kFlag));
}

}  // namespace
}  // namespace glint::test
