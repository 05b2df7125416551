// SPDX-License-Identifier: Apache-2.0
//
// What every backend must do, run against KVM and against the fake, whose script is a tiny interpreter of the
// same machine code; then what only a real one can show.

#include <sys/time.h>
#include <csignal>
#include <ctime>

#include "arch/x86_64/page_tables.hpp"
#include "arch/x86_64/probe.hpp"
#include "arch/x86_64/system_pages.hpp"
#include "base/checked.hpp"
#include "base/mapping.hpp"
#include "hypervisor/fake/fake.hpp"
#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

// Guest-physical memory: page tables, system pages, code, data.
constexpr uint64_t kTablesSize = 16 * kPageSize;
constexpr uint64_t kSystemGpa = kTablesSize;
constexpr uint64_t kCodeGpa = kSystemGpa + kSystemPagesSize;
constexpr uint64_t kDataGpa = kCodeGpa + kPageSize;
constexpr uint64_t kTotalSize = kDataGpa + kPageSize;
constexpr uint64_t kCodeGva = GLINT_GVA_PROGRAM_MIN;
constexpr uint64_t kDataGva = kCodeGva + kPageSize;

// The programs, 16 bytes each; each goes on for ever.
struct Program16 {
  uint64_t offset;
  std::vector<uint8_t> code;
};
const Program16 kOutLong = {0, {0xe7, 0x80, 0xeb, 0xfc}};   // 1: out %eax, $0x80; jmp 1b
const Program16 kOutByte = {16, {0xe6, 0x80, 0xeb, 0xfc}};  // 1: out %al, $0x80; jmp 1b
const Program16 kInByte = {32, {0xe4, 0x80, 0xeb, 0xfc}};   // 1: in $0x80, %al; jmp 1b
const Program16 kRead = {48, {0x8a, 0x07, 0xeb, 0xfc}};     // 1: mov (%rdi), %al; jmp 1b
const Program16 kUndefined = {64, {0x0f, 0x0b}};            // ud2
const Program16 kCount = {80, {0xff, 0x07, 0xeb, 0xfc}};    // 1: incl (%rdi); jmp 1b

// Plays the programs on the fake.
Result<Exit> interpret(FakeVcpu& vcpu) {
  for (int step = 0; step < 100; ++step) {
    const auto code = vcpu.memory(kCodeGpa + (vcpu.registers.rip - kCodeGva), 2);
    const auto opcode = std::to_integer<uint8_t>(code[0]);
    const auto operand = std::to_integer<uint8_t>(code[1]);
    Exit exit = exit_by_port(operand);
    switch (opcode) {
      case 0xeb:
        vcpu.registers.rip += 2 + static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(operand)));
        continue;
      case 0xe6:
      case 0xe4:
        exit.width = 1;
        exit.output = opcode == 0xe6;
        [[fallthrough]];
      case 0xe7:
        vcpu.registers.rip += 2;
        return exit;
      default:  // the faults
        vcpu.cr2 = opcode == 0x8a ? vcpu.registers.rdi : vcpu.cr2;
        return exit_by_port(GLINT_FAULT_PORT);
    }
  }
  return error(GLINT_E_INTERNAL, "the program does not leave");
}

class Machine {
 public:
  explicit Machine(Hypervisor& hypervisor, PortAccess port_access) {
    auto range = MappedRange::reserve(kTotalSize, kPageSize);
    memory_ = std::move(range).value();
    EXPECT_TRUE(succeeded(map_anonymous(memory_.data(), memory_.size())));
    write_memory();
    vm_ = std::move(hypervisor.create_vm()).value();
    EXPECT_TRUE(succeeded(vm_->add_memory(0, 0, memory_.data(), kTotalSize)));
    vcpu_ = std::move(vm_->create_vcpu()).value();
    EXPECT_TRUE(succeeded(vcpu_->configure(system_registers(0, GLINT_GVA_SYSTEM, kCodeGva, port_access))));
  }

  static VcpuState start_of(const Program16& program) {
    VcpuState state;
    state.registers.rip = kCodeGva + program.offset;
    state.registers.rsp = kDataGva + kPageSize;
    return state;
  }

  Vm& vm() { return *vm_; }
  Vcpu& vcpu() { return *vcpu_; }
  std::byte* memory() { return memory_.data(); }
  std::span<const std::byte> exception_stack() const { return {memory_.data() + kSystemGpa, kPageSize}; }

  // Runs on until the guest leaves; signals do not count.
  Exit run() {
    for (;;) {
      auto exit = vcpu_->run();
      EXPECT_TRUE(succeeded(exit));
      if (!exit) return {};
      if (exit->kind != Exit::Kind::kInterrupted) return *exit;
    }
  }

 private:
  void write_memory() {
    const std::vector<Mapping> mappings = {
        {Region::kProgram, kCodeGva, kCodeGpa, kPageSize, true, false, true, false},
        {Region::kProgram, kDataGva, kDataGpa, kPageSize, true, true, false, false},
        {Region::kSystem, GLINT_GVA_SYSTEM, kSystemGpa, kPageSize, false, true, false, false},
        {Region::kSystem, GLINT_GVA_SYSTEM + kPageSize, kSystemGpa + kPageSize, kPageSize, false, false, true,
         false},
        {Region::kSystem, GLINT_GVA_SYSTEM + 2 * kPageSize, kSystemGpa + 2 * kPageSize, kPageSize, false,
         false, false, false},
    };
    write_page_tables(mappings, {memory_.data(), kTablesSize}, 0);
    write_system_pages({memory_.data() + kSystemGpa, kSystemPagesSize}, GLINT_GVA_SYSTEM);
    for (const Program16* p : {&kOutLong, &kOutByte, &kInByte, &kRead, &kUndefined, &kCount}) {
      std::memcpy(memory_.data() + kCodeGpa + p->offset, p->code.data(), p->code.size());
    }
  }

  MappedRange memory_;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<Vcpu> vcpu_;
};

Registers distinct_registers(uint64_t rip, uint64_t seed) {
  Registers r;
  uint64_t next = seed;
  for (uint64_t* field : {&r.rax, &r.rbx, &r.rcx, &r.rdx, &r.rsi, &r.rdi, &r.rsp, &r.rbp, &r.r8, &r.r9,
                          &r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15}) {
    *field = next;
    next += 0x1111111111111111u;
  }
  r.rip = rip;
  r.rflags = 0xcd7;  // CF PF AF ZF SF DF OF, and bit 1
  return r;
}

enum class Backend { kKvm, kFake };
std::string backend_name(const ::testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::kKvm ? "Kvm" : "Fake";
}

class Behaviour : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam() == Backend::kFake) {
      hypervisor_ = std::make_shared<FakeHypervisor>(interpret);
      return;
    }
    auto opened = open_kvm();
    if (!opened && opened.error().code == GLINT_E_NO_HYPERVISOR) GTEST_SKIP() << opened.error().message;
    ASSERT_TRUE(succeeded(opened));
    hypervisor_ = *opened;
    auto traits = probe_machine(*hypervisor_);
    ASSERT_TRUE(succeeded(traits));
    traits_ = *traits;
  }
  Machine machine() { return Machine(*hypervisor_, traits_.port_access); }
  const char* memory_operation() const {
    return GetParam() == Backend::kKvm ? "KVM_SET_USER_MEMORY_REGION" : "add_memory";
  }

  std::shared_ptr<Hypervisor> hypervisor_;
  MachineTraits traits_;
};
INSTANTIATE_TEST_SUITE_P(All, Behaviour, ::testing::Values(Backend::kKvm, Backend::kFake), backend_name);

TEST_P(Behaviour, AnExitTellsPortDirectionAndWidth) {
  Machine m = machine();
  const struct {
    const Program16& program;
    bool output;
    uint8_t width;
  } cases[] = {{kOutLong, true, 4}, {kOutByte, true, 1}, {kInByte, false, 1}};
  for (const auto& c : cases) {
    ASSERT_TRUE(succeeded(m.vcpu().load(Machine::start_of(c.program))));
    for (int i = 0; i < 3; ++i) {
      const Exit exit = m.run();
      EXPECT_EQ(exit.kind, Exit::Kind::kPort);
      EXPECT_EQ(exit.port, 0x80);
      EXPECT_EQ(exit.output, c.output);
      EXPECT_EQ(exit.width, c.width);
    }
  }
}

TEST_P(Behaviour, SaveGivesBackTheRegistersThatWereLoaded) {
  Machine m = machine();
  VcpuState state;
  state.registers = distinct_registers(kCodeGva + kOutLong.offset, 0x0123456789abcdefu);
  state.fs_base = 0x00007edcba987650u;
  state.gs_base = 0x0000123456789ab0u;
  ASSERT_TRUE(succeeded(m.vcpu().load(state)));
  m.run();
  auto saved = m.vcpu().save();
  ASSERT_TRUE(succeeded(saved));
  Registers expected = state.registers;
  expected.rip += 2;  // behind the `out`
  EXPECT_EQ(saved->registers, expected);
  EXPECT_EQ(saved->fs_base, state.fs_base);
  EXPECT_EQ(saved->gs_base, state.gs_base);
}

TEST_P(Behaviour, ASavedGuestContinuesOnAnotherMachine) {
  Machine first = machine(), second = machine();
  VcpuState state = Machine::start_of(kOutLong);
  state.registers.r12 = 12345;
  ASSERT_TRUE(succeeded(first.vcpu().load(state)));
  for (int turn = 0; turn < 6; ++turn) {
    Machine& now = turn % 2 == 0 ? first : second;
    Machine& next = turn % 2 == 0 ? second : first;
    EXPECT_EQ(now.run().port, 0x80);
    auto saved = now.vcpu().save();
    ASSERT_TRUE(succeeded(saved));
    EXPECT_EQ(saved->registers.r12, 12345u);
    EXPECT_EQ(saved->registers.rip, kCodeGva + kOutLong.offset + 2);
    ASSERT_TRUE(succeeded(next.vcpu().load(*saved)));
  }
}

TEST_P(Behaviour, VectorsComeBackAsTheyWereLoaded) {
  Machine m = machine();
  VcpuState state = Machine::start_of(kOutLong);
  auto vectors = std::make_shared<VectorState>();
  state.vectors = vectors;
  // XSAVE, standard format (SDM vol. 1, 13.4): control words, xmm at 160, the mask of what is there at 512,
  // upper halves of ymm at 576.
  auto& x = vectors->xsave;
  const uint16_t fcw = 0x27f;
  const uint32_t mxcsr = 0x3f80;
  const uint64_t present = 7;
  std::memcpy(x.data(), &fcw, sizeof fcw);
  std::memcpy(x.data() + 24, &mxcsr, sizeof mxcsr);
  std::memcpy(x.data() + 512, &present, sizeof present);
  for (size_t i = 0; i < 256; ++i) x[160 + i] = static_cast<std::byte>(i * 3 + 1);
  for (size_t i = 0; i < 256; ++i) x[576 + i] = static_cast<std::byte>(i * 5 + 2);
  ASSERT_TRUE(succeeded(m.vcpu().load(state)));
  m.run();
  auto saved = m.vcpu().save();
  ASSERT_TRUE(succeeded(saved));
  ASSERT_NE(saved->vectors, nullptr);
  const auto& y = saved->vectors->xsave;
  EXPECT_EQ(std::memcmp(x.data(), y.data(), 2), 0) << "x87 control word";
  EXPECT_EQ(std::memcmp(x.data() + 24, y.data() + 24, 4), 0) << "MXCSR";
  EXPECT_EQ(std::memcmp(x.data() + 160, y.data() + 160, 256), 0) << "xmm";
  EXPECT_EQ(std::memcmp(x.data() + 576, y.data() + 576, 256), 0) << "ymm";

  // Whatever else there is comes back, too, when it is loaded again.
  ASSERT_TRUE(succeeded(m.vcpu().load(*saved)));
  m.run();
  auto again = m.vcpu().save();
  ASSERT_TRUE(succeeded(again));
  EXPECT_TRUE(*again->vectors == *saved->vectors);

  // And nothing of it is left for the next one.
  ASSERT_TRUE(succeeded(m.vcpu().load(Machine::start_of(kOutLong))));
  m.run();
  auto fresh = m.vcpu().save();
  ASSERT_TRUE(succeeded(fresh));
  for (size_t i = 160; i < 416; ++i) ASSERT_EQ(fresh->vectors->xsave[i], std::byte{0}) << "xmm, byte " << i;
  uint64_t left = 0;
  std::memcpy(&left, fresh->vectors->xsave.data() + 512, sizeof left);
  if ((left & 4) != 0) {
    for (size_t i = 576; i < 832; ++i) ASSERT_EQ(fresh->vectors->xsave[i], std::byte{0}) << "ymm, byte " << i;
  }
}

TEST_P(Behaviour, CountersCountRunsAndCallsOfTheHypervisor) {
  Machine m = machine();
  ASSERT_TRUE(succeeded(m.vcpu().load(Machine::start_of(kOutLong))));
  const Vcpu::Counters before = m.vcpu().counters();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(succeeded(m.vcpu().run()));
  EXPECT_EQ(m.vcpu().counters().runs - before.runs, 10u);
  EXPECT_EQ(m.vcpu().counters().ioctls - before.ioctls, 10u);
  ASSERT_TRUE(succeeded(m.vcpu().save()));
  EXPECT_EQ(m.vcpu().counters().runs - before.runs, 10u);
  EXPECT_GT(m.vcpu().counters().ioctls - before.ioctls, 10u);
}

TEST_P(Behaviour, OverlappingSlotsAreRefused) {
  Machine m = machine();
  auto added = m.vm().add_memory(1, kTotalSize - kPageSize, m.memory(), kPageSize);
  EXPECT_TRUE(failed_with(added, GLINT_E_HYPERVISOR, memory_operation()));
  EXPECT_TRUE(succeeded(m.vm().add_memory(1, kTotalSize, m.memory(), kPageSize)));
}

TEST_P(Behaviour, SlotsThatAreNotWholePagesAreRefused) {
  Machine m = machine();
  EXPECT_TRUE(failed_with(m.vm().add_memory(1, kTotalSize + 1, m.memory(), kPageSize), GLINT_E_HYPERVISOR,
                          memory_operation()));
  EXPECT_TRUE(failed_with(m.vm().add_memory(1, kTotalSize, m.memory() + 1, kPageSize), GLINT_E_HYPERVISOR,
                          memory_operation()));
  EXPECT_TRUE(failed_with(m.vm().add_memory(1, kTotalSize, m.memory(), kPageSize - 1), GLINT_E_HYPERVISOR,
                          memory_operation()));
}

TEST_P(Behaviour, TheFaultStateGivesRegistersAndTheFaultingAddress) {
  Machine m = machine();
  VcpuState state = Machine::start_of(kRead);
  const uint64_t nowhere = kDataGva + 64 * kPageSize + 5;
  state.registers.rdi = nowhere;
  state.registers.r13 = 0x1234567812345678u;
  ASSERT_TRUE(succeeded(m.vcpu().load(state)));
  const Exit exit = m.run();
  ASSERT_EQ(exit.kind, Exit::Kind::kPort);
  EXPECT_EQ(exit.port, GLINT_FAULT_PORT);
  auto fault = m.vcpu().fault_state();
  ASSERT_TRUE(succeeded(fault));
  EXPECT_EQ(fault->cr2, nowhere);
  EXPECT_EQ(fault->registers.rdi, nowhere);
  EXPECT_EQ(fault->registers.r13, 0x1234567812345678u);
}

TEST_P(Behaviour, AFaultLeavesNothingForTheNextGuest) {
  Machine m = machine();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(succeeded(m.vcpu().load(Machine::start_of(kUndefined))));
    EXPECT_EQ(m.run().port, GLINT_FAULT_PORT);
    ASSERT_TRUE(succeeded(m.vcpu().load(Machine::start_of(kOutLong))));
    EXPECT_EQ(m.run().port, GLINT_EXIT_PORT);
  }
}

// ---- KVM alone ----

class RealMachine : public KvmTest {
 protected:
  Machine machine() { return Machine(*engine->hypervisor(), engine->traits().port_access); }
};

TEST_F(RealMachine, TheProbeGivesAUsableAnswer) {
  auto traits = probe_machine(*engine->hypervisor());
  ASSERT_TRUE(succeeded(traits));
  EXPECT_NE(traits->tsc_khz, 0u);
  EXPECT_EQ(traits->port_access, engine->traits().port_access) << "the same answer each time";
  EXPECT_EQ(traits->syscall_enters_ring3, engine->traits().syscall_enters_ring3);
}

// AVX state that a guest can use but that does not travel would be seen by the next sandbox.
TEST_F(RealMachine, AvxIsCarriedWhereItCanBeUsed) {
  const MachineTraits& traits = engine->traits();
  EXPECT_TRUE(traits.can_share_vcpus()) << "vector registers would stay behind";
}

TEST_F(RealMachine, ExceptionsArePushedAsTheManualSays) {
  Machine m = machine();
  const struct {
    const Program16& program;
    uint32_t vector;
  } cases[] = {{kUndefined, 6}, {kRead, 14}};
  for (const auto& c : cases) {
    VcpuState state = Machine::start_of(c.program);
    state.registers.rdi = 0;
    ASSERT_TRUE(succeeded(m.vcpu().load(state)));
    ASSERT_EQ(m.run().port, GLINT_FAULT_PORT);
    auto fault = m.vcpu().fault_state();
    ASSERT_TRUE(succeeded(fault));
    const auto frame = read_exception_frame(fault->registers, m.exception_stack(), GLINT_GVA_SYSTEM);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->vector, c.vector);
    EXPECT_EQ(frame->rip, kCodeGva + c.program.offset);
    EXPECT_EQ(frame->rsp, kDataGva + kPageSize);
    EXPECT_EQ(frame->cs & 3, 3);
  }
}

TEST_F(RealMachine, ASignalInterruptsARunAndTheGuestGoesOnAfterIt) {
  Machine m = machine();
  VcpuState state = Machine::start_of(kCount);
  state.registers.rdi = kDataGva;
  ASSERT_TRUE(succeeded(m.vcpu().load(state)));
  struct sigaction action{}, old{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old), 0);
  const auto counted = [&] {
    uint32_t value = 0;
    std::memcpy(&value, m.memory() + kDataGpa, sizeof value);
    return value;
  };
  uint32_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const itimerval timer{{0, 20000}, {0, 20000}}, none{};
    ASSERT_EQ(::setitimer(ITIMER_REAL, &timer, nullptr), 0);
    auto exit = m.vcpu().run();
    ::setitimer(ITIMER_REAL, &none, nullptr);
    ASSERT_TRUE(succeeded(exit));
    EXPECT_EQ(exit->kind, Exit::Kind::kInterrupted);
    EXPECT_GT(counted(), last);
    last = counted();
  }
  ::sigaction(SIGALRM, &old, nullptr);
}

}  // namespace
}  // namespace glint::test
