// SPDX-License-Identifier: Apache-2.0
//
// The part of the call loop that turns what went wrong in a guest into an Error.

#include <array>
#include <charconv>
#include <csignal>

#include "arch/x86_64/faults.hpp"
#include "sandbox/call_loop.hpp"

namespace glint::core {
namespace {

std::string hex(uint64_t value) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

// Where the guest was, as messages end.
std::string describe_place(uint64_t instruction, const Symbol* symbol) {
  std::string place = ", at " + hex(instruction);
  if (symbol != nullptr) place += " in " + symbol->name + "+" + hex(instruction - symbol->gva);
  return place;
}

const Mapping* find_mapping(const Layout& layout, uint64_t address) {
  for (const Mapping& m : layout.mappings) {
    if (address >= m.gva && address - m.gva < m.size) return &m;
  }
  return nullptr;
}

// What an address that a guest may not touch was, for people.
std::string describe_address(const Layout& layout, uint64_t address) {
  if (address < GLINT_GVA_PROGRAM_MIN) return "a null pointer?";
  // The guard page and the unmapped space below it: large frames may step over the guard.
  if (address >= GLINT_GVA_LIBOS_END && address < layout.stack_bottom) return "the stack overflowed";
  if (address >= layout.stack_top && address < layout.stack_top + 4096)
    return "the guard page above the stack";
  if (const Mapping* m = find_mapping(layout, address)) {
    return m->user ? std::string(region_name(m->region)) + " memory, which does not allow it"
                   : "a supervisor page";
  }
  return "nothing is mapped there";
}

// A frame larger than the unmapped space around the stack steps over it: the stack pointer tells.
std::string describe_page_fault(const Layout& layout, uint64_t address, uint64_t stack_pointer) {
  constexpr uint64_t kNear = 1u << 20, kLargestFrame = 1u << 30;
  const uint64_t distance = address < stack_pointer ? stack_pointer - address : address - stack_pointer;
  const bool below_stack =
      stack_pointer < layout.stack_bottom && layout.stack_bottom - stack_pointer <= kLargestFrame;
  if (below_stack && distance < kNear && find_mapping(layout, address) == nullptr)
    return "the stack overflowed";
  return describe_address(layout, address);
}

const char* signal_name(int signal) {
  switch (signal) {
    case SIGABRT:
      return "abort";
    case SIGFPE:
      return "arithmetic error signal";
    case SIGILL:
      return "illegal instruction signal";
    case SIGSEGV:
      return "segmentation fault signal";
    case SIGKILL:
      return "kill signal";
    case SIGTERM:
      return "termination signal";
    case SIGTRAP:
      return "trap signal";
    default:
      return "signal";
  }
}

}  // namespace

Error CallLoop::guest_error(glint_status code, Fault fault, const std::string& hint) {
  const Symbol* symbol = sandbox_.image_->nearest_symbol(fault.instruction);
  if (symbol != nullptr) {
    fault.symbol = symbol->name;
    fault.symbol_offset = fault.instruction - symbol->gva;
  }
  std::string message = where() + ": " + fault.name;
  if (!fault.access.empty()) message += ", " + fault.access + " of " + hex(fault.address);
  if (!hint.empty()) message += " (" + hint + ")";
  message += describe_place(fault.instruction, symbol);
  if (read_exit(shell_.transfer()).memory_refused != 0) {
    code = GLINT_E_GUEST_OUT_OF_MEMORY;
    message += "; the guest had been refused memory before: its limit is " +
               std::to_string(sandbox_.image_->layout().memory_size >> 20) + " MiB";
  }
  Error result = error(code, std::move(message));
  result.fault = std::make_shared<const Fault>(std::move(fault));
  return result;
}

Error CallLoop::port_error(const Exit& exit) {
  auto state = vcpu_.fault_state();
  if (!state) return std::move(state).error();
  if (exit.port == GLINT_FAULT_PORT) {
    // Believed only from a stub, which ring 3 cannot execute: where every port leaves the guest (IOPL), any
    // code can try.
    if (auto frame = read_exception_frame(state->registers, shell_.exception_stack(), GLINT_GVA_SYSTEM)) {
      return exception_error(*frame, state->cr2);
    }
  }
  const uint64_t rip = state->registers.rip;
  return guest_error(GLINT_E_GUEST_FAULT, make_fault("forbidden port", SIGSEGV, rip, rip),
                     std::string(exit.output ? "out to" : "in from") + " port " + hex(exit.port));
}

Error CallLoop::exception_error(const ExceptionFrame& frame, uint64_t cr2) {
  Fault fault = describe_exception(frame, cr2);
  constexpr uint32_t kGeneralProtection = 13, kPageFault = 14;
  std::string hint;
  if (fault.vector == kPageFault)
    hint = describe_page_fault(sandbox_.image_->layout(), fault.address, frame.rsp);
  if (fault.vector == kGeneralProtection)
    hint = "a privileged instruction, a forbidden port, or a non-canonical address";
  return guest_error(GLINT_E_GUEST_FAULT, std::move(fault), hint);
}

Error CallLoop::memory_error(const Exit& exit) {
  auto state = vcpu_.fault_state();
  if (!state) return std::move(state).error();
  const uint64_t address = GLINT_GVA_TRANSFER + (exit.gpa - sandbox_.image_->layout().transfer_gpa);
  Fault fault = make_fault("page fault", SIGSEGV, address, state->registers.rip);
  fault.access = exit.output ? "write" : "read";
  return guest_error(GLINT_E_GUEST_FAULT, std::move(fault), "behind the end of the transfer area");
}

Error CallLoop::signal_error(const GuestExit& exit) {
  constexpr int kMaxSignal = 64;
  if (exit.code < 1 || exit.code > kMaxSignal) {
    return error(GLINT_E_GUEST_PROTOCOL,
                 where() + ": the guest ends itself by the unknown signal " + std::to_string(exit.code));
  }
  return guest_error(GLINT_E_GUEST_ABORT,
                     make_fault(signal_name(exit.code), exit.code, exit.address, exit.address),
                     "the guest sent itself signal " + std::to_string(exit.code));
}

// Says where the guest was: an endless loop is found by its function.
Error CallLoop::stopped(StopReason reason) {
  const bool interrupted = reason == StopReason::kInterrupt;
  std::string message = where() + (interrupted ? ": interrupted" : ": its deadline is over");
  if (!entered_) {
    message += " before the guest ran";
  } else if (auto state = vcpu_.fault_state()) {
    const uint64_t rip = state->registers.rip;
    message += describe_place(rip, sandbox_.image_->nearest_symbol(rip));
  }
  if (last_host_call_ != nullptr) message += "; its last host call was '" + last_host_call_->name + "'";
  if (!interrupted) message += "; give the call a longer deadline, or none, by its options or the engine's";
  return error(interrupted ? GLINT_E_INTERRUPTED : GLINT_E_DEADLINE, std::move(message));
}

Error CallLoop::gave_up(const Exit& exit) {
  vm_broken_ = true;
  const std::string why = exit.kind == Exit::Kind::kShutdown
                              ? "triple fault: the guest damaged its processor state"
                              : exit.detail;
  return error(GLINT_E_HYPERVISOR, where() + ": the virtual machine gave up: " + why);
}

}  // namespace glint::core
