/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_BASE_H
#define GLINT_BASE_H

#include <stdint.h>

#include "glint/status.h"

#if defined(GLINT_STATIC) || !defined(__GNUC__)
#define GLINT_API
#else
#define GLINT_API __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define GLINT_MUST_USE __attribute__((warn_unused_result))
#else
#define GLINT_MUST_USE
#endif

#ifdef __cplusplus
#define GLINT_NOEXCEPT noexcept
extern "C" {
#else
#define GLINT_NOEXCEPT
#endif

/* The version of these headers; glint_version_string and glint_abi_version tell the library's. The ABI has a
 * version of its own: within a major, functions, fields and codes are added, and nothing is changed or taken
 * away. */
#define GLINT_VERSION_STRING "0.2.0"
#define GLINT_C_ABI_MAJOR 1u
#define GLINT_C_ABI_MINOR 1u

/* Text: `size` bytes of UTF-8 at `data`; no terminating NUL is needed or promised. */
typedef struct glint_str {
  const char *data;
  uint64_t size;
} glint_str;

/* Called exactly once for each user_data or token that it was given with, on every path, when that is no
 * longer needed; on any thread, never while a function of the same user_data runs. Must not throw, nor jump
 * out. */
typedef void (*glint_destroy)(void *user_data);

/* The types that cross the border; the same numbers as in the guest's function table. */
#define GLINT_VOID 0u /* as a result only */
#define GLINT_BOOL 1u
#define GLINT_I32 2u
#define GLINT_U32 3u
#define GLINT_I64 4u
#define GLINT_U64 5u
#define GLINT_F32 6u
#define GLINT_F64 7u
#define GLINT_STRING 8u /* UTF-8, checked on both ways */
#define GLINT_BYTES 9u

#define GLINT_MAX_ARGUMENTS 32u
#define GLINT_MAX_PAYLOAD_SIZE 67108864u /* bytes of the longest string or bytes value: 64 MiB */

/* One argument or result. Strings and bytes are views: who owns the memory, and how long it lives, is said by
 * the function that takes or gives the value. */
typedef struct glint_value {
  uint32_t type;     /* GLINT_BOOL … GLINT_BYTES, or GLINT_VOID for no result */
  uint32_t reserved; /* zero */
  union {
    uint8_t boolean; /* 0 or 1 */
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f32;
    double f64;
    struct {
      const void *data; /* may be NULL when size is 0 */
      uint64_t size;    /* bytes, at most GLINT_MAX_PAYLOAD_SIZE */
    } bytes;            /* GLINT_STRING and GLINT_BYTES */
  } as;
} glint_value;

/* The library's version, "0.2.0". Lives for ever. Any thread. */
GLINT_API glint_str glint_version_string(void) GLINT_NOEXCEPT;

/* The version of the library's C ABI: major << 16 | minor. A program needs the major it was compiled with,
 * and at least that minor. Any thread. */
GLINT_API uint32_t glint_abi_version(void) GLINT_NOEXCEPT;

#define GLINT_CAPABILITY_KVM 1ull  /* GLINT_BACKEND_KVM is built in; whether it works, glint_doctor says */
#define GLINT_CAPABILITY_FAKE 2ull /* GLINT_BACKEND_FAKE is built in */
#define GLINT_CAPABILITY_INTERRUPT 4ull /* calls can be interrupted and have deadlines */
#define GLINT_CAPABILITY_SNAPSHOT 8ull  /* sandboxes have snapshots, and can be restored */

/* GLINT_CAPABILITY_* of this build, joined by |. What is missing fails with GLINT_E_UNSUPPORTED when it is
 * asked for; the functions are there in every build. Any thread. */
GLINT_API uint64_t glint_capabilities(void) GLINT_NOEXCEPT;

/* The structs of these headers, for glint_struct_size. */
#define GLINT_STRUCT_STR 1u
#define GLINT_STRUCT_VALUE 2u
#define GLINT_STRUCT_FAULT 3u
#define GLINT_STRUCT_ENGINE_OPTIONS 4u
#define GLINT_STRUCT_ENGINE_COUNTERS 5u
#define GLINT_STRUCT_DOCTOR_ITEM 6u
#define GLINT_STRUCT_FILE 7u
#define GLINT_STRUCT_IMAGE_OPTIONS 8u
#define GLINT_STRUCT_FUNCTION_INFO 9u
#define GLINT_STRUCT_SEGMENT_INFO 10u
#define GLINT_STRUCT_IMAGE_INFO 11u
#define GLINT_STRUCT_SYSCALL 12u
#define GLINT_STRUCT_SANDBOX_OPTIONS 13u
#define GLINT_STRUCT_SANDBOX_COUNTERS 14u
#define GLINT_STRUCT_CALL_OPTIONS 15u
#define GLINT_STRUCT_LIVE_OBJECTS 16u
#define GLINT_STRUCT_SNAPSHOT_INFO 17u
#define GLINT_STRUCT_POOL_OPTIONS 18u
#define GLINT_STRUCT_ACQUIRE_OPTIONS 19u
#define GLINT_STRUCT_POOL_COUNTERS 20u

/* How many bytes the library's version of a struct has; 0 for a number that is none of GLINT_STRUCT_*. Those
 * without a `struct_size` never change; a binding checks them when it is loaded. Any thread. */
GLINT_API uint32_t glint_struct_size(uint32_t which) GLINT_NOEXCEPT;

/* How many objects there are in this process now, for tests that look for leaks. */
typedef struct glint_live_objects {
  uint32_t struct_size; /* in: sizeof(glint_live_objects) */
  uint32_t reserved;
  uint64_t engines; /* handles that were not freed yet, here and below */
  uint64_t images;
  uint64_t sandboxes;
  uint64_t interrupts;
  uint64_t errors;
  uint64_t doctors;
  uint64_t host_function_sets;
  uint64_t host_functions; /* whose user data was not destroyed yet */
  uint64_t host_tokens;    /* tokens of glint_host_call_fail_with that were not destroyed yet */
  uint64_t snapshots;      /* handles; since 1.1 */
  uint64_t pools;          /* handles; since 1.1 */
} glint_live_objects;

/* Fills `live`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of it.
 * Each number is exact; taken together they may be of slightly different moments while other threads work.
 * Any thread. */
GLINT_API glint_status glint_get_live_objects(glint_live_objects *live) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
