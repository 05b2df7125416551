// SPDX-License-Identifier: Apache-2.0
#include "glint/base.h"

#include <string_view>

#include "capi/handles.hpp"
#include "capi/structs.hpp"

using namespace glint::capi;

// The build defines GLINT_VERSION from the project's version; the header says it to those who compile against
// it.
static_assert(std::string_view(GLINT_VERSION) == GLINT_VERSION_STRING,
              "include/glint/base.h has another version");

glint_str glint_version_string(void) noexcept { return as_str(GLINT_VERSION_STRING); }

constinit LiveCounts glint::capi::g_live;

uint32_t glint_abi_version(void) noexcept { return GLINT_C_ABI_MAJOR << 16 | GLINT_C_ABI_MINOR; }

uint64_t glint_capabilities(void) noexcept {
  return GLINT_CAPABILITY_KVM | GLINT_CAPABILITY_FAKE | GLINT_CAPABILITY_INTERRUPT |
         GLINT_CAPABILITY_SNAPSHOT;
}

uint32_t glint_struct_size(uint32_t which) noexcept {
  switch (which) {
    case GLINT_STRUCT_STR:
      return sizeof(glint_str);
    case GLINT_STRUCT_VALUE:
      return sizeof(glint_value);
    case GLINT_STRUCT_FAULT:
      return sizeof(glint_fault);
    case GLINT_STRUCT_ENGINE_OPTIONS:
      return sizeof(glint_engine_options);
    case GLINT_STRUCT_ENGINE_COUNTERS:
      return sizeof(glint_engine_counters);
    case GLINT_STRUCT_DOCTOR_ITEM:
      return sizeof(glint_doctor_item);
    case GLINT_STRUCT_FILE:
      return sizeof(glint_file);
    case GLINT_STRUCT_IMAGE_OPTIONS:
      return sizeof(glint_image_options);
    case GLINT_STRUCT_FUNCTION_INFO:
      return sizeof(glint_function_info);
    case GLINT_STRUCT_SEGMENT_INFO:
      return sizeof(glint_segment_info);
    case GLINT_STRUCT_IMAGE_INFO:
      return sizeof(glint_image_info);
    case GLINT_STRUCT_SYSCALL:
      return sizeof(glint_syscall);
    case GLINT_STRUCT_SANDBOX_OPTIONS:
      return sizeof(glint_sandbox_options);
    case GLINT_STRUCT_SANDBOX_COUNTERS:
      return sizeof(glint_sandbox_counters);
    case GLINT_STRUCT_CALL_OPTIONS:
      return sizeof(glint_call_options);
    case GLINT_STRUCT_LIVE_OBJECTS:
      return sizeof(glint_live_objects);
    case GLINT_STRUCT_SNAPSHOT_INFO:
      return sizeof(glint_snapshot_info);
    case GLINT_STRUCT_POOL_OPTIONS:
      return sizeof(glint_pool_options);
    case GLINT_STRUCT_ACQUIRE_OPTIONS:
      return sizeof(glint_acquire_options);
    case GLINT_STRUCT_POOL_COUNTERS:
      return sizeof(glint_pool_counters);
    default:
      return 0;
  }
}

glint_status glint_get_live_objects(glint_live_objects* live) noexcept {
  return guarded(nullptr, [&]() -> Result<void> {
    GLINT_REQUIRE(live);
    glint_live_objects value{};
    value.engines = g_live.engines.load(std::memory_order_relaxed);
    value.images = g_live.images.load(std::memory_order_relaxed);
    value.sandboxes = g_live.sandboxes.load(std::memory_order_relaxed);
    value.interrupts = g_live.interrupts.load(std::memory_order_relaxed);
    value.errors = g_live.errors.load(std::memory_order_relaxed);
    value.doctors = g_live.doctors.load(std::memory_order_relaxed);
    value.host_function_sets = g_live.host_function_sets.load(std::memory_order_relaxed);
    value.host_functions = g_live.host_functions.load(std::memory_order_relaxed);
    value.host_tokens = g_live.host_tokens.load(std::memory_order_relaxed);
    value.snapshots = g_live.snapshots.load(std::memory_order_relaxed);
    value.pools = g_live.pools.load(std::memory_order_relaxed);
    return write_struct(live, value, "glint_live_objects");
  });
}
