// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "glint/cpp/error.hpp"
#include "glint/interrupt.h"
#include "glint/sandbox.h"

namespace glint {

// No deadline at all.
inline constexpr std::chrono::nanoseconds kNoDeadline = std::chrono::nanoseconds::max();

// Ends calls from outside: those that it is given to in CallOptions, and no others. Copies are the same
// interrupt. Once raised it stays so. Any thread.
class Interrupt {
 public:
  Interrupt() {
    glint_interrupt* made = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_interrupt_create(&made, &error);
    if (status != GLINT_OK) detail::raise(Error::take(status, error));
    handle_ = std::shared_ptr<glint_interrupt>(made, glint_interrupt_free);
  }

  // Ends the calls that have it, now and from now on, without waiting for them. How many were told.
  uint32_t raise() const noexcept { return glint_interrupt_raise(handle_.get()); }
  bool raised() const noexcept { return glint_interrupt_raised(handle_.get()) != 0; }

  // For use with the C functions; belongs to this object.
  glint_interrupt* handle() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<glint_interrupt> handle_;
};

// How one call is made.
struct CallOptions {
  // What it may take, host functions included; then it ends with GLINT_E_DEADLINE. None: what the engine
  // says, 5 s unless told otherwise. kNoDeadline: for ever.
  std::optional<std::chrono::nanoseconds> deadline = {};
  std::optional<Interrupt> interrupt = {};  // what can end it
};

namespace detail {

// As the C functions count it. A time that is over already ends the call at once.
inline uint64_t deadline_ns(const std::optional<std::chrono::nanoseconds>& deadline) noexcept {
  if (!deadline) return GLINT_DEADLINE_DEFAULT;
  if (*deadline == kNoDeadline) return GLINT_DEADLINE_NONE;
  return deadline->count() > 0 ? static_cast<uint64_t>(deadline->count()) : 1;
}

inline glint_call_options c_options(const CallOptions& options) noexcept {
  glint_call_options result;
  glint_call_options_init(&result, sizeof(result));
  result.deadline_ns = deadline_ns(options.deadline);
  result.interrupt = options.interrupt ? options.interrupt->handle() : nullptr;
  return result;
}

}  // namespace detail
}  // namespace glint
