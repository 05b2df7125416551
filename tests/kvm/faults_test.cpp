// SPDX-License-Identifier: Apache-2.0
//
// Every way in which tests/guests/faults.c ends badly: what the error says, and that nobody else notices.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "kvm/fixture.hpp"

namespace glint::test {
namespace {

constexpr uint32_t kDivide = 0, kDebug = 1, kBreakpoint = 3, kUndefined = 6, kProtection = 13, kPage = 14,
                   kSimd = 19;
constexpr uint32_t kNone = Fault::kNoVector;

struct Expected {
  const char* function;
  uint32_t vector;
  int signal;
  const char* name;
  const char* access = "";  // of page faults
  std::optional<uint64_t> address = std::nullopt;
  const char* hint = "";         // stands in the message
  const char* symbol = nullptr;  // null: the function's own; empty: none, the guest jumped to nowhere
};

class Faults : public KvmTest {
 protected:
  void SetUp() override {
    KvmTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    own_engine = make_engine(2);
    image = load_image(own_engine, "faults");
    witness = make_sandbox(image);
    EXPECT_TRUE(gave(call<int32_t>(*witness, "fine"), 42));
  }

  // Afterwards the faulted sandbox refuses everything, and all others work, on no more VMs than before.
  void expect_only_harm_to(Sandbox& faulted) {
    EXPECT_EQ(faulted.state(), Sandbox::State::kPoisoned);
    EXPECT_TRUE(failed_with(call_void(faulted, "fine"), GLINT_E_POISONED));
    EXPECT_TRUE(failed_with(faulted.run(), GLINT_E_POISONED));
    faulted.release_result();
    EXPECT_TRUE(gave(call<int32_t>(*witness, "fine"), 42)) << "a sandbox that was there before";
    auto next = make_sandbox(image);
    EXPECT_TRUE(gave(call<int32_t>(*next, "fine"), 42)) << "a new sandbox";
    EXPECT_LE(own_engine->counters().vms_created, 2u) << "the VMs are kept";
    EXPECT_EQ(own_engine->counters().vms_live, own_engine->counters().vms_created);
  }

  void expect_symbol(const Fault& fault, const std::string& symbol) {
    if (symbol.empty()) {
      EXPECT_EQ(fault.symbol, "");
      return;
    }
    EXPECT_NE(fault.symbol.find(symbol), std::string::npos) << fault.symbol;
    const Symbol* found = image->nearest_symbol(fault.instruction);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, fault.symbol);
    EXPECT_EQ(fault.symbol_offset, fault.instruction - found->gva);
    EXPECT_LE(fault.symbol_offset, found->size) << "the instruction lies inside";
  }

  template <class... Arguments>
  std::shared_ptr<const Fault> fault_of(const char* function, glint_status code,
                                        const Arguments&... arguments) {
    auto sandbox = make_sandbox(image);
    auto result = call_void(*sandbox, function, arguments...);
    EXPECT_TRUE(failed_with(result, code, "function '" + std::string(function) + "'"));
    if (result || result.error().code != code) return nullptr;
    message = result.error().message;
    expect_only_harm_to(*sandbox);
    EXPECT_NE(result.error().fault, nullptr);
    return result.error().fault;
  }

  std::shared_ptr<Engine> own_engine;
  std::shared_ptr<Image> image;
  std::unique_ptr<Sandbox> witness;
  std::string message;  // of the last fault
};

TEST_F(Faults, EachIsReportedAsWhatItIs) {
  const Expected cases[] = {
      {"invalid_opcode", kUndefined, SIGILL, "invalid opcode"},
      {"trap", kUndefined, SIGILL, "invalid opcode"},
      {"breakpoint", kBreakpoint, SIGTRAP, "breakpoint"},
      {"divide_by_zero", kDivide, SIGFPE, "divide error"},
      {"null_read", kPage, SIGSEGV, "page fault", "read", 0, "a null pointer?"},
      {"null_write", kPage, SIGSEGV, "page fault", "write", 0, "a null pointer?"},
      {"null_execute", kPage, SIGSEGV, "page fault", "execute", 0, "a null pointer?", ""},
      {"write_code", kPage, SIGSEGV, "page fault", "write", {}, "program memory, which does not allow it"},
      {"write_constant",
       kPage,
       SIGSEGV,
       "page fault",
       "write",
       {},
       "program memory, which does not allow it"},
      {"write_libos", kPage, SIGSEGV, "page fault", "write", GLINT_GVA_LIBOS, "libos memory"},
      {"execute_data", kPage, SIGSEGV, "page fault", "execute", {}, "program memory", ""},
      {"execute_stack", kPage, SIGSEGV, "page fault", "execute", {}, "stack memory", ""},
      {"execute_heap", kPage, SIGSEGV, "page fault", "execute", {}, "heap memory", ""},
      {"execute_transfer", kPage, SIGSEGV, "page fault", "execute",
       GLINT_GVA_TRANSFER + GLINT_TRANSFER_PAYLOAD, "transfer memory", ""},
      {"supervisor_read", kPage, SIGSEGV, "page fault", "read", GLINT_GVA_SYSTEM, "a supervisor page"},
      {"supervisor_write", kPage, SIGSEGV, "page fault", "write", GLINT_GVA_SYSTEM, "a supervisor page"},
      {"supervisor_execute", kPage, SIGSEGV, "page fault", "execute", GLINT_GVA_SYSTEM, "a supervisor page",
       ""},
      {"guard_write", kPage, SIGSEGV, "page fault", "write", GLINT_GVA_STACK_AREA, "the stack overflowed"},
      {"unmapped_read", kPage, SIGSEGV, "page fault", "read", GLINT_GVA_END - 4096,
       "nothing is mapped there"},
      {"high_half_read", kPage, SIGSEGV, "page fault", "read", 0xffff800000000000u,
       "nothing is mapped there"},
      {"non_canonical", kProtection, SIGSEGV, "general protection fault", "", {}, "a non-canonical address"},
      {"large_frame", kPage, SIGSEGV, "page fault", "write", {}, "the stack overflowed"},
      {"stack_overflow", kPage, SIGSEGV, "page fault", "write", {}, "the stack overflowed", "recurse"},
      {"lost_stack", kPage, SIGSEGV, "page fault", "write", 0xfffffffffffffff8u},
      {"lost_stack_invalid_opcode", kUndefined, SIGILL, "invalid opcode"},
      {"syscall_on_supervisor_stack",
       kPage,
       SIGSEGV,
       "page fault",
       "write",
       {},
       "a supervisor page",
       "glint_syscall_entry"},
      {"halt", kProtection, SIGSEGV, "general protection fault", "", {}, "a privileged instruction"},
      {"disable_interrupts", kProtection, SIGSEGV, "general protection fault"},
      {"write_cr3", kProtection, SIGSEGV, "general protection fault"},
      {"write_msr", kProtection, SIGSEGV, "general protection fault"},
      {"single_step", kDebug, SIGTRAP, "debug exception"},
  };
  for (const Expected& expected : cases) {
    SCOPED_TRACE(expected.function);
    const auto fault = fault_of(expected.function, GLINT_E_GUEST_FAULT);
    if (!fault) continue;
    EXPECT_EQ(fault->vector, expected.vector);
    EXPECT_EQ(fault->signal, expected.signal);
    EXPECT_EQ(fault->name, expected.name);
    EXPECT_EQ(fault->access, expected.access);
    if (expected.address) {
      EXPECT_EQ(fault->address, *expected.address);
    }
    if (expected.vector != kPage || fault->access == "execute") {
      EXPECT_EQ(fault->address, fault->instruction);
    }
    EXPECT_NE(message.find(expected.name), std::string::npos) << message;
    EXPECT_NE(message.find(expected.hint), std::string::npos) << message;
    expect_symbol(*fault, expected.symbol == nullptr ? expected.function : expected.symbol);
  }
}

// An emulated processor (QEMU's TCG) never raises this exception, for a process no more than for a guest.
TEST_F(Faults, ASimdExceptionIsReportedWhereTheProcessorRaisesIt) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGFPE, SIG_DFL);  // a sanitizer may have taken it
    const uint32_t control = 0;    // no exception masked
    float one = 1, zero = 0;
    __asm__ volatile("ldmxcsr %1; divss %2, %0" : "+x"(one) : "m"(control), "x"(zero));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (!WIFSIGNALED(status)) {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(succeeded(call_void(*sandbox, "simd_exception")));
    return;
  }
  EXPECT_EQ(WTERMSIG(status), SIGFPE);
  const auto fault = fault_of("simd_exception", GLINT_E_GUEST_FAULT);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->vector, kSimd);
  EXPECT_EQ(fault->signal, SIGFPE);
  EXPECT_EQ(fault->name, "SIMD floating-point error");
  EXPECT_EQ(fault->address, fault->instruction);
  expect_symbol(*fault, "simd_exception");
}

TEST_F(Faults, AStackOverflowLiesAtTheBottomOfTheStack) {
  const auto fault = fault_of("stack_overflow", GLINT_E_GUEST_FAULT);
  ASSERT_TRUE(fault);
  EXPECT_LT(fault->address, image->layout().stack_bottom);
  EXPECT_GE(fault->address, image->layout().stack_bottom - 4096)
      << "its frames are smaller than the guard page";
}

TEST_F(Faults, WritesToReadOnlyMemoryNameTheAddress) {
  for (const char* function : {"write_code", "write_constant", "execute_data"}) {
    const auto fault = fault_of(function, GLINT_E_GUEST_FAULT);
    ASSERT_TRUE(fault);
    bool inside = false;
    for (const Segment& s : image->program().segments) {
      inside = inside || (fault->address >= s.gva && fault->address - s.gva < s.size);
    }
    EXPECT_TRUE(inside) << function << ": " << fault->address;
  }
}

// Processors say general protection fault (there is no gate that ring 3 may use); a software KVM says invalid
// opcode.
TEST_F(Faults, ASoftwareInterruptIsRefused) {
  const auto fault = fault_of("software_interrupt", GLINT_E_GUEST_FAULT);
  ASSERT_TRUE(fault);
  EXPECT_TRUE(fault->vector == kProtection || fault->vector == kUndefined) << fault->vector;
  expect_symbol(*fault, "software_interrupt");
}

// With the I/O bitmap the processor refuses ports; where every port leaves the guest (IOPL), the host does.
TEST_F(Faults, OtherPortsAreForbidden) {
  for (const char* function : {"out_other_port", "in_other_port", "in_exit_port", "out_fault_port"}) {
    SCOPED_TRACE(function);
    const auto fault = fault_of(function, GLINT_E_GUEST_FAULT);
    if (!fault) continue;
    EXPECT_EQ(fault->signal, SIGSEGV);
    EXPECT_NE(message.find("forbidden port"), std::string::npos) << message;
    EXPECT_TRUE(fault->vector == kProtection || fault->vector == kNone) << fault->vector;
    expect_symbol(*fault, function);
  }
}

TEST_F(Faults, NoPortButTheExitPortDoesAnything) {
  const auto ports = load_image(own_engine, "ports");
  std::vector<uint32_t> numbers;
  for (uint32_t port = 0x78; port <= 0x98; ++port) numbers.push_back(port);
  for (uint32_t port : {0u, 0x20u, 0x60u, 0x70u, 0xe9u, 0x3f8u, 0xcf8u, 0xffffu}) numbers.push_back(port);
  for (const char* function : {"out_byte", "out_word", "out_long", "in_byte", "in_long", "in_string"}) {
    for (uint32_t port : numbers) {
      auto sandbox = make_sandbox(ports);
      auto result = call_void(*sandbox, function, port);
      ASSERT_FALSE(result) << function << " " << port;
      // To the exit port without saying why: a breach of the protocol.
      const bool exit = port == GLINT_EXIT_PORT && std::string_view(function).starts_with("out");
      EXPECT_TRUE(failed_with(result, exit ? GLINT_E_GUEST_PROTOCOL : GLINT_E_GUEST_FAULT))
          << function << " " << port;
      EXPECT_EQ(sandbox->state(), Sandbox::State::kPoisoned);
    }
  }
  EXPECT_TRUE(gave(call<int32_t>(*witness, "fine"), 42));
}

TEST_F(Faults, TheExitPortByOtherInstructionsIsABreachOfTheProtocol) {
  for (const char* function : {"out_exit_port_byte", "out_exit_port_string"}) {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(failed_with(call_void(*sandbox, function), GLINT_E_GUEST_PROTOCOL, function));
    expect_only_harm_to(*sandbox);
  }
}

TEST_F(Faults, AbortAndOtherSignalsEndTheSandbox) {
  auto fault = fault_of("call_abort", GLINT_E_GUEST_ABORT);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->signal, SIGABRT);
  EXPECT_EQ(fault->name, "abort");
  EXPECT_EQ(fault->vector, kNone);
  EXPECT_FALSE(fault->symbol.empty()) << "somewhere in libc";
  fault = fault_of("raise_fpe", GLINT_E_GUEST_ABORT);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->signal, SIGFPE);
  for (int32_t signal : {SIGTERM, SIGKILL, SIGSEGV, SIGUSR1, 64}) {
    fault = fault_of("call_raise", GLINT_E_GUEST_ABORT, signal);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->signal, signal);
  }
  auto sandbox = make_sandbox(image);
  for (int32_t signal : {SIGTERM, SIGUSR1, SIGPIPE})
    EXPECT_TRUE(gave(call<bool>(*sandbox, "raise_ignored", signal), true));
  EXPECT_TRUE(succeeded(call_void(*sandbox, "call_raise", int32_t{SIGCHLD}))) << "ignored by default";
}

TEST_F(Faults, ExitEndsTheSandboxWithItsStatus) {
  for (int32_t status : {0, 3, 255}) {
    auto sandbox = make_sandbox(image);
    EXPECT_TRUE(failed_with(call_void(*sandbox, "call_exit", status), GLINT_E_ENDED, std::to_string(status)));
    EXPECT_EQ(sandbox->state(), Sandbox::State::kEnded);
    auto ended = sandbox->run();
    ASSERT_TRUE(succeeded(ended));
    EXPECT_EQ(*ended, status);
    EXPECT_TRUE(failed_with(call_void(*sandbox, "fine"), GLINT_E_ENDED));
    EXPECT_TRUE(gave(call<int32_t>(*witness, "fine"), 42));
  }
}

TEST_F(Faults, RunningOutOfMemoryIsCalledThat) {
  auto fault = fault_of("oom_null_write", GLINT_E_GUEST_OUT_OF_MEMORY);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->vector, kPage);
  EXPECT_EQ(fault->address, 0u);
  EXPECT_NE(message.find("its limit is 64 MiB"), std::string::npos) << message;
  fault = fault_of("oom_abort", GLINT_E_GUEST_OUT_OF_MEMORY);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->signal, SIGABRT);
}

TEST_F(Faults, ARefusedAllocationThatIsHandledIsNoFaultAndIsForgotten) {
  auto sandbox = make_sandbox(image);
  EXPECT_TRUE(gave(call<bool>(*sandbox, "oom_handled"), true));
  EXPECT_TRUE(gave(call<int32_t>(*sandbox, "fine"), 42));
  EXPECT_TRUE(failed_with(call_void(*sandbox, "null_read"), GLINT_E_GUEST_FAULT))
      << "a later fault is an ordinary one";
}

TEST_F(Faults, WhatWasPrintedBeforeAFaultArrivesCompleteAndInOrder) {
  Output output;
  SandboxOptions options;
  options.output = output.callback();
  auto sandbox = make_sandbox(image, nullptr, options);
  EXPECT_TRUE(failed_with(call_void(*sandbox, "print_then_fault"), GLINT_E_GUEST_FAULT, "invalid opcode"));
  // stdout is no terminal, so libc holds back what printf wrote; what was written is all there.
  EXPECT_EQ(output.err, "on stderr, before the fault\n");
  EXPECT_TRUE(output.out.ends_with("written, without a newline")) << output.out;
  EXPECT_LT(output.all.find("on stderr"), output.all.find("written, without"));
}

// The whole address space: what is mapped for ring 3 can be read from its first to its last byte, and nothing
// else can.
TEST_F(Faults, OnlyTheMappingsOfTheLayoutCanBeRead) {
  const auto& mappings = image->layout().mappings;
  const auto readable = [&](uint64_t address) {
    return std::ranges::any_of(mappings, [&](const Mapping& m) {
      const uint64_t size =
          m.region == Region::kTransfer ? GLINT_TRANSFER_INITIAL : m.size;  // the rest comes on demand
      return m.user && address >= m.gva && address - m.gva < size;
    });
  };
  for (const Mapping& m : mappings) {
    const uint64_t size = m.region == Region::kTransfer ? GLINT_TRANSFER_INITIAL : m.size;
    for (uint64_t address : {m.gva - 1, m.gva, m.gva + size - 1, m.gva + size}) {
      auto sandbox = make_sandbox(image);
      auto read = call_void(*sandbox, "peek", address);
      EXPECT_EQ(static_cast<bool>(read), readable(address))
          << region_name(m.region) << " " << std::hex << address << (read ? "" : ": " + read.error().message);
      if (!read) {
        EXPECT_TRUE(failed_with(read, GLINT_E_GUEST_FAULT));
        ASSERT_NE(read.error().fault, nullptr);
        EXPECT_EQ(read.error().fault->address, address);
        EXPECT_EQ(read.error().fault->access, "read");
      }
      if (m.user && m.writable) continue;
      auto other = make_sandbox(image);
      if (!readable(address) || address == m.gva) {
        EXPECT_TRUE(failed_with(call_void(*other, "poke", address), GLINT_E_GUEST_FAULT))
            << std::hex << address;
      }
    }
  }
  EXPECT_TRUE(gave(call<int32_t>(*witness, "fine"), 42));
}

}  // namespace
}  // namespace glint::test
