// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "glint/cpp/error.hpp"
#include "glint/cpp/image.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/cpp/sandbox_state.hpp"
#include "glint/cpp/value.hpp"

namespace glint {

// The result of a call, without a copy: a view of guest memory, held until this is destroyed. Until then the
// sandbox keeps its VM. Another call of the sandbox ends the view; so does the end of the sandbox.
class [[nodiscard]] Result {
 public:
  Result(std::shared_ptr<detail::SandboxState> state, const glint_value& value)
      : state_(std::move(state)), value_(value), operation_(state_->operation()) {}
  Result(Result&& other) noexcept = default;
  Result& operator=(Result&& other) noexcept {
    if (this != &other) {
      release();
      state_ = std::move(other.state_);
      value_ = other.value_;
      operation_ = other.operation_;
    }
    return *this;
  }
  ~Result() { release(); }

  Type type() const noexcept { return static_cast<Type>(value_.type); }

  // The result as a T, which must be of its type: std::string_view, std::span<const std::byte> (views),
  // std::string, std::vector<std::byte> (copies), bool, a number. GLINT_E_TYPE for another type;
  // GLINT_E_INVALID_ARGUMENT when the view has ended.
  template <class T>
  T as() const& {
    detail::require_exact_type<T>();
    static_assert(!std::is_void_v<T>, "there is nothing to look at in a void result");
    if (detail::exact_type<T>() != type()) {
      detail::raise(Error(GLINT_E_TYPE, "the result is " + std::string(type_name(type())) + ", not " +
                                            std::string(type_name(detail::exact_type<T>()))));
    }
    if ((type() == Type::kString || type() == Type::kBytes) && !valid()) {
      detail::raise(
          Error(GLINT_E_INVALID_ARGUMENT, "the result's view has ended: its sandbox went on, or is gone"));
    }
    return detail::from_value<T>(value_);
  }
  template <class T>
  T as() const&& {
    static_assert(!detail::kIsView<T>,
                  "the view would end with this temporary: keep the Result in a variable, or ask for a copy");
    return as<T>();
  }

  // Is the view still there?
  bool valid() const noexcept {
    return state_ != nullptr && state_->handle() != nullptr && state_->operation() == operation_;
  }

  // Ends the view before this is destroyed.
  void release() noexcept {
    if (valid()) state_->release();
    state_.reset();
  }

 private:
  std::shared_ptr<detail::SandboxState> state_;  // null: moved from, or released
  glint_value value_;
  uint64_t operation_;
};

namespace detail {

template <class R>
constexpr bool result_matches(Type declared) {
  return std::is_void_v<R> || std::is_same_v<R, Result> || exact_type<R>() == declared;
}

template <class R>
consteval void require_result_type() {
  if constexpr (!std::is_same_v<R, Result>) {
    require_exact_type<R>();
    static_assert(!kIsView<R>,
                  "a view would end before it could be used: ask for std::string or std::vector<std::byte>, "
                  "or for glint::Result, which holds the view");
  }
}

template <class R>
Error wrong_result(const FunctionInfo& function) {
  return Error(GLINT_E_SIGNATURE, function.name + ", result: expected " +
                                      std::string(type_name(function.result)) + ", asked for " +
                                      std::string(type_name(exact_type<R>())));
}

inline Error wrong_count(const FunctionInfo& function, size_t given) {
  return Error(GLINT_E_SIGNATURE, function.name + function.signature() + ": expected " +
                                      std::to_string(function.params.size()) + " arguments, given " +
                                      std::to_string(given));
}

inline Error no_such_export(const Image& image, std::string_view name) {
  // The library's message lists what there is.
  uint32_t function = 0;
  glint_error* error = nullptr;
  const glint_status status = glint_image_find_export(image.handle(), str(name), &function, &error);
  if (status != GLINT_OK) return Error::take(status, error);
  return Error(GLINT_E_INTERNAL, "the image's table of exports lacks " + std::string(name));
}

// Releases a result's view once it was copied, or the copy failed.
struct ReleaseView {
  SandboxState* state;  // null: there is none
  explicit ReleaseView(SandboxState* of) : state(of) {}
  ReleaseView(const ReleaseView&) = delete;
  ReleaseView& operator=(const ReleaseView&) = delete;
  ~ReleaseView() {
    if (state != nullptr) state->release();
  }
};

// Calls, and makes an R of the result.
template <class R>
Expected<R> perform(const std::shared_ptr<SandboxState>& state, uint32_t function,
                    const glint_value* arguments, size_t count, const CallOptions& options) {
  Expected<glint_value> result = state->call(function, arguments, static_cast<uint32_t>(count), options);
  if (!result) return result.error();
  if constexpr (std::is_same_v<R, Result>) {
    return Result(state, *result);
  } else {
    const ReleaseView view{result->type >= GLINT_STRING ? state.get() : nullptr};
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return from_value<R>(*result);
    }
  }
}

}  // namespace detail

template <class Signature>
class Function;

// A guest function that was looked up and checked once: calling it looks up nothing and allocates nothing
// (but for a std::string or std::vector result). Belongs to its sandbox: when that has gone, calls fail. For
// a result without a copy, make it a Function<glint::Result(…)>.
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  // Calls the guest function.
  R operator()(const std::remove_cvref_t<Args>&... args) const { return try_call(args...).value(); }

  Expected<R> try_call(const std::remove_cvref_t<Args>&... args) const {
    // One more, since there are no empty arrays.
    const std::array<glint_value, sizeof...(Args) + 1> values{detail::to_value(args)..., glint_value{}};
    return detail::perform<R>(state_, index_, values.data(), sizeof...(Args), options_);
  }

  // The same function, called with these options from now on.
  Function with(CallOptions options) const {
    Function result = *this;
    result.options_ = std::move(options);
    return result;
  }

 private:
  friend class Sandbox;
  Function(std::shared_ptr<detail::SandboxState> state, uint32_t index)
      : state_(std::move(state)), index_(index) {}

  static Expected<Function> make(const std::shared_ptr<detail::SandboxState>& state, std::string_view name) {
    static_assert(sizeof...(Args) <= GLINT_MAX_ARGUMENTS, "a guest function has at most 32 parameters");
    detail::require_result_type<R>();
    (detail::require_exact_type<std::remove_cvref_t<Args>>(), ...);
    const FunctionInfo* function = state->image().find_export(name);
    if (function == nullptr) return detail::no_such_export(state->image(), name);
    if (function->params.size() != sizeof...(Args)) return detail::wrong_count(*function, sizeof...(Args));
    // One more, since there are no empty arrays.
    constexpr Type kGiven[] = {detail::exact_type<std::remove_cvref_t<Args>>()..., Type::kVoid};
    for (size_t i = 0; i < sizeof...(Args); ++i) {
      if (kGiven[i] == function->params[i]) continue;
      return detail::misfit(detail::Fit::kOtherType, name, i + 1, function->params[i],
                            std::string(type_name(kGiven[i])));
    }
    if constexpr (!std::is_same_v<R, Result>) {
      if (!detail::result_matches<R>(function->result)) return detail::wrong_result<R>(*function);
    }
    return Function(state, function->index);
  }

  std::shared_ptr<detail::SandboxState> state_;
  uint32_t index_;
  CallOptions options_;
};

namespace detail {

// A call by name. Arguments are converted to what the function declares, where they fit.
template <class R, class... Args>
Expected<R> call_by_name(const std::shared_ptr<SandboxState>& state, const CallOptions& options,
                         std::string_view name, const Args&... args) {
  static_assert(sizeof...(Args) <= GLINT_MAX_ARGUMENTS, "a guest function has at most 32 parameters");
  require_result_type<R>();
  const FunctionInfo* function = state->image().find_export(name);
  if (function == nullptr) return no_such_export(state->image(), name);
  if (function->params.size() != sizeof...(Args)) return wrong_count(*function, sizeof...(Args));
  if constexpr (!std::is_same_v<R, Result>) {
    if (!result_matches<R>(function->result)) return wrong_result<R>(*function);
  }
  std::array<glint_value, sizeof...(Args) + 1> values{};
  size_t i = 0;  // stops at the first that does not fit
  Fit fitted = Fit::kOk;
  std::string given;
  [[maybe_unused]] const auto convert = [&](const auto& arg) {
    fitted = fit(arg, function->params[i], values[i]);
    if (fitted != Fit::kOk) {
      given = describe(arg);
      return false;
    }
    ++i;
    return true;
  };
  if (!(convert(args) && ...)) return misfit(fitted, name, i + 1, function->params[i], given);
  return perform<R>(state, function->index, values.data(), sizeof...(Args), options);
}

}  // namespace detail
}  // namespace glint
