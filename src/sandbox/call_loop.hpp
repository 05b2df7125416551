// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "arch/x86_64/system_pages.hpp"
#include "base/result.hpp"
#include "image/elf.hpp"
#include "sandbox/sandbox.hpp"
#include "shell/shell.hpp"
#include "transfer/header.hpp"
#include "transfer/value.hpp"

namespace glint::core {

// How a stretch of guest execution ended well. Everything else is an Error, and poisons the sandbox.
struct Outcome {
  enum class Kind : uint8_t {
    kReady,   // start-up is done
    kResult,  // the call returned `result`
    kFailed,  // the call returned the ordinary error `failure`
    kEnded    // the program ended with `exit_code`
  };
  Kind kind = Kind::kReady;
  Value result;
  int32_t exit_code = 0;
  std::optional<Error> failure;  // of kFailed
};

// Runs a sandbox's vCPU until the guest has done what it was asked to, and serves what it asks for meanwhile:
// host calls, printing, input, room. Lives for one stretch, on one thread.
class CallLoop {
 public:
  // `called` is the guest function under way; null while the program starts.
  CallLoop(Sandbox& sandbox, Shell& shell, const Function* called)
      : sandbox_(sandbox), shell_(shell), vcpu_(shell.vcpu()), called_(called) {}

  // An Error, and Outcome::failure, carry the token of the last host function that failed meanwhile.
  Result<Outcome> run();

  // The guest ran: it is not as it was.
  bool entered() const { return entered_; }

  // The VM itself gave up, and must not be used again.
  bool vm_broken() const { return vm_broken_; }

 private:
  Result<Outcome> run_to_the_end();
  Result<Exit> run_vcpu();
  Result<std::optional<Outcome>> serve(const GuestExit& exit);
  Result<std::optional<Outcome>> end_of_start(const GuestExit& exit);
  Result<std::optional<Outcome>> end_of_call(const GuestExit& exit);
  Result<void> serve_host_call(const GuestExit& exit);
  Result<void> serve_input(const GuestExit& exit);
  Result<void> serve_grow(const GuestExit& exit);
  Result<void> flush_text(uint32_t text_size);
  void report_syscall(std::span<const std::byte> payload, bool unknown);

  Error port_error(const Exit& exit);
  Error exception_error(const ExceptionFrame& frame, uint64_t cr2);
  Error memory_error(const Exit& exit);
  Error signal_error(const GuestExit& exit);
  Error gave_up(const Exit& exit);
  Error stopped(StopReason reason);
  Error guest_error(glint_status code, Fault fault, const std::string& hint);
  std::string where() const;  // "function 'add'", or "the program" while it starts

  Sandbox& sandbox_;
  Shell& shell_;
  Vcpu& vcpu_;
  const Function* called_;
  bool entered_ = false;
  bool vm_broken_ = false;
  std::shared_ptr<void> host_token_;          // of the last host function that failed
  const Function* last_host_call_ = nullptr;  // the guest waits for it, or has its answer
  const Function* last_failed_ = nullptr;     // the last host function that failed …
  int32_t last_failure_ = 0;                  // … and the code that the guest was told
};

}  // namespace glint::core
