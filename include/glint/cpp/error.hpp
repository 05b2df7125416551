// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "glint/error.h"

namespace glint {

// What a fault in the guest looked like; see glint_fault. Addresses are the guest's.
struct Fault {
  uint32_t vector = 0;         // x86 exception number; 0xffffffff when the guest sent itself a signal
  int32_t signal = 0;          // the signal that Linux would have raised
  uint64_t address = 0;        // page fault: the address touched; else that of the instruction
  uint64_t instruction = 0;    // where the guest was
  uint64_t error_code = 0;     // as the processor reported it
  uint64_t symbol_offset = 0;  // bytes from the start of `symbol` to `instruction`
  std::string name;            // "page fault", "invalid opcode", …
  std::string access;          // page fault: "read", "write" or "execute"; else empty
  std::string symbol;          // nearest function symbol; empty when unknown
};

namespace detail {

// The exceptions that host functions threw, while a guest's call carries them as tokens. The set tells our
// tokens from those that C functions leave.
class ThrownByHost {
 public:
#ifdef __cpp_exceptions
  // Keeps `exception` until destroy() of the token; null when there is no memory.
  static void* keep(std::exception_ptr exception) noexcept {
    try {
      auto owned = std::make_unique<std::exception_ptr>(std::move(exception));
      const std::lock_guard lock(mutex());
      tokens().insert(owned.get());
      return owned.release();
    } catch (...) {
      return nullptr;  // the caller of the guest learns less, but all else goes on
    }
  }
#endif
  static std::exception_ptr find(void* token) {
    const std::lock_guard lock(mutex());
    return tokens().contains(token) ? *static_cast<std::exception_ptr*>(token) : nullptr;
  }
  static void destroy(void* token) noexcept {
    const std::lock_guard lock(mutex());
    if (tokens().erase(token) != 0) delete static_cast<std::exception_ptr*>(token);
  }

 private:
  static std::mutex& mutex() {
    static std::mutex the_mutex;
    return the_mutex;
  }
  static std::set<void*>& tokens() {
    static std::set<void*> the_tokens;
    return the_tokens;
  }
};

}  // namespace detail

// What went wrong: thrown by most functions, returned by those whose names begin with `try_`. Cheap to copy.
class Error : public std::runtime_error {
 public:
  Error(glint_status code, const std::string& message) : std::runtime_error(message), code_(code) {}

  // A GLINT_E_ code, and its name.
  glint_status code() const noexcept { return code_; }
  std::string_view code_name() const noexcept {
    const glint_str name = glint_status_name(code_);
    return {name.data, name.size};
  }

  // What failed, why, and what to do: the same as what().
  std::string_view message() const noexcept { return what(); }

  // GLINT_E_GUEST_ERROR: the code that the guest function gave. Otherwise 0.
  int32_t guest_code() const noexcept { return guest_code_; }

  // Details of GLINT_E_GUEST_FAULT, GLINT_E_GUEST_ABORT and GLINT_E_GUEST_OUT_OF_MEMORY.
  std::optional<Fault> fault() const { return fault_ ? std::optional<Fault>(*fault_) : std::nullopt; }

  // The exception that a callback of this program threw, if that is what went wrong; or the last one that a
  // host function threw, if the guest's call failed after that.
  std::exception_ptr cause() const noexcept { return cause_; }

  // Makes an Error of what a C function gave, and frees that. `error` may be null.
  static Error take(glint_status code, glint_error* error) {
    const std::unique_ptr<glint_error, void (*)(glint_error*)> owned(
        error, [](glint_error* e) { glint_error_free(e); });
    const glint_str text = error != nullptr ? glint_error_message(error) : glint_status_name(code);
    Error result(code, std::string(text.data, text.size));
    if (error == nullptr) return result;
    result.guest_code_ = glint_error_guest_code(error);
    glint_fault fault{};
    fault.struct_size = sizeof(fault);
    if (glint_error_fault(error, &fault) == GLINT_OK) result.set_fault(fault);
    result.cause_ = detail::ThrownByHost::find(glint_error_host_token(error));
    return result;
  }

  // An Error that stands for an exception of a callback.
  static Error caused_by(std::exception_ptr cause, const std::string& message) {
    Error result(GLINT_E_HOST_FUNCTION, message);
    result.cause_ = std::move(cause);
    return result;
  }

 private:
  void set_fault(const glint_fault& from) {
    const auto text = [](glint_str s) { return std::string(s.data, s.size); };
    fault_ = std::make_shared<const Fault>(Fault{from.vector, from.signal, from.address, from.instruction,
                                                 from.error_code, from.symbol_offset, text(from.name),
                                                 text(from.access), text(from.symbol)});
  }

  glint_status code_;
  int32_t guest_code_ = 0;
  std::shared_ptr<const Fault> fault_;  // shared, so that copying an exception cannot throw
  std::exception_ptr cause_;
};

namespace detail {

// Throws the exception of a callback or host function as it was, and everything else as an Error. In a
// program without exceptions, ends it: the `try_` functions are those to be used there.
[[noreturn]] inline void raise(const Error& error) {
#ifdef __cpp_exceptions
  // What failed is the host function, or the guest because of it. A guest that faulted or was stopped later
  // has failed by itself; its Error still has the exception as cause().
  const bool by_host = error.code() == GLINT_E_HOST_FUNCTION || error.code() == GLINT_E_GUEST_ERROR;
  if (by_host && error.cause()) std::rethrow_exception(error.cause());
  throw error;
#else
  static_cast<void>(std::fprintf(stderr, "glint: %s\n", error.what()));
  std::abort();
#endif
}

}  // namespace detail

// Either a value or an Error. What the `try_` functions return; must be looked at.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value; throws the Error when there is none.
  T& value() & {
    check();
    return **this;
  }
  const T& value() const& {
    check();
    return **this;
  }
  T value() && {
    check();
    return std::move(**this);
  }

  // The value, which must be there.
  T& operator*() noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const noexcept { return *std::get_if<0>(&state_); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  // The Error, which must be there.
  const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  void check() const {
    if (!has_value()) detail::raise(error());
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) detail::raise(*error_);
  }
  const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

namespace detail {

inline glint_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view view(glint_str text) noexcept { return {text.data, text.size}; }

}  // namespace detail
}  // namespace glint
