// SPDX-License-Identifier: Apache-2.0
#include "glint/error.h"

#include <cstddef>

#include "capi/handles.hpp"
#include "capi/structs.hpp"

using namespace glint;
using namespace glint::capi;

namespace {

// The error that is given when there is no memory to make one is an address and nothing else: there is no
// object behind it that would have to be made at start-up, or could be gone while the process ends.
constinit std::byte no_memory_address{};

glint_error* no_memory() noexcept {
  return reinterpret_cast<glint_error*>(&no_memory_address);  // compared only, never looked into
}

// What there is to look into; null for NULL and for no_memory().
const core::Error* details(const glint_error* error) noexcept {
  return error == nullptr || error == no_memory() ? nullptr : &error->error;
}

glint_str status_name(glint_status status) noexcept {
  switch (status) {
#define GLINT_NAME(code) \
  case code:             \
    return as_str(#code)
    GLINT_NAME(GLINT_OK);
    GLINT_NAME(GLINT_E_INVALID_ARGUMENT);
    GLINT_NAME(GLINT_E_BUSY);
    GLINT_NAME(GLINT_E_NOT_FOUND);
    GLINT_NAME(GLINT_E_SIGNATURE);
    GLINT_NAME(GLINT_E_TOO_LARGE);
    GLINT_NAME(GLINT_E_POISONED);
    GLINT_NAME(GLINT_E_ENDED);
    GLINT_NAME(GLINT_E_MISSING_IMPORT);
    GLINT_NAME(GLINT_E_DEPTH);
    GLINT_NAME(GLINT_E_TYPE);
    GLINT_NAME(GLINT_E_POOL_EMPTY);
    GLINT_NAME(GLINT_E_NO_MEMORY);
    GLINT_NAME(GLINT_E_SYSTEM);
    GLINT_NAME(GLINT_E_NO_HYPERVISOR);
    GLINT_NAME(GLINT_E_UNSUPPORTED);
    GLINT_NAME(GLINT_E_HYPERVISOR);
    GLINT_NAME(GLINT_E_IMAGE_NOT_ELF);
    GLINT_NAME(GLINT_E_IMAGE_TRUNCATED);
    GLINT_NAME(GLINT_E_IMAGE_MACHINE);
    GLINT_NAME(GLINT_E_IMAGE_CLASS);
    GLINT_NAME(GLINT_E_IMAGE_DYNAMIC);
    GLINT_NAME(GLINT_E_IMAGE_KIND);
    GLINT_NAME(GLINT_E_IMAGE_SEGMENTS);
    GLINT_NAME(GLINT_E_IMAGE_RANGE);
    GLINT_NAME(GLINT_E_IMAGE_WX);
    GLINT_NAME(GLINT_E_IMAGE_ENTRY);
    GLINT_NAME(GLINT_E_IMAGE_TOO_LARGE);
    GLINT_NAME(GLINT_E_IMAGE_FUNCTIONS);
    GLINT_NAME(GLINT_E_IMAGE_ABI);
    GLINT_NAME(GLINT_E_SNAPSHOT_FORMAT);
    GLINT_NAME(GLINT_E_SNAPSHOT_TRUNCATED);
    GLINT_NAME(GLINT_E_SNAPSHOT_CORRUPT);
    GLINT_NAME(GLINT_E_SNAPSHOT_VERSION);
    GLINT_NAME(GLINT_E_SNAPSHOT_IMAGE);
    GLINT_NAME(GLINT_E_SNAPSHOT_MACHINE);
    GLINT_NAME(GLINT_E_GUEST_ERROR);
    GLINT_NAME(GLINT_E_GUEST_FAULT);
    GLINT_NAME(GLINT_E_GUEST_ABORT);
    GLINT_NAME(GLINT_E_GUEST_OUT_OF_MEMORY);
    GLINT_NAME(GLINT_E_GUEST_PROTOCOL);
    GLINT_NAME(GLINT_E_HOST_FUNCTION);
    GLINT_NAME(GLINT_E_INTERRUPTED);
    GLINT_NAME(GLINT_E_DEADLINE);
    GLINT_NAME(GLINT_E_INTERNAL);
#undef GLINT_NAME
    default:
      return as_str("GLINT_E_UNKNOWN");
  }
}

}  // namespace

namespace glint::capi {

glint_status report_no_memory(glint_error** to) noexcept {
  if (to != nullptr) *to = no_memory();
  return GLINT_E_NO_MEMORY;
}

glint_status report(glint_error** to, core::Error error) noexcept {
  const glint_status code = error.code;
  if (to == nullptr) return code;
  auto* made = new (std::nothrow) glint_error{std::move(error)};
  if (made == nullptr) return report_no_memory(to);
  *to = made;
  return code;
}

glint_status report_internal(glint_error** to, const char* what) noexcept {
  if (to == nullptr) return GLINT_E_INTERNAL;
  try {
    return report(to,
                  core::error(GLINT_E_INTERNAL, "a defect of Glint, please report it: " + std::string(what)));
  } catch (...) {
    return report_no_memory(to);  // making that text is all that can throw
  }
}

}  // namespace glint::capi

void glint_error_free(glint_error* error) noexcept {
  if (error != no_memory()) delete error;
}

glint_status glint_error_code(const glint_error* error) noexcept {
  if (error == no_memory()) return GLINT_E_NO_MEMORY;
  return error == nullptr ? GLINT_OK : error->error.code;
}

glint_str glint_error_message(const glint_error* error) noexcept {
  if (error == no_memory()) return as_str("out of memory");
  return error == nullptr ? as_str("no error") : as_str(error->error.message);
}

int32_t glint_error_guest_code(const glint_error* error) noexcept {
  const core::Error* from = details(error);
  return from == nullptr ? 0 : from->guest_code;
}

glint_status glint_error_fault(const glint_error* error, glint_fault* fault) noexcept {
  return guarded(nullptr, [&]() -> Result<void> {
    GLINT_REQUIRE(error);
    GLINT_REQUIRE(fault);
    const core::Error* full = details(error);
    if (full == nullptr || full->fault == nullptr) {
      return core::error(GLINT_E_NOT_FOUND, "the error has no fault details");
    }
    const core::Fault* from = full->fault.get();
    glint_fault value{};
    value.vector = from->vector;
    value.signal = from->signal;
    value.address = from->address;
    value.instruction = from->instruction;
    value.error_code = from->error_code;
    value.symbol_offset = from->symbol_offset;
    value.name = as_str(from->name);
    value.access = as_str(from->access);
    value.symbol = as_str(from->symbol);
    return write_struct(fault, value, "glint_fault");
  });
}

void* glint_error_host_token(const glint_error* error) noexcept {
  const core::Error* from = details(error);
  return from == nullptr ? nullptr : from->host_token.get();
}

glint_str glint_status_name(glint_status status) noexcept { return status_name(status); }
