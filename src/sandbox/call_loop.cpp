// SPDX-License-Identifier: Apache-2.0
#include "sandbox/call_loop.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "sandbox/host_call.hpp"
#include "sandbox/syscall_names.hpp"
#include "transfer/frame.hpp"

namespace glint::core {
namespace {

Error protocol_error(const std::string& where, const std::string& what) {
  return error(GLINT_E_GUEST_PROTOCOL, where + ": the guest " + what);
}

// Where a frame of these values ends: its slots and all its payloads lie below. The values have been read
// from `transfer`, so the payloads point into it.
uint64_t frame_end(std::span<const std::byte> transfer, uint64_t frame, std::span<const Value> values) {
  uint64_t end = frame + values.size() * sizeof(glint_abi_value);
  for (const Value& value : values) {
    if (value.bytes.empty()) continue;
    end = std::max(end, static_cast<uint64_t>(value.bytes.data() + value.bytes.size() - transfer.data()));
  }
  return end;
}

}  // namespace

std::string CallLoop::where() const {
  return called_ == nullptr ? std::string("the program") : "function '" + called_->name + "'";
}

Result<Outcome> CallLoop::run() {
  auto outcome = run_to_the_end();
  if (!outcome) {
    outcome.error().host_token = std::move(host_token_);
  } else if (outcome->kind == Outcome::Kind::kFailed) {
    outcome->failure->host_token = std::move(host_token_);
  }
  return outcome;
}

// One run of the vCPU; an Error when the call is to end before it.
Result<Exit> CallLoop::run_vcpu() {
  CallControl& control = *sandbox_.control_;
  if (const StopReason reason = control.enter_guest(vcpu_); reason != StopReason::kNone) {
    return stopped(reason);
  }
  entered_ = true;
  // Also when run() is left by an exception: nobody may kick a vCPU that is given back.
  struct Leave {
    CallControl& control;
    ~Leave() { control.leave_guest(); }
  } const leave{control};
  return vcpu_.run();
}

Result<Outcome> CallLoop::run_to_the_end() {
  for (;;) {
    GLINT_TRY_ASSIGN(exit, run_vcpu());
    // What was printed before a fault is complete in the text area; its own defects must not hide the fault.
    switch (exit.kind) {
      case Exit::Kind::kInterrupted:
        // Perhaps our kick, perhaps another signal of the host program (a profiler, a garbage collector): a
        // signal proves nothing, and the next entry finds out whether the call is to end.
        continue;
      case Exit::Kind::kPort:
        break;
      case Exit::Kind::kMmio:
        static_cast<void>(flush_text(read_exit(shell_.transfer()).text_size));
        return memory_error(exit);
      case Exit::Kind::kShutdown:
      case Exit::Kind::kFailed:
        return gave_up(exit);
    }
    const GuestExit guest = read_exit(shell_.transfer());
    if (exit.port != GLINT_EXIT_PORT || !exit.output) {
      static_cast<void>(flush_text(guest.text_size));
      return port_error(exit);
    }
    GLINT_TRY(flush_text(guest.text_size));
    clear_exit(shell_.transfer());
    GLINT_TRY_ASSIGN(outcome, serve(guest));
    if (outcome) return std::move(*outcome);
  }
}

Result<std::optional<Outcome>> CallLoop::serve(const GuestExit& exit) {
  switch (exit.kind) {
    case GLINT_EXIT_READY:
      return end_of_start(exit);
    case GLINT_EXIT_RESULT:
    case GLINT_EXIT_ERROR:
      return end_of_call(exit);
    case GLINT_EXIT_PROGRAM: {
      Outcome ended;
      ended.kind = Outcome::Kind::kEnded;
      ended.exit_code = exit.code & 0xff;  // as wait() would give it
      return std::optional(std::move(ended));
    }
    case GLINT_EXIT_SIGNAL:
      return signal_error(exit);
    case GLINT_EXIT_HOST_CALL:
    case GLINT_EXIT_INPUT:
      // A call that is to end begins nothing new of the host program's.
      if (const StopReason reason = sandbox_.control_->reason(); reason != StopReason::kNone) {
        return stopped(reason);
      }
      GLINT_TRY(exit.kind == GLINT_EXIT_INPUT ? serve_input(exit) : serve_host_call(exit));
      return std::optional<Outcome>();
    case GLINT_EXIT_TEXT:
      return std::optional<Outcome>();
    case GLINT_EXIT_GROW:
      GLINT_TRY(serve_grow(exit));
      return std::optional<Outcome>();
    default:
      return protocol_error(where(), "left for the unknown reason " + std::to_string(exit.kind));
  }
}

Result<std::optional<Outcome>> CallLoop::end_of_start(const GuestExit&) {
  if (called_ != nullptr) return protocol_error(where(), "says that its start-up ended, during a call");
  return std::optional(Outcome{});
}

Result<std::optional<Outcome>> CallLoop::end_of_call(const GuestExit& exit) {
  if (called_ == nullptr) return protocol_error(where(), "returns from a call that was not made");
  Outcome outcome;
  if (exit.kind == GLINT_EXIT_RESULT) {
    outcome.kind = Outcome::Kind::kResult;
    if (called_->result == GLINT_ABI_VOID) return std::optional(std::move(outcome));
    GLINT_TRY(read_frame("result of " + where(), shell_.transfer(), exit.frame,
                         std::span(&called_->result, 1), std::span(&outcome.result, 1),
                         GLINT_TRANSFER_PAYLOAD));
    return std::optional(std::move(outcome));
  }
  outcome.kind = Outcome::Kind::kFailed;
  constexpr glint_abi_type kString = GLINT_ABI_STRING;
  Value text;
  GLINT_TRY(read_frame("error of " + where(), shell_.transfer(), exit.frame, std::span(&kString, 1),
                       std::span(&text, 1), GLINT_TRANSFER_PAYLOAD));
  std::string message = where() + " failed with code " + std::to_string(exit.code);
  if (!text.bytes.empty()) {
    message.append(": ").append(reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size());
  }
  if (last_failed_ != nullptr && last_failure_ == exit.code) {
    message += "; host function '" + last_failed_->name + "' had failed with that code";
  }
  outcome.failure = error(GLINT_E_GUEST_ERROR, std::move(message));
  outcome.failure->guest_code = exit.code;
  return std::optional(std::move(outcome));
}

Result<void> CallLoop::serve_host_call(const GuestExit& exit) {
  ++sandbox_.counters_.host_calls;
  const HostFunctions::Entry* entry =
      exit.function < sandbox_.imports_.size() ? sandbox_.imports_[exit.function] : nullptr;
  if (entry == nullptr) {
    return protocol_error(where(), "calls host function number " + std::to_string(exit.function) +
                                       ", which it does not import");
  }
  const Function& signature = entry->signature;
  if (exit.count != signature.params.size()) {
    return protocol_error(where(), "calls host function '" + signature.name + "' with " +
                                       std::to_string(exit.count) + " arguments instead of " +
                                       std::to_string(signature.params.size()));
  }
  ValueList values(exit.count);
  const std::span<const Value> arguments = values.span();
  GLINT_TRY(read_frame(where() + ", call of host function '" + signature.name + "'", shell_.transfer(),
                       exit.frame, signature.params, values.span(), GLINT_TRANSFER_PAYLOAD));
  // The answer is written while the callback may still look at its arguments: they must not overlap.
  if (exit.reply % GLINT_TRANSFER_ALIGN != 0 || exit.reply < GLINT_TRANSFER_PAYLOAD ||
      exit.reply < frame_end(shell_.transfer(), exit.frame, arguments) ||
      exit.reply > shell_.transfer().size()) {
    return protocol_error(where(), "wants the answer of host function '" + signature.name + "' at offset " +
                                       std::to_string(exit.reply) + ", where it cannot be");
  }
  last_host_call_ = &signature;
  HostCallFrame frame(shell_, *sandbox_.control_, signature, arguments, exit.reply);
  GLINT_TRY_ASSIGN(told, frame.finish(entry->callback(frame)));
  if (told == GLINT_OK) return {};
  // Also when it left none: an older one stands for a failure that the guest has survived.
  host_token_ = frame.take_token();
  last_failed_ = &signature;
  last_failure_ = told;
  if (!sandbox_.options_.end_on_host_failure) return {};
  return error(GLINT_E_HOST_FUNCTION, where() + ": host function '" + signature.name + "' failed with code " +
                                          std::to_string(told) +
                                          (frame.failure_text().empty() ? "" : ": " + frame.failure_text()));
}

Result<void> CallLoop::serve_input(const GuestExit& exit) {
  const auto transfer = shell_.transfer();
  if (exit.reply < GLINT_TRANSFER_PAYLOAD || !in_range(exit.reply, exit.count, transfer.size())) {
    return protocol_error(where(), "reads its standard input to where it cannot be put");
  }
  uint64_t count = 0;
  if (sandbox_.options_.input) count = sandbox_.options_.input(transfer.subspan(exit.reply, exit.count));
  if (count > exit.count) {
    return error(GLINT_E_INVALID_ARGUMENT, "the input callback says it wrote more than there was room for");
  }
  write_answer(shell_.transfer(), GLINT_HOST_OK, static_cast<int32_t>(count));
  return {};
}

Result<void> CallLoop::serve_grow(const GuestExit& exit) {
  // More than there can be: the guest sees the size unchanged, and takes it as a refusal.
  if (exit.frame > GLINT_TRANSFER_MAX) return {};
  return shell_.grow_transfer(exit.frame);
}

Result<void> CallLoop::flush_text(uint32_t text_size) {
  if (text_size == 0) return {};
  auto visited = visit_text(shell_.transfer(), text_size,
                            [this](glint_abi_text kind, std::span<const std::byte> payload) {
                              if (kind == GLINT_TEXT_SYSCALL || kind == GLINT_TEXT_UNKNOWN_SYSCALL) {
                                report_syscall(payload, kind == GLINT_TEXT_UNKNOWN_SYSCALL);
                                return;
                              }
                              sandbox_.counters_.output_bytes += payload.size();
                              if (sandbox_.options_.output)
                                sandbox_.options_.output(kind == GLINT_TEXT_STDOUT ? 1 : 2, payload);
                            });
  if (!visited) return error(visited.error().code, where() + ": " + visited.error().message);
  return {};
}

void CallLoop::report_syscall(std::span<const std::byte> payload, bool unknown) {
  if (unknown) ++sandbox_.counters_.unknown_syscalls;
  // A record of another size is a guest's joke; it is counted, and there is nothing to report.
  if (!sandbox_.options_.trace || payload.size() != sizeof(glint_abi_syscall)) return;
  glint_abi_syscall call{};
  std::memcpy(&call, payload.data(), sizeof call);
  SyscallReport report;
  report.number = call.number;
  std::copy(std::begin(call.arguments), std::end(call.arguments), std::begin(report.arguments));
  report.result = call.result;
  report.unknown = unknown;
  report.name = syscall_name(call.number);
  sandbox_.options_.trace(report);
}

}  // namespace glint::core
