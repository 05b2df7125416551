// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "glint/cpp/error.hpp"
#include "glint/cpp/value.hpp"
#include "glint/host.h"

namespace glint {

// Thrown by a host function to give the guest an error of its choice: this code, and this text.
class HostError : public std::runtime_error {
 public:
  HostError(int32_t code, const std::string& text) : std::runtime_error(text), code_(code) {}
  int32_t code() const noexcept { return code_; }

 private:
  int32_t code_;
};

// The guest's call that a host function serves. Lives as long as the host function runs, on its thread.
class HostCall {
 public:
  explicit HostCall(glint_host_call* call) noexcept : call_(call) {}
  // The notification must not come when this has gone.
  ~HostCall() { take_back(); }
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;

  // Is the call to end? Then the guest will not see what the host function returns: it should return soon.
  bool stopping() const noexcept { return state() != GLINT_OK; }
  // GLINT_OK, GLINT_E_INTERRUPTED or GLINT_E_DEADLINE.
  glint_status state() const noexcept { return glint_host_call_state(call_); }

  // Has `notify` called when that changes, at most once and not after the host function has returned, on the
  // thread that ends the call. It must be quick, and neither throw nor call Glint. A second one is refused
  // with GLINT_E_BUSY; an empty one takes the first back, which is then not running and will not come.
  Expected<void> on_interrupt(std::function<void()> notify) {
    if (!notify) {
      take_back();
      return {};
    }
    if (notify_) return Error(GLINT_E_BUSY, "this host function asked to be told already");
    notify_ = std::move(notify);
    glint_error* error = nullptr;
    const glint_status status = glint_host_call_on_interrupt(call_, &run_notify, this, &error);
    if (status == GLINT_OK) return {};
    notify_ = nullptr;
    return Error::take(status, error);
  }

  // For use with the C functions.
  glint_host_call* handle() const noexcept { return call_; }

 private:
  void take_back() noexcept {
    if (!notify_) return;
    // Taking back cannot fail.
    [[maybe_unused]] const glint_status status =
        glint_host_call_on_interrupt(call_, nullptr, nullptr, nullptr);
    notify_ = nullptr;
  }

  static void run_notify(void* self) { static_cast<HostCall*>(self)->notify_(); }

  glint_host_call* call_;
  std::function<void()> notify_;
};

namespace detail {

// The signature of something that can be called in one way only.
template <class F>
struct SignatureOf;
template <class R, class... P>
struct SignatureOf<R (*)(P...)> {
  using Type = R(P...);
};
template <class R, class... P>
struct SignatureOf<R (*)(P...) noexcept> : SignatureOf<R (*)(P...)> {};
template <class C, class R, class... P>
struct SignatureOf<R (C::*)(P...)> : SignatureOf<R (*)(P...)> {};
template <class C, class R, class... P>
struct SignatureOf<R (C::*)(P...) const> : SignatureOf<R (*)(P...)> {};
template <class C, class R, class... P>
struct SignatureOf<R (C::*)(P...) noexcept> : SignatureOf<R (*)(P...)> {};
template <class C, class R, class... P>
struct SignatureOf<R (C::*)(P...) const noexcept> : SignatureOf<R (*)(P...)> {};

template <class F>
concept FunctionPointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;
template <class F>
concept OneCallOperator = requires { &F::operator(); };

template <class F>
auto signature_pointer() {
  if constexpr (FunctionPointer<F>) {
    return std::type_identity<typename SignatureOf<F>::Type>{};
  } else {
    static_assert(
        OneCallOperator<F>,
        "a host function is a function, or an object with one operator() that is no template: write the "
        "parameter types out");
    return std::type_identity<typename SignatureOf<decltype(&F::operator())>::Type>{};
  }
}

// What C++ and C know of a host function of type F with that signature. kWithCall: a HostCall& goes first.
template <class F, bool kWithCall, class R, class... P>
struct HostFunctionWith {
  static_assert(sizeof...(P) <= GLINT_MAX_ARGUMENTS, "a host function has at most 32 parameters");
  static_assert(((!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>) && ...),
                "a host function takes its parameters by value or by const reference");
  using Result = std::remove_cvref_t<R>;

  static constexpr uint32_t kResult = static_cast<uint32_t>(exact_type<Result>());
  // One more, since there are no empty arrays.
  static constexpr std::array<uint32_t, sizeof...(P) + 1> kParams{
      static_cast<uint32_t>(exact_type<std::remove_cvref_t<P>>())..., 0};

  static void check() {
    require_exact_type<Result>();
    (require_exact_type<std::remove_cvref_t<P>>(), ...);
  }

  // No exception leaves: behind it are C frames.
  static glint_status invoke(void* user_data, glint_host_call* call) noexcept {
#ifndef __cpp_exceptions
    return call_it(*static_cast<F*>(user_data), call, std::index_sequence_for<P...>{});
#else
    try {
      return call_it(*static_cast<F*>(user_data), call, std::index_sequence_for<P...>{});
    } catch (const HostError& error) {
      glint_host_call_fail(call, str(error.what()));
      return error.code() == GLINT_OK ? GLINT_E_HOST_FUNCTION : error.code();
    } catch (...) {
      // A fixed text: what() may hold what the guest is not meant to know.
      glint_host_call_fail(call, str("the host function failed"));
      if (void* token = ThrownByHost::keep(std::current_exception())) {
        glint_host_call_fail_with(call, token, &ThrownByHost::destroy);
      }
      return GLINT_E_HOST_FUNCTION;
    }
#endif
  }

  static void destroy(void* user_data) { delete static_cast<F*>(user_data); }

 private:
  template <size_t... I>
  static glint_status call_it(F& function, glint_host_call* call, std::index_sequence<I...>) {
    // As many and of the types that were declared: the library has checked them.
    [[maybe_unused]] const glint_value* arguments = glint_host_call_arguments(call, nullptr);
    const auto run = [&]() -> R {
      if constexpr (kWithCall) {
        HostCall with(call);
        return function(with, from_value<std::remove_cvref_t<P>>(arguments[I])...);
      } else {
        return function(from_value<std::remove_cvref_t<P>>(arguments[I])...);
      }
    };
    if constexpr (std::is_void_v<R>) {
      run();
      return GLINT_OK;
    } else {
      const Result result = run();
      const glint_value value = to_value(result);
      const glint_status status = glint_host_call_return(call, &value, nullptr);
      if (status != GLINT_OK)
        glint_host_call_fail(call, str("the host function's result cannot be passed on"));
      return status;
    }
  }
};

template <class F, class Signature>
struct HostFunctionOf;
template <class F, class R, class... P>
struct HostFunctionOf<F, R(P...)> : HostFunctionWith<F, false, R, P...> {};
template <class F, class R, class... P>
struct HostFunctionOf<F, R(HostCall&, P...)> : HostFunctionWith<F, true, R, P...> {};

}  // namespace detail

// The functions that guests may call. Fill it from one thread, before the first sandbox is made with it.
class HostFunctions {
 public:
  HostFunctions() {
    glint_host_functions* made = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_host_functions_create(&made, &error);
    if (status != GLINT_OK) detail::raise(Error::take(status, error));
    handle_.reset(made);
  }

  // Adds a function, a lambda or another object with one operator(). Its parameters and result say the
  // signature that the guest's import must have. Strings and bytes can be taken as views (std::string_view,
  // std::span<const std::byte>), which end with the call.
  //
  // When it throws, the guest receives an error value: what a HostError says, or else GLINT_E_HOST_FUNCTION
  // and a fixed text. If the guest's call then fails, the exception, unless it is a HostError, leaves the
  // function that called the guest; a try_ function gives it as Error::cause(). A guest that carries on
  // regardless makes it forgotten.
  //
  // A first parameter of type HostCall& tells whether the call is to end; the guest knows nothing of it.
  //
  // It is called on the thread that called the guest. With sandboxes on several threads, it is called on
  // several at once.
  template <class F>
  HostFunctions& add(std::string_view name, F&& function) {
    try_add(name, std::forward<F>(function)).value();
    return *this;
  }

  template <class F>
  Expected<void> try_add(std::string_view name, F&& function) {
    using Stored = std::decay_t<F>;
    using Signature = typename decltype(detail::signature_pointer<Stored>())::type;
    using Function = detail::HostFunctionOf<Stored, Signature>;
    Function::check();
    auto stored = std::make_unique<Stored>(std::forward<F>(function));
    glint_error* error = nullptr;
    // From here on the library owns it, also when adding fails.
    const glint_status status =
        glint_host_functions_add(handle(), detail::str(name), Function::kResult, Function::kParams.data(),
                                 static_cast<uint32_t>(Function::kParams.size() - 1), &Function::invoke,
                                 static_cast<void*>(stored.release()), &Function::destroy, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return {};
  }

  // For use with the C functions; belongs to this object.
  glint_host_functions* handle() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(glint_host_functions* functions) const noexcept { glint_host_functions_free(functions); }
  };
  std::unique_ptr<glint_host_functions, Free> handle_;
};

}  // namespace glint
