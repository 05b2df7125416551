// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "glint/cpp/call.hpp"
#include "glint/cpp/error.hpp"
#include "glint/cpp/host.hpp"
#include "glint/cpp/image.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/cpp/sandbox_state.hpp"
#include "glint/sandbox.h"

namespace glint {

enum class State : uint32_t {
  kNew = GLINT_STATE_NEW,            // its start-up code has not run
  kReady = GLINT_STATE_READY,        // waits for calls
  kRunning = GLINT_STATE_RUNNING,    // in a call
  kPoisoned = GLINT_STATE_POISONED,  // faulted, aborted or interrupted: only destroying it is left
  kEnded = GLINT_STATE_ENDED,        // the program ended by itself
};

// Counts since the sandbox was made; see glint_sandbox_counters.
struct SandboxCounters {
  uint64_t calls = 0;
  uint64_t host_calls = 0;
  uint64_t exits = 0;
  uint64_t ioctls = 0;
  uint64_t attaches = 0;
  uint64_t unknown_syscalls = 0;
  uint64_t output_bytes = 0;
};

// One guest: its memory and its processor state. Used by one thread at a time; a second one that enters
// meanwhile gets GLINT_E_BUSY. Can be moved; must not be destroyed during a call of it.
class Sandbox {
 public:
  // Links the image's imports to the host functions, by name and signature; runs nothing yet. The Error lists
  // all imports that are missing.
  Sandbox(const Image& image, const HostFunctions& functions, SandboxOptions options = {})
      : Sandbox(try_create(image, functions, std::move(options)).value()) {}

  // For an image that imports nothing.
  explicit Sandbox(const Image& image, SandboxOptions options = {})
      : Sandbox(try_create(image, std::move(options)).value()) {}

  static Expected<Sandbox> try_create(const Image& image, const HostFunctions& functions,
                                      SandboxOptions options = {}) {
    return open(image, functions.handle(), std::move(options));
  }
  static Expected<Sandbox> try_create(const Image& image, SandboxOptions options = {}) {
    return open(image, nullptr, std::move(options));
  }

  Sandbox(Sandbox&&) noexcept = default;
  Sandbox& operator=(Sandbox&& other) noexcept {
    if (this != &other) {
      close();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~Sandbox() { close(); }

  // Calls the guest function `name`. R is its result's type: bool, int32_t … double, std::string,
  // std::vector<std::byte> (copies), or void, which also drops a result. Integers are converted to the
  // declared integer type when the value fits, float and double likewise; strings are what converts to
  // std::string_view, bytes are contiguous ranges of std::byte or uint8_t. Number and types are checked
  // before the guest runs. For calls that are made often, see function().
  template <class R = void, class... Args>
  R call(std::string_view name, const Args&... args) {
    return try_call<R>(name, args...).value();
  }

  template <class R = void, class... Args>
  Expected<R> try_call(std::string_view name, const Args&... args) {
    return detail::call_by_name<R>(state_, {}, name, args...);
  }

  // The same with options first:  sandbox.call<int64_t>({.deadline = 50ms}, "add", 1, 2);
  template <class R = void, class... Args>
  R call(const CallOptions& options, std::string_view name, const Args&... args) {
    return try_call<R>(options, name, args...).value();
  }

  template <class R = void, class... Args>
  Expected<R> try_call(const CallOptions& options, std::string_view name, const Args&... args) {
    return detail::call_by_name<R>(state_, options, name, args...);
  }

  // The same, with the result as a view of guest memory.
  template <class... Args>
  Result call_view(std::string_view name, const Args&... args) {
    return try_call<Result>(name, args...).value();
  }

  // A guest function, looked up and checked once:  auto add = sandbox.function<int64_t(int64_t,
  // int64_t)>("add");
  template <class Signature>
  Function<Signature> function(std::string_view name) {
    return try_function<Signature>(name).value();
  }

  template <class Signature>
  Expected<Function<Signature>> try_function(std::string_view name) {
    return Function<Signature>::make(state_, name);
  }

  // Runs the program from its entry until it ends, or waits for calls. Its exit status, if it ended. Calls do
  // this first when it is due.
  std::optional<int32_t> run(const CallOptions& options = {}) { return try_run(options).value(); }

  Expected<std::optional<int32_t>> try_run(const CallOptions& options = {}) {
    Expected<int32_t> exit_code = state_->run(options);
    if (!exit_code) return exit_code.error();
    return state() == State::kEnded ? std::optional<int32_t>(*exit_code) : std::nullopt;
  }

  // As it is at this moment. Any thread.
  State state() const noexcept { return static_cast<State>(glint_sandbox_state(handle())); }

  // Exact when no call is running.
  SandboxCounters counters() const noexcept {
    glint_sandbox_counters c{};
    c.struct_size = sizeof(c);
    // Cannot fail: both arguments are good, and the size is this header's.
    static_cast<void>(glint_sandbox_get_counters(handle(), &c, nullptr));
    return {c.calls, c.host_calls, c.exits, c.ioctls, c.attaches, c.unknown_syscalls, c.output_bytes};
  }

  const Image& image() const noexcept { return state_->image(); }

  // For use with the C functions; belongs to this object.
  glint_sandbox* handle() const noexcept { return state_->handle(); }

 private:
  explicit Sandbox(std::shared_ptr<detail::SandboxState> state) : state_(std::move(state)) {}

  static Expected<Sandbox> open(const Image& image, glint_host_functions* functions, SandboxOptions options) {
    auto state = std::make_shared<detail::SandboxState>(image, std::move(options));
    if (Expected<void> opened = state->open(functions); !opened) return opened.error();
    return Sandbox(std::move(state));
  }

  // The guest ends here, even while Functions or Results still know the state.
  void close() noexcept {
    if (state_) state_->close();
  }

  std::shared_ptr<detail::SandboxState> state_;  // null only when moved from
};

}  // namespace glint
