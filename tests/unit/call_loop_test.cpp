// SPDX-License-Identifier: Apache-2.0
//
// The call loop against a scripted guest: every exit, every EINTR order, every lie.

#include <gtest/gtest.h>

#include <csignal>

#include "scripted_guest.hpp"

namespace glint::test {
namespace {

class CallLoop : public ::testing::Test {
 protected:
  // A sandbox that waits for calls.
  std::unique_ptr<Sandbox> ready_sandbox(SandboxOptions options = {}) {
    auto s = machine.sandbox(std::move(options));
    machine.script = {ready()};
    EXPECT_TRUE(s->run());
    EXPECT_EQ(s->state(), Sandbox::State::kReady);
    return s;
  }

  // Plays `steps` as a call of `function` and returns the error that must come of it, checking that it
  // poisons.
  Error must_poison(std::deque<Step> steps, uint32_t function = ScriptedMachine::kFlag) {
    auto s = ready_sandbox();
    machine.script = std::move(steps);
    auto result = machine.call(*s, function);
    EXPECT_FALSE(result) << "the call succeeded";
    EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
    auto again = machine.call(*s, function);
    EXPECT_EQ(again.error().code, GLINT_E_POISONED);
    return result ? Error{} : result.error();
  }

  ScriptedMachine machine;
};

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

// ---- what a hostile guest may send --------------------------------------------------------------------

TEST_F(CallLoop, RefusesResultsThatAreNotWhatWasDeclared) {
  const struct {
    const char* what;
    Step step;
    uint32_t function;
  } kLies[] = {
      {"another type", result(GLINT_ABI_I64, 1), ScriptedMachine::kFlag},
      {"no type at all", result(77, 1), ScriptedMachine::kFlag},
      {"a bool that is 2", result(GLINT_ABI_BOOL, 2), ScriptedMachine::kFlag},
      {"values at the end of the area",
       [](GuestView& g) {
         GLINT_SET(g, exit_frame, GLINT_TRANSFER_INITIAL - 8);
         return g.leave(GLINT_EXIT_RESULT);
       },
       ScriptedMachine::kFlag},
      {"values far outside",
       [](GuestView& g) {
         GLINT_SET(g, exit_frame, ~0ull - 7);
         return g.leave(GLINT_EXIT_RESULT);
       },
       ScriptedMachine::kFlag},
  };
  for (const auto& lie : kLies) {
    const Error e = must_poison({lie.step}, lie.function);
    EXPECT_EQ(e.code, GLINT_E_GUEST_PROTOCOL) << lie.what << ": " << e.message;
  }
}

TEST_F(CallLoop, RefusesStringsThatAreNotInsideTheTransferArea) {
  const struct {
    uint64_t offset;
    uint32_t length;
  } kLies[] = {{GLINT_TRANSFER_INITIAL - 4, 5},
               {~0ull, 1},
               {~0ull - 3, 8},
               {0, GLINT_MAX_PAYLOAD + 1},
               {GLINT_TRANSFER_INITIAL + 1, 0}};
  for (const auto& lie : kLies) {
    auto s = ready_sandbox();
    machine.script = {result(GLINT_ABI_STRING, lie.offset, lie.length)};
    auto answer = machine.call(*s, ScriptedMachine::kGreet, {text_value("x")});
    EXPECT_FALSE(answer);
    EXPECT_EQ(answer.error().code, GLINT_E_GUEST_PROTOCOL);
    EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
  }
}

TEST_F(CallLoop, RefusesTextThatIsNotUtf8) {
  auto s = ready_sandbox();
  machine.script = {[](GuestView& g) {
    std::memcpy(g.bytes().data() + 0x9000, "\xed\xa0\x80", 3);  // a surrogate
    return result(GLINT_ABI_STRING, 0x9000, 3)(g);
  }};
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kGreet, {text_value("x")}).error().code,
            GLINT_E_GUEST_PROTOCOL);
}

TEST_F(CallLoop, RefusesHostCallsThatAreNotWhatWasDeclared) {
  const auto call = [](uint32_t function, glint_abi_value value, uint64_t reply = kGuestFrame + 0x1000) {
    return host_call(function, value, reply);
  };
  const glint_abi_value good{GLINT_ABI_U32, 0, 1};
  const struct {
    const char* what;
    Step step;
  } kLies[] = {
      {"an index out of range", call(99, good)},
      {"the largest index", call(0xffffffff, good)},
      {"an export", call(ScriptedMachine::kAdd, good)},
      {"another type", call(ScriptedMachine::kProgress, {GLINT_ABI_STRING, 0, 0})},
      {"a u32 with more bits", call(ScriptedMachine::kProgress, {GLINT_ABI_U32, 0, 1ull << 40})},
      {"too many arguments",
       [](GuestView& g) {
         GLINT_SET(g, exit_function, ScriptedMachine::kProgress);
         GLINT_SET(g, exit_count, 0xffffffff);
         GLINT_SET(g, exit_frame, kGuestFrame);
         GLINT_SET(g, exit_reply, kGuestFrame + 0x1000);
         return g.leave(GLINT_EXIT_HOST_CALL);
       }},
      {"an answer over its own arguments", call(ScriptedMachine::kProgress, good, kGuestFrame)},
      {"an answer in the header", call(ScriptedMachine::kProgress, good, 0)},
      {"an answer outside", call(ScriptedMachine::kProgress, good, ~0ull & ~15ull)},
      {"an answer behind the end", call(ScriptedMachine::kProgress, good, GLINT_TRANSFER_INITIAL + 16)},
      {"an unaligned answer", call(ScriptedMachine::kProgress, good, kGuestFrame + 0x1001)},
  };
  for (const auto& lie : kLies) {
    machine.progress.clear();
    const Error e = must_poison({lie.step});
    EXPECT_EQ(e.code, GLINT_E_GUEST_PROTOCOL) << lie.what << ": " << e.message;
    EXPECT_TRUE(machine.progress.empty()) << lie.what << ": the host function was called";
  }
}

TEST_F(CallLoop, RefusesExitsOutOfTurn) {
  EXPECT_EQ(must_poison({ready()}).code, GLINT_E_GUEST_PROTOCOL);
  const auto unknown = [](GuestView& g) { return g.leave(1000); };
  EXPECT_EQ(must_poison({unknown}).code, GLINT_E_GUEST_PROTOCOL);
  const auto none = [](GuestView& g) { return g.leave(GLINT_EXIT_NONE); };
  EXPECT_EQ(must_poison({none}).code, GLINT_E_GUEST_PROTOCOL);

  auto s = machine.sandbox();
  machine.script = {result(GLINT_ABI_BOOL, 1)};
  EXPECT_EQ(s->run().error().code, GLINT_E_GUEST_PROTOCOL) << "a result although nothing was called";
  EXPECT_EQ(s->state(), Sandbox::State::kPoisoned);
}

TEST_F(CallLoop, RefusesMalformedText) {
  const auto with_size = [](uint32_t size) {
    return [size](GuestView& g) {
      GLINT_SET(g, text_size, size);
      return result(GLINT_ABI_BOOL, 1)(g);
    };
  };
  EXPECT_EQ(must_poison({with_size(GLINT_TRANSFER_TEXT_SIZE + 1)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({with_size(0xffffffff)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({with_size(4)}).code, GLINT_E_GUEST_PROTOCOL) << "half a record";
  const auto too_long = [](GuestView& g) {
    g.put(GLINT_TRANSFER_TEXT, glint_abi_text_record{GLINT_TEXT_STDOUT, 0xfffffff8});
    GLINT_SET(g, text_size, 16);
    return result(GLINT_ABI_BOOL, 1)(g);
  };
  EXPECT_EQ(must_poison({too_long}).code, GLINT_E_GUEST_PROTOCOL);
  const auto unknown_kind = [](GuestView& g) {
    g.print(99, "x");
    return result(GLINT_ABI_BOOL, 1)(g);
  };
  EXPECT_EQ(must_poison({unknown_kind}).code, GLINT_E_GUEST_PROTOCOL);
}

// ---- text, input, room ---------------------------------------------------------------------------------

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

// ---- ends ------------------------------------------------------------------------------------------------

TEST_F(CallLoop, AProgramThatEndsGivesItsExitStatus) {
  auto s = machine.sandbox();
  machine.script = {[](GuestView& g) {
    GLINT_SET(g, exit_code, 0x103);
    return g.leave(GLINT_EXIT_PROGRAM);
  }};
  auto ended = s->run();
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, 3);
  EXPECT_EQ(s->state(), Sandbox::State::kEnded);
  EXPECT_EQ(*s->run(), 3) << "asked again";
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().code, GLINT_E_ENDED);
}

TEST_F(CallLoop, AProgramThatEndsDuringACallIsAnError) {
  auto s = ready_sandbox();
  machine.script = {[](GuestView& g) { return g.leave(GLINT_EXIT_PROGRAM); }};
  EXPECT_EQ(machine.call(*s, ScriptedMachine::kFlag).error().code, GLINT_E_ENDED);
  EXPECT_EQ(s->state(), Sandbox::State::kEnded);
}

TEST_F(CallLoop, ASignalToItselfIsAnAbort) {
  const auto kill = [](int32_t signal) {
    return [=](GuestView& g) {
      GLINT_SET(g, exit_code, signal);
      GLINT_SET(g, exit_address, g.layout.libos_entry);
      return g.leave(GLINT_EXIT_SIGNAL);
    };
  };
  const Error e = must_poison({kill(SIGABRT)});
  EXPECT_EQ(e.code, GLINT_E_GUEST_ABORT);
  ASSERT_NE(e.fault, nullptr);
  EXPECT_EQ(e.fault->signal, SIGABRT);
  EXPECT_EQ(e.fault->name, "abort");
  EXPECT_EQ(must_poison({kill(0)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({kill(-5)}).code, GLINT_E_GUEST_PROTOCOL);
  EXPECT_EQ(must_poison({kill(65)}).code, GLINT_E_GUEST_PROTOCOL);
}

Step fault(uint32_t vector, uint64_t error_code, uint64_t rip, uint64_t cr2, bool with_code) {
  return [=](GuestView& g) {
    auto stack = g.vcpu.memory(g.layout.system_pages_gpa, 4096);
    uint64_t frame[6] = {error_code, rip, 0x2b, 0x202, 0x1000, 0x23};
    const size_t words = with_code ? 6 : 5;
    const uint64_t offset = 4096 - words * 8;
    std::memcpy(stack.data() + offset, frame + (6 - words), words * 8);
    g.vcpu.registers.rsp = GLINT_GVA_SYSTEM + offset;
    g.vcpu.registers.rip = GLINT_GVA_SYSTEM + 4096 + vector * 16 + 2;
    g.vcpu.cr2 = cr2;
    return exit_by_port(GLINT_FAULT_PORT);
  };
}

TEST_F(CallLoop, AFaultNamesVectorAddressInstructionAndSymbol) {
  const Error e = must_poison({fault(14, 6, 0, 0x10, true)});
  EXPECT_EQ(e.code, GLINT_E_GUEST_FAULT);
  ASSERT_NE(e.fault, nullptr);
  EXPECT_EQ(e.fault->vector, 14u);
  EXPECT_EQ(e.fault->name, "page fault");
  EXPECT_EQ(e.fault->access, "write");
  EXPECT_EQ(e.fault->address, 0x10u);
  EXPECT_EQ(e.fault->signal, SIGSEGV);
  EXPECT_NE(e.message.find("null pointer"), std::string::npos) << e.message;

  const uint64_t crash = machine.image->program().symbols.at(0).gva;
  const Error ud = must_poison({fault(6, 0, crash + 2, 0, false)});
  EXPECT_EQ(ud.fault->name, "invalid opcode");
  EXPECT_EQ(ud.fault->instruction, crash + 2);
  EXPECT_EQ(ud.fault->symbol, "crash");
  EXPECT_EQ(ud.fault->symbol_offset, 2u);
  EXPECT_EQ(ud.fault->signal, SIGILL);
}

TEST_F(CallLoop, SaysWhenTheStackOverflowedOrASupervisorPageWasTouched) {
  const uint64_t guard = machine.image->layout().stack_bottom - 8;
  EXPECT_NE(must_poison({fault(14, 6, 1, guard, true)}).message.find("stack overflowed"), std::string::npos);
  EXPECT_NE(must_poison({fault(14, 5, 1, GLINT_GVA_SYSTEM, true)}).message.find("supervisor"),
            std::string::npos);
  EXPECT_NE(must_poison({fault(14, 4, 1, 0x3fffffffffff, true)}).message.find("nothing is mapped"),
            std::string::npos);
}

TEST_F(CallLoop, AFaultAfterRefusedMemoryIsOutOfMemory) {
  auto s = ready_sandbox();
  machine.script = {[](GuestView& g) {
    GLINT_SET(g, memory_refused, 2);
    return fault(14, 6, 0x400000, 0, true)(g);
  }};
  auto failed = machine.call(*s, ScriptedMachine::kFlag);
  EXPECT_EQ(failed.error().code, GLINT_E_GUEST_OUT_OF_MEMORY);
  EXPECT_NE(failed.error().message.find("64 MiB"), std::string::npos) << failed.error().message;
}

TEST_F(CallLoop, DoesNotBelieveAFaultThatRing3Forges) {
  // Where every port leaves the guest, ring 3 can use the stubs' port too: rip is not in a stub then.
  const auto forged = [](GuestView& g) {
    g.vcpu.registers.rip = 0x400123;
    return exit_by_port(GLINT_FAULT_PORT);
  };
  const Error e = must_poison({forged});
  EXPECT_EQ(e.code, GLINT_E_GUEST_FAULT);
  EXPECT_EQ(e.fault->name, "forbidden port");
  EXPECT_EQ(e.fault->instruction, 0x400123u);
}

TEST_F(CallLoop, SurvivesAStackPointerThatPointsNowhere) {
  for (const uint64_t rsp :
       {uint64_t{0}, ~uint64_t{0}, uint64_t{GLINT_GVA_SYSTEM + 4096 - 8}, uint64_t{GLINT_GVA_SYSTEM - 8}}) {
    const auto step = [=](GuestView& g) {
      g.vcpu.registers.rip = GLINT_GVA_SYSTEM + 4096 + 14 * 16;
      g.vcpu.registers.rsp = rsp;
      return exit_by_port(GLINT_FAULT_PORT);
    };
    EXPECT_EQ(must_poison({step}).code, GLINT_E_GUEST_FAULT);
  }
}

TEST_F(CallLoop, AnotherPortIsAForbiddenPort) {
  const auto out = [](GuestView&) { return exit_by_port(0x70); };
  EXPECT_EQ(must_poison({out}).fault->name, "forbidden port");
  const auto in = [](GuestView&) {
    Exit exit = exit_by_port(GLINT_EXIT_PORT);
    exit.output = false;
    return exit;
  };
  EXPECT_EQ(must_poison({in}).fault->name, "forbidden port");
}

TEST_F(CallLoop, MemoryThatIsNotThereIsAFault) {
  const auto mmio = [](GuestView& g) {
    Exit exit = exit_of_kind(Exit::Kind::kMmio);
    exit.gpa = g.layout.transfer_gpa + GLINT_TRANSFER_INITIAL + 8;
    exit.output = true;
    return exit;
  };
  const Error e = must_poison({mmio});
  EXPECT_EQ(e.code, GLINT_E_GUEST_FAULT);
  EXPECT_EQ(e.fault->address, GLINT_GVA_TRANSFER + GLINT_TRANSFER_INITIAL + 8);
  EXPECT_EQ(e.fault->access, "write");
}

TEST_F(CallLoop, AVmThatGaveUpIsNotUsedAgain) {
  for (const Exit::Kind kind : {Exit::Kind::kShutdown, Exit::Kind::kFailed}) {
    const auto created = machine.engine->counters().vms_created.load();
    const auto live = machine.hypervisor->vms_live();
    const Error e = must_poison({[=](GuestView&) { return exit_of_kind(kind); }});
    EXPECT_EQ(e.code, GLINT_E_HYPERVISOR);
    EXPECT_LE(machine.hypervisor->vms_live(), live == 0 ? 0 : live - 1 + (live == 0 ? 1 : 0));
    auto next = ready_sandbox();
    EXPECT_GT(machine.engine->counters().vms_created.load(), created);
  }
}

TEST_F(CallLoop, AFailingHypervisorIsAnErrorAndPoisons) {
  const auto fail = [](GuestView&) -> Result<Exit> { return error(GLINT_E_HYPERVISOR, "KVM_RUN: broken"); };
  const Error e = must_poison({fail});
  EXPECT_EQ(e.code, GLINT_E_HYPERVISOR);
  EXPECT_EQ(e.message, "KVM_RUN: broken");
}

TEST_F(CallLoop, EveryFailureOfSettingUpAVmIsReportedAndLeavesNothing) {
  for (const char* operation : {"create_vm", "add_memory", "create_vcpu", "configure", "load"}) {
    ScriptedMachine fresh;
    fresh.hypervisor->fail(operation);
    auto s = fresh.sandbox();
    auto failed = s->run();
    ASSERT_FALSE(failed) << operation;
    EXPECT_EQ(failed.error().message, std::string(operation) + ": told to fail");
    EXPECT_EQ(fresh.hypervisor->vms_live(), 0u) << operation;
    // The trouble passes: the same sandbox can be started.
    fresh.hypervisor->fail("");
    fresh.script = {ready()};
    EXPECT_TRUE(s->run()) << operation;
  }
}

// ---- imports ----------------------------------------------------------------------------------------------

TEST(Imports, AMissingOrDifferentOneIsNamedWithItsSignature) {
  ScriptedMachine machine;
  auto none = Sandbox::create(machine.image, nullptr, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, GLINT_E_MISSING_IMPORT);
  EXPECT_NE(none.error().message.find("progress(u32) -> void"), std::string::npos) << none.error().message;
  EXPECT_NE(none.error().message.find("ask(string) -> string"), std::string::npos);

  auto different = std::make_shared<HostFunctions>();
  ASSERT_TRUE(different->add("progress", GLINT_ABI_I64, {}, {}));
  auto wrong = Sandbox::create(machine.image, different, {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("the host offers it as () -> i64"), std::string::npos)
      << wrong.error().message;
}

TEST(Imports, ASetInUseIsNotChangedAnyMore) {
  ScriptedMachine machine;
  auto s = machine.sandbox();
  EXPECT_EQ(machine.functions->add("late", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_BUSY);
}

TEST(HostFunctions, RefusesBadNamesTypesAndDuplicates) {
  HostFunctions set;
  EXPECT_EQ(set.add("", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add(std::string(64, 'x'), GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(set.add(std::string(63, 'x'), GLINT_ABI_VOID, {}, {}));
  EXPECT_EQ(set.add("a", static_cast<glint_abi_type>(10), {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, {GLINT_ABI_VOID}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, std::vector(33, GLINT_ABI_I32), {}).error().code,
            GLINT_E_INVALID_ARGUMENT);
  EXPECT_TRUE(set.add("a", GLINT_ABI_VOID, std::vector(32, GLINT_ABI_I32), {}));
  EXPECT_EQ(set.add("a", GLINT_ABI_VOID, {}, {}).error().code, GLINT_E_INVALID_ARGUMENT);
}

TEST(SandboxOptions, RefusesArgumentsThatDoNotFitOrHoldNul) {
  ScriptedMachine machine;
  SandboxOptions large;
  large.arguments = {std::string(200'000, 'x')};
  EXPECT_EQ(Sandbox::create(machine.image, machine.functions, large).error().code, GLINT_E_TOO_LARGE);
  SandboxOptions nul;
  nul.environment = {std::string("A=\0B", 4)};
  EXPECT_EQ(Sandbox::create(machine.image, machine.functions, nul).error().code, GLINT_E_INVALID_ARGUMENT);
}

TEST(Engine, WithoutAHypervisorImagesCanBeLookedAtButNotRun) {
  auto engine = Engine::create({EngineOptions::Backend::kNone, 0});
  ASSERT_TRUE(engine);
  auto image = Image::load(*engine, sample_elf().build().bytes, {});
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(Sandbox::create(*image, nullptr, {}).error().code, GLINT_E_NO_HYPERVISOR);
}

}  // namespace
}  // namespace glint::test
