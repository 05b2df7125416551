// SPDX-License-Identifier: Apache-2.0
#pragma once

// A sandbox whose guest is a script, ready to be called.

#include <gtest/gtest.h>

#include "scripted_guest.hpp"

namespace glint::test {

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

}  // namespace glint::test
