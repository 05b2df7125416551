// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "glint/status.h"

namespace glint::core {

// What a fault in the guest looked like. Addresses are guest virtual addresses.
struct Fault {
  uint32_t vector = 0;         // x86 exception number; kNoVector for a signal the guest sent itself
  int32_t signal = 0;          // the signal that Linux would have raised
  std::string name;            // "page fault", "invalid opcode", …
  std::string access;          // page faults: "read", "write" or "execute"; else empty
  uint64_t address = 0;        // page faults: the address touched; else the instruction's
  uint64_t instruction = 0;    // where the guest was
  uint64_t error_code = 0;     // as the processor pushed it
  std::string symbol;          // nearest function symbol at or below `instruction`, or empty
  uint64_t symbol_offset = 0;  // bytes from that symbol
  static constexpr uint32_t kNoVector = 0xffffffffu;
};

// An error is a value: a stable code, and a text that says what failed, why, and what to do.
struct Error {
  glint_status code = GLINT_E_INTERNAL;
  std::string message;
  int32_t guest_code = 0;              // GLINT_E_GUEST_ERROR: the code the guest function gave
  std::shared_ptr<const Fault> fault;  // for the GLINT_E_GUEST_* codes that have one
  std::shared_ptr<void> host_token;    // what the host program left with the failure of a host function
};

// Not inline: a call comes to the end of some twenty results that hold no error.
struct DeleteError {
  [[gnu::cold, gnu::noinline]] void operator()(Error* error) const { delete error; }
};

Error error(glint_status code, std::string message);

// An error of the operating system: "<what>: <strerror>"; `advice`, if any, follows after "; ".
Error system_error(std::string what, int errno_value, const std::string& advice = {});

// Either a value or an Error; must be looked at.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(new Error(std::move(error))) {}

  explicit operator bool() const { return error_ == nullptr; }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::unique_ptr<Error, DeleteError> error_;
};

}  // namespace glint::core

#define GLINT_CONCAT_(a, b) a##b
#define GLINT_CONCAT(a, b) GLINT_CONCAT_(a, b)

// GLINT_TRY(expr);            returns the error of a Result<void>
// GLINT_TRY_ASSIGN(var, expr) declares `var` with the value, or returns the error
#define GLINT_TRY(expr)                                      \
  do {                                                       \
    if (auto glint_try_result = (expr); !glint_try_result) { \
      return std::move(glint_try_result).error();            \
    }                                                        \
  } while (false)
#define GLINT_TRY_ASSIGN(var, expr)                               \
  auto GLINT_CONCAT(glint_try_, __LINE__) = (expr);               \
  if (!GLINT_CONCAT(glint_try_, __LINE__)) {                      \
    return std::move(GLINT_CONCAT(glint_try_, __LINE__)).error(); \
  }                                                               \
  auto var = std::move(GLINT_CONCAT(glint_try_, __LINE__)).value()
