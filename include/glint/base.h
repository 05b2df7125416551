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

/* The version of these headers; glint_version_string and glint_abi_version tell the library's. Until the ABI
 * is frozen, its major is 0 and nothing is promised between minors. */
#define GLINT_VERSION_STRING "0.1.0"
#define GLINT_C_ABI_MAJOR 0u
#define GLINT_C_ABI_MINOR 1u

/* Text: `size` bytes of UTF-8 at `data`; no terminating NUL is needed or promised. */
typedef struct glint_str {
  const char *data;
  uint64_t size;
} glint_str;

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

/* The library's version, "0.1.0". Lives for ever. Any thread. */
GLINT_API glint_str glint_version_string(void) GLINT_NOEXCEPT;

/* The version of the library's C ABI: major << 16 | minor. A program needs the major it was compiled with,
 * and at least that minor. Any thread. */
GLINT_API uint32_t glint_abi_version(void) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
