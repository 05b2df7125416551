// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/faults.hpp"

#include <csignal>

namespace glint::core {
namespace {

struct Exception {
  const char* name;
  int signal;
};

// SDM vol. 3, table 6-1; the signals are those of Linux (arch/x86/kernel/traps.c).
Exception exception(uint32_t vector) {
  switch (vector) {
    case 0:
      return {"divide error", SIGFPE};
    case 1:
      return {"debug exception", SIGTRAP};
    case 2:
      return {"non-maskable interrupt", SIGKILL};
    case 3:
      return {"breakpoint", SIGTRAP};
    case 4:
      return {"overflow", SIGSEGV};
    case 5:
      return {"bound range exceeded", SIGSEGV};
    case 6:
      return {"invalid opcode", SIGILL};
    case 7:
      return {"device not available", SIGSEGV};
    case 8:
      return {"double fault", SIGKILL};
    case 10:
      return {"invalid TSS", SIGSEGV};
    case 11:
      return {"segment not present", SIGBUS};
    case 12:
      return {"stack-segment fault", SIGBUS};
    case 13:
      return {"general protection fault", SIGSEGV};
    case 14:
      return {"page fault", SIGSEGV};
    case 16:
      return {"x87 floating-point error", SIGFPE};
    case 17:
      return {"alignment check", SIGBUS};
    case 18:
      return {"machine check", SIGKILL};
    case 19:
      return {"SIMD floating-point error", SIGFPE};
    case 20:
      return {"virtualization exception", SIGKILL};
    case 21:
      return {"control protection fault", SIGSEGV};
    default:
      return {"unknown exception", SIGSEGV};
  }
}

constexpr uint32_t kPageFault = 14;
constexpr uint64_t kPfWrite = 1 << 1, kPfFetch = 1 << 4;  // SDM vol. 3, 4.7

}  // namespace

Fault describe_exception(const ExceptionFrame& frame, uint64_t cr2) {
  const Exception what = exception(frame.vector);
  Fault fault;
  fault.vector = frame.vector;
  fault.signal = what.signal;
  fault.name = what.name;
  fault.instruction = frame.rip;
  fault.address = frame.rip;
  fault.error_code = frame.error_code;
  if (frame.vector == kPageFault) {
    fault.address = cr2;
    // Without the fetch bit (a processor that does not report it), an access at the instruction's own address
    // is one.
    const bool fetch = (frame.error_code & kPfFetch) != 0 || cr2 == frame.rip;
    fault.access = fetch ? "execute" : (frame.error_code & kPfWrite) != 0 ? "write" : "read";
  }
  return fault;
}

Fault make_fault(const char* name, int signal, uint64_t address, uint64_t instruction) {
  Fault fault;
  fault.vector = Fault::kNoVector;
  fault.signal = signal;
  fault.name = name;
  fault.address = address;
  fault.instruction = instruction;
  return fault;
}

}  // namespace glint::core
