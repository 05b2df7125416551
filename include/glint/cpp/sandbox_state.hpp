// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "glint/cpp/error.hpp"
#include "glint/cpp/image.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/cpp/value.hpp"
#include "glint/snapshot.h"

namespace glint {

// A system call that the libos served, or did not know; see glint_syscall. Valid during the callback.
struct SyscallReport {
  uint64_t number = 0;
  std::array<uint64_t, 6> arguments{};
  int64_t result = 0;
  bool unknown = false;
  std::string_view name;  // of Linux; empty when there is none
};

// The callbacks run on the thread that runs the sandbox. When one throws, the guest goes on, and the
// exception leaves the function that ran the guest, when it is done.
struct SandboxOptions {
  std::vector<std::string> args = {};  // argv, the program's name first; none: just "guest"
  std::vector<std::string> env = {};   // "NAME=value"
  std::function<void(int stream, std::string_view text)> output =
      {};  // stream 1 or 2; none: what it prints is dropped
  std::function<size_t(std::span<std::byte> buffer)> input =
      {};  // returns how many bytes it wrote; 0 at the end
  std::function<void(const SyscallReport& call)> trace = {};
  bool trace_all = false;  // every system call goes to `trace`, not only those that the libos does not serve
  bool end_on_host_failure = false;  // a host function that fails ends the call; else the guest is told
  bool restore_each_call = false;  // each call begins with the snapshot; see GLINT_SANDBOX_RESTORE_EACH_CALL
  bool dedicated_vm = false;       // its VM serves no other sandbox, ever; see GLINT_SANDBOX_DEDICATED_VM
  uint32_t max_depth = 0;          // nested calls host → guest → host … on one thread; 0: 16
  std::string tenant = {};         // whose sandbox this is: no VM ever serves two tenants
};

namespace detail {

// What a Sandbox, its Functions and its Results share. On the heap, so that the Sandbox can be moved while
// the callbacks know where this is.
class SandboxState {
 public:
  SandboxState(Image image, SandboxOptions options)
      : image_(std::move(image)), options_(std::move(options)) {}
  ~SandboxState() { close(); }
  SandboxState(const SandboxState&) = delete;
  SandboxState& operator=(const SandboxState&) = delete;

  // `create` makes the handle, given the options; it returns the status.
  template <class Create>
  Expected<void> open(const Create& create) {
    const std::vector<glint_str> args(as_strs(options_.args));
    const std::vector<glint_str> env(as_strs(options_.env));
    glint_sandbox_options c_options;
    glint_sandbox_options_init(&c_options, sizeof(c_options));
    c_options.flags = options_.trace_all && options_.trace ? GLINT_SANDBOX_TRACE : 0;
    if (options_.end_on_host_failure) c_options.flags |= GLINT_SANDBOX_END_ON_HOST_FAILURE;
    if (options_.dedicated_vm) c_options.flags |= GLINT_SANDBOX_DEDICATED_VM;
    if (options_.restore_each_call) c_options.flags |= GLINT_SANDBOX_RESTORE_EACH_CALL;
    c_options.arguments = args.data();
    c_options.argument_count = args.size();
    c_options.environment = env.data();
    c_options.environment_count = env.size();
    if (options_.output) c_options.output = &on_output;
    if (options_.input) c_options.input = &on_input;
    if (options_.trace) c_options.trace = &on_trace;
    c_options.output_user_data = c_options.input_user_data = c_options.trace_user_data = this;
    c_options.max_depth = options_.max_depth;
    c_options.tenant = {options_.tenant.data(), options_.tenant.size()};
    glint_error* error = nullptr;
    const glint_status status = create(c_options, &handle_, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return {};
  }

  void close() noexcept { glint_sandbox_free(std::exchange(handle_, nullptr)); }

  glint_sandbox* handle() const noexcept { return handle_; }  // null when the Sandbox has gone
  const Image& image() const noexcept { return image_; }

  // Counts what ends the life of a result's view, so that an old Result neither shows nor releases a newer
  // one.
  uint64_t operation() const noexcept { return operation_.load(std::memory_order_relaxed); }

  Expected<glint_value> call(uint32_t function, const glint_value* arguments, uint32_t count,
                             const CallOptions& options) {
    if (handle_ == nullptr) return gone();
    begin_operation();
    const glint_call_options c_options = detail::c_options(options);
    glint_value result{};
    glint_error* error = nullptr;
    const glint_status status = glint_call(handle_, function, arguments, count, &c_options, &result, &error);
    if (Expected<void> done = finish(status, error); !done) {
      if (status == GLINT_OK) release();
      return done.error();
    }
    return result;
  }

  Expected<int32_t> run(const CallOptions& options) {
    begin_operation();
    const glint_call_options c_options = detail::c_options(options);
    int32_t exit_code = 0;
    glint_error* error = nullptr;
    const glint_status status = glint_sandbox_run(handle_, &c_options, &exit_code, &error);
    if (Expected<void> done = finish(status, error); !done) return done.error();
    return exit_code;
  }

  // The new snapshot is the caller's.
  Expected<glint_snapshot*> snapshot(const CallOptions& options) {
    begin_operation();
    const glint_call_options c_options = detail::c_options(options);
    glint_snapshot* made = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_snapshot_create(handle_, &c_options, &made, &error);
    if (Expected<void> done = finish(status, error); !done) {
      glint_snapshot_free(made);
      return done.error();
    }
    return made;
  }

  Expected<void> restore(glint_snapshot* to) {
    begin_operation();
    glint_error* error = nullptr;
    const glint_status status = glint_sandbox_restore(handle_, to, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return {};
  }

  void release() noexcept {
    begin_operation();
    glint_result_release(handle_);
  }

 private:
  static Error gone() {
    return Error(GLINT_E_INVALID_ARGUMENT, "the sandbox of this function has been destroyed");
  }

  static std::vector<glint_str> as_strs(const std::vector<std::string>& texts) {
    std::vector<glint_str> result;
    result.reserve(texts.size());
    for (const std::string& text : texts) result.push_back(str(text));
    return result;
  }

  void begin_operation() noexcept { operation_.fetch_add(1, std::memory_order_relaxed); }

  // Errors, and exceptions of callbacks. A thread that was refused was not inside, and must not touch what is
  // there.
  Expected<void> finish(glint_status status, glint_error* error) {
    if (status != GLINT_E_BUSY && thrown_) {
      glint_error_free(error);
      return Error::caused_by(std::exchange(thrown_, nullptr),
                              "a callback of the sandbox threw an exception");
    }
    if (status != GLINT_OK) return Error::take(status, error);
    return {};
  }

  // Runs a callback. No exception leaves: behind it are C frames. The first is kept for finish().
  template <class Body>
  void guarded(const Body& body) noexcept {
#ifdef __cpp_exceptions
    try {
      body();
    } catch (...) {
      if (!thrown_) thrown_ = std::current_exception();
    }
#else
    body();
#endif
  }

  static void on_output(void* user_data, uint32_t stream, const void* data, uint64_t size) {
    auto* self = static_cast<SandboxState*>(user_data);
    self->guarded([&] {
      self->options_.output(static_cast<int>(stream), std::string_view(static_cast<const char*>(data), size));
    });
  }

  static uint64_t on_input(void* user_data, void* buffer, uint64_t capacity) {
    auto* self = static_cast<SandboxState*>(user_data);
    uint64_t written = 0;
    self->guarded([&] {
      const size_t count = self->options_.input(std::span(static_cast<std::byte*>(buffer), capacity));
      written = std::min<uint64_t>(count, capacity);
    });
    return written;
  }

  static void on_trace(void* user_data, const glint_syscall* call) {
    auto* self = static_cast<SandboxState*>(user_data);
    self->guarded([&] {
      SyscallReport report{call->number, {}, call->result, call->unknown != 0, view(call->name)};
      std::copy(std::begin(call->arguments), std::end(call->arguments), report.arguments.begin());
      self->options_.trace(report);
    });
  }

  Image image_;
  SandboxOptions options_;
  glint_sandbox* handle_ = nullptr;
  std::atomic<uint64_t> operation_{0};
  std::exception_ptr thrown_;  // by a callback of the operation under way
};

}  // namespace detail
}  // namespace glint
