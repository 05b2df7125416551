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
#include "glint/cpp/snapshot.hpp"
#include "glint/sandbox.h"

namespace glint {

enum class State : uint32_t {
  kNew = GLINT_STATE_NEW,            // its start-up code has not run
  kReady = GLINT_STATE_READY,        // waits for calls
  kRunning = GLINT_STATE_RUNNING,    // in a call
  kPoisoned = GLINT_STATE_POISONED,  // faulted, aborted or interrupted: to be restored, or destroyed
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
  uint64_t restores = 0;
  uint64_t restored_pages = 0;
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

  // Goes on where the snapshot was taken. The options may name no args and no env: the program had its own.
  Sandbox(const Snapshot& snapshot, const HostFunctions& functions, SandboxOptions options = {})
      : Sandbox(try_create(snapshot, functions, std::move(options)).value()) {}
  explicit Sandbox(const Snapshot& snapshot, SandboxOptions options = {})
      : Sandbox(try_create(snapshot, std::move(options)).value()) {}

  static Expected<Sandbox> try_create(const Image& image, const HostFunctions& functions,
                                      SandboxOptions options = {}) {
    return create(image, functions.handle(), std::move(options));
  }
  static Expected<Sandbox> try_create(const Image& image, SandboxOptions options = {}) {
    return create(image, nullptr, std::move(options));
  }
  static Expected<Sandbox> try_create(const Snapshot& snapshot, const HostFunctions& functions,
                                      SandboxOptions options = {}) {
    return create_from(snapshot, functions.handle(), std::move(options));
  }
  static Expected<Sandbox> try_create(const Snapshot& snapshot, SandboxOptions options = {}) {
    return create_from(snapshot, nullptr, std::move(options));
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

  // The sandbox as it is now, for others to go on from; starts it first when that is due. It must be ready.
  Snapshot snapshot(const CallOptions& options = {}) { return try_snapshot(options).value(); }

  Expected<Snapshot> try_snapshot(const CallOptions& options = {}) {
    Expected<glint_snapshot*> made = state_->snapshot(options);
    if (!made) return made.error();
    return Snapshot(image(), *made);
  }

  // Makes it what the snapshot says, whatever became of it: also when it is poisoned or has ended. Without
  // one: that from which it was made, or to which it was restored last.
  void restore() { try_restore().value(); }
  void restore(const Snapshot& to) { try_restore(to).value(); }

  Expected<void> try_restore() { return state_->restore(nullptr); }
  Expected<void> try_restore(const Snapshot& to) { return state_->restore(to.handle()); }

  // As it is at this moment. Any thread.
  State state() const noexcept { return static_cast<State>(glint_sandbox_state(handle())); }

  // Exact when no call is running.
  SandboxCounters counters() const noexcept {
    glint_sandbox_counters c{};
    c.struct_size = sizeof(c);
    // Cannot fail: both arguments are good, and the size is this header's.
    static_cast<void>(glint_sandbox_get_counters(handle(), &c, nullptr));
    return {c.calls,        c.host_calls, c.exits,         c.ioctls, c.attaches, c.unknown_syscalls,
            c.output_bytes, c.restores,   c.restored_pages};
  }

  const Image& image() const noexcept { return state_->image(); }

  // For use with the C functions; belongs to this object.
  glint_sandbox* handle() const noexcept { return state_->handle(); }

 private:
  friend class Pool;
  explicit Sandbox(std::shared_ptr<detail::SandboxState> state) : state_(std::move(state)) {}

  static Expected<Sandbox> create(const Image& image, glint_host_functions* functions,
                                  SandboxOptions options) {
    return open(image, std::move(options),
                [&](const glint_sandbox_options& c_options, glint_sandbox** made, glint_error** error) {
                  return glint_sandbox_create(image.handle(), functions, &c_options, made, error);
                });
  }

  static Expected<Sandbox> create_from(const Snapshot& snapshot, glint_host_functions* functions,
                                       SandboxOptions options) {
    return open(snapshot.image(), std::move(options),
                [&](const glint_sandbox_options& c_options, glint_sandbox** made, glint_error** error) {
                  return glint_sandbox_create_from(snapshot.handle(), functions, &c_options, made, error);
                });
  }

  template <class Create>
  static Expected<Sandbox> open(const Image& image, SandboxOptions options, const Create& create) {
    auto state = std::make_shared<detail::SandboxState>(image, std::move(options));
    if (Expected<void> opened = state->open(create); !opened) return opened.error();
    return Sandbox(std::move(state));
  }

  // The guest ends here, or goes back to its pool, even while Functions or Results still know the state.
  void close() noexcept {
    if (state_) state_->close();
  }

  std::shared_ptr<detail::SandboxState> state_;  // null only when moved from
};

}  // namespace glint
