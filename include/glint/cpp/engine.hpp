// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "glint/cpp/error.hpp"
#include "glint/cpp/image.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/engine.h"

namespace glint {

enum class Backend : uint32_t {
  kDefault = GLINT_BACKEND_DEFAULT,  // KVM
  kKvm = GLINT_BACKEND_KVM,
  kNone = GLINT_BACKEND_NONE,  // no hypervisor: images can be loaded and inspected, not run
  kFake = GLINT_BACKEND_FAKE,  // a stand-in for tests; glint/engine.h says how its guests behave
};

struct EngineOptions {
  Backend backend = Backend::kDefault;
  uint32_t max_shells = 0;  // VMs kept per image while no call needs more; 0: two per processor
  // What a call may take that is not told otherwise; none: 5 s. kNoDeadline: for ever.
  std::optional<std::chrono::nanoseconds> deadline = {};
  uint32_t kick_signal = 0;  // the signal that interrupts guests; see glint_engine_options. 0: a free one
  uint32_t max_vms = 0;      // VMs kept over all images, the same; 0: max_shells, and 32 at least
};

// Counts since the engine was made; see glint_engine_counters.
struct EngineCounters {
  uint64_t vms_created = 0;
  uint64_t vms_live = 0;
  uint64_t sandboxes_created = 0;
  uint64_t sandboxes_live = 0;
  uint64_t attaches = 0;
  uint64_t parks = 0;
};

// The connection to the hypervisor. Any thread.
class Engine {
 public:
  // Opens the hypervisor. The Error says what to do when it is missing, not permitted or lacks something.
  explicit Engine(const EngineOptions& options = {}) : Engine(try_create(options).value()) {}

  static Expected<Engine> try_create(const EngineOptions& options = {}) {
    glint_engine_options c_options;
    glint_engine_options_init(&c_options, sizeof(c_options));
    c_options.backend = static_cast<uint32_t>(options.backend);
    c_options.max_shells = options.max_shells;
    c_options.deadline_ns = detail::deadline_ns(options.deadline);
    c_options.kick_signal = options.kick_signal;
    c_options.max_vms = options.max_vms;
    glint_engine* engine = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_engine_create(&c_options, &engine, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return Engine(engine);
  }

  // Loads a guest program from a file.
  Image load(std::string_view path, const ImageOptions& options = {}) const {
    return try_load(path, options).value();
  }
  Expected<Image> try_load(std::string_view path, const ImageOptions& options = {}) const {
    return detail::load_image(options,
                              [&](const glint_image_options& o, glint_image** image, glint_error** error) {
                                return glint_image_load_file(handle(), detail::str(path), &o, image, error);
                              });
  }

  // Loads a guest program from bytes, which need to live only until this returns.
  Image load_bytes(std::span<const std::byte> program, const ImageOptions& options = {}) const {
    return try_load_bytes(program, options).value();
  }
  Expected<Image> try_load_bytes(std::span<const std::byte> program, const ImageOptions& options = {}) const {
    return detail::load_image(
        options, [&](const glint_image_options& o, glint_image** image, glint_error** error) {
          return glint_image_load_bytes(handle(), program.data(), program.size(), &o, image, error);
        });
  }

  // "kvm", "fake" or "none".
  std::string_view backend() const noexcept { return detail::view(glint_engine_backend(handle())); }

  EngineCounters counters() const noexcept {
    glint_engine_counters c{};
    c.struct_size = sizeof(c);
    // Cannot fail: both arguments are good, and the size is this header's.
    static_cast<void>(glint_engine_get_counters(handle(), &c, nullptr));
    return {c.vms_created, c.vms_live, c.sandboxes_created, c.sandboxes_live, c.attaches, c.parks};
  }

  // For use with the C functions; belongs to this object.
  glint_engine* handle() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(glint_engine* engine) const noexcept { glint_engine_free(engine); }
  };
  explicit Engine(glint_engine* handle) : handle_(handle) {}

  std::unique_ptr<glint_engine, Free> handle_;
};

}  // namespace glint
