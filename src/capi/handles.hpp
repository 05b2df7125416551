// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "glint/glint.h"
#include "sandbox/doctor.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/host_functions.hpp"
#include "sandbox/image.hpp"
#include "sandbox/interrupt.hpp"
#include "sandbox/pool.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/snapshot.hpp"

// The membrane between the C ABI and the library: what the opaque handles hold, and the guard that every
// function which can fail runs in. Nothing here decides anything; it checks, converts and forwards.

namespace glint::capi {

// How many of a kind there are, for glint_get_live_objects. Constant-initialized: loading runs no code.
struct LiveCounts {
  std::atomic<uint64_t> engines{0}, images{0}, sandboxes{0}, interrupts{0}, errors{0}, doctors{0},
      host_function_sets{0}, host_functions{0}, host_tokens{0}, snapshots{0}, pools{0};
};
extern constinit LiveCounts g_live;

// Counts the object that it is a part of.
template <std::atomic<uint64_t> LiveCounts::* kKind>
class Counted {
 public:
  Counted() { (g_live.*kKind).fetch_add(1, std::memory_order_relaxed); }
  ~Counted() { (g_live.*kKind).fetch_sub(1, std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

}  // namespace glint::capi

struct glint_error {
  glint::core::Error error;
  glint::capi::Counted<&glint::capi::LiveCounts::errors> counted{};
};

struct glint_interrupt {
  std::shared_ptr<glint::core::Interrupt> interrupt;
  glint::capi::Counted<&glint::capi::LiveCounts::interrupts> counted{};
};

struct glint_engine {
  std::shared_ptr<glint::core::Engine> engine;
  glint::capi::Counted<&glint::capi::LiveCounts::engines> counted{};
};

struct glint_doctor {
  glint::core::DoctorReport report;
  glint::capi::Counted<&glint::capi::LiveCounts::doctors> counted{};
};

struct glint_image {
  std::shared_ptr<glint::core::Image> image;
  // Parameter types of each function as the C ABI shows them: an enum is not a uint32_t to the compiler.
  std::vector<std::vector<uint32_t>> params;
  glint::capi::Counted<&glint::capi::LiveCounts::images> counted{};
};

struct glint_host_functions {
  std::shared_ptr<glint::core::HostFunctions> functions;
  glint::capi::Counted<&glint::capi::LiveCounts::host_function_sets> counted{};
};

struct glint_host_call {
  glint::core::HostCall* call;
  const glint_value* arguments;
  uint32_t count;
};

struct glint_pool {
  std::shared_ptr<glint::core::Pool> pool;
  glint::capi::Counted<&glint::capi::LiveCounts::pools> counted{};
};

struct glint_sandbox {
  std::unique_ptr<glint::core::Sandbox> sandbox;
  std::shared_ptr<glint::core::Pool> pool;  // which it goes back to; null: none
  glint::capi::Counted<&glint::capi::LiveCounts::sandboxes> counted{};
};

struct glint_snapshot {
  std::shared_ptr<const glint::core::Snapshot> snapshot;
  glint::capi::Counted<&glint::capi::LiveCounts::snapshots> counted{};
};

namespace glint::capi {

using core::Result;

// Gives the caller the details, if wanted, and the code. Never fails: when there is no memory for the error
// itself, the caller receives one that exists already.
glint_status report(glint_error** to, core::Error error) noexcept;
glint_status report_no_memory(glint_error** to) noexcept;
glint_status report_internal(glint_error** to, const char* what) noexcept;

inline core::Error null_argument(std::string_view name) {
  return core::error(GLINT_E_INVALID_ARGUMENT, "argument '" + std::string(name) + "' is NULL");
}

// Runs `body`, which returns Result<void>, and turns everything that may leave it into a status.
template <class Body>
glint_status guarded(glint_error** error, Body&& body) noexcept {
  try {
    Result<void> result = body();
    if (result) return GLINT_OK;
    return report(error, std::move(result).error());
  } catch (const std::bad_alloc&) {
    return report_no_memory(error);
  } catch (const std::exception& exception) {
    return report_internal(error, exception.what());
  } catch (...) {
    return report_internal(error, "an exception of unknown type");
  }
}

// A text of the caller's. The view lives as long as the caller's memory.
inline Result<std::string_view> read_text(glint_str text, std::string_view name) {
  if (text.data == nullptr && text.size != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT,
                       "argument '" + std::string(name) + "' has a size but its data is NULL");
  }
  return std::string_view(text.data, text.size);
}

// The same, for texts that end up as C strings: in a guest's argv, or in a system call.
inline Result<std::string> read_c_text(glint_str text, std::string_view name) {
  GLINT_TRY_ASSIGN(view, read_text(text, name));
  if (view.find('\0') != std::string_view::npos) {
    return core::error(GLINT_E_INVALID_ARGUMENT,
                       "argument '" + std::string(name) + "' contains a NUL character");
  }
  return std::string(view);
}

inline glint_str as_str(std::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace glint::capi

// Refuses a NULL argument, by its name.
#define GLINT_REQUIRE(argument)                                                \
  do {                                                                         \
    if ((argument) == nullptr) return ::glint::capi::null_argument(#argument); \
  } while (false)
