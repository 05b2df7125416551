/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_ERROR_H
#define GLINT_ERROR_H

#include "glint/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong, in full. Functions that can fail return a glint_status and take a `glint_error **error`
 * last: when it is not NULL and the function fails, it receives a new error that the caller frees. On success
 * it is left alone. An error is immutable.
 *
 * All functions here: any thread. */
typedef struct glint_error glint_error;

/* The details of GLINT_E_GUEST_FAULT, GLINT_E_GUEST_ABORT and GLINT_E_GUEST_OUT_OF_MEMORY. Addresses are
 * the guest's. */
typedef struct glint_fault {
  uint32_t struct_size; /* in: sizeof(glint_fault) */
  uint32_t vector;      /* x86 exception number, 0xffffffff when the guest sent itself a signal */
  int32_t signal;       /* the signal that Linux would have raised: 4, 6, 8, 11, … */
  uint32_t reserved;
  uint64_t address;       /* page fault: the address touched; else that of the instruction */
  uint64_t instruction;   /* where the guest was */
  uint64_t error_code;    /* as the processor reported it; 0 where there is none */
  uint64_t symbol_offset; /* bytes from the start of `symbol` to `instruction` */
  glint_str name;         /* "page fault", "invalid opcode", … */
  glint_str access;       /* page fault: "read", "write" or "execute"; else empty */
  glint_str symbol;       /* nearest function symbol; empty when unknown */
} glint_fault;

/* Frees an error; NULL is allowed. */
GLINT_API void glint_error_free(glint_error *error) GLINT_NOEXCEPT;

/* The code, as the failing function returned it. NULL stands for no error: GLINT_OK. */
GLINT_API glint_status glint_error_code(const glint_error *error) GLINT_NOEXCEPT;

/* What failed, why, and what to do, for people. Lives as long as the error. NULL: "no error". */
GLINT_API glint_str glint_error_message(const glint_error *error) GLINT_NOEXCEPT;

/* GLINT_E_GUEST_ERROR: the code that the guest function gave. Otherwise 0. */
GLINT_API int32_t glint_error_guest_code(const glint_error *error) GLINT_NOEXCEPT;

/* Fills `fault`, whose struct_size the caller has set. Its texts live as long as the error. GLINT_E_NOT_FOUND
 * when the error has no fault details, GLINT_E_INVALID_ARGUMENT when struct_size is no size of it. */
GLINT_API glint_status glint_error_fault(const glint_error *error, glint_fault *fault) GLINT_NOEXCEPT;

/* The token that a host function left with glint_host_call_fail_with, when the call failed after that: the
 * one of the last host function that failed in the call. Borrowed: it is destroyed with the error. NULL when
 * there is none, or that function left none. */
GLINT_API void *glint_error_host_token(const glint_error *error) GLINT_NOEXCEPT;

/* "GLINT_E_BUSY" and so on; "GLINT_E_UNKNOWN" for a number that is no code. Lives for ever. */
GLINT_API glint_str glint_status_name(glint_status status) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
