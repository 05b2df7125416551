// SPDX-License-Identifier: Apache-2.0
//
// The call loop against a scripted guest that lies.

#include <gtest/gtest.h>

#include "call_loop_fixture.hpp"

namespace glint::test {
namespace {

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

}  // namespace
}  // namespace glint::test
