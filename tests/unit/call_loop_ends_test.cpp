// SPDX-License-Identifier: Apache-2.0
//
// The call loop: how a guest can end, by itself, by faults, or with its VM.

#include <gtest/gtest.h>

#include <csignal>

#include "call_loop_fixture.hpp"

namespace glint::test {
namespace {

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

}  // namespace
}  // namespace glint::test
