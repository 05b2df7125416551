/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_HOST_H
#define GLINT_HOST_H

#include "glint/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A set of functions that guests may call. It is filled first; sandboxes made with it hold a reference, and
 * it must not be changed any more once one was made: adding then fails with GLINT_E_BUSY. */
typedef struct glint_host_functions glint_host_functions;

/* One call of a host function, valid during the callback only and on its thread. */
typedef struct glint_host_call glint_host_call;

/* A host function. It runs on the thread that called glint_call (or glint_sandbox_run), while that waits. It
 * must not throw or jump out: the process is ended if it throws; it leaves the thread's signal mask as it
 * was. It may call other sandboxes, whose calls have deadlines and interrupts of their own, since ending the
 * call that it serves does not end those; entering the one that called it gives GLINT_E_BUSY. Returns
 * GLINT_OK after glint_host_call_return (a void function needs none), or another status, also a positive one,
 * to fail: the guest then receives that code, and the text given by glint_host_call_fail, as an error value.
 */
typedef glint_status (*glint_host_function)(void *user_data, glint_host_call *call);

/* Makes an empty set. Fails only with GLINT_E_NO_MEMORY. Any thread. */
GLINT_API glint_status glint_host_functions_create(glint_host_functions **functions,
                                                   glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Gives up the caller's reference; NULL is allowed. Any thread. */
GLINT_API void glint_host_functions_free(glint_host_functions *functions) GLINT_NOEXCEPT;

/* Adds a function. `name` is 1 to 63 bytes, copied; `result` GLINT_VOID … GLINT_BYTES; `params` are
 * param_count types (at most GLINT_MAX_ARGUMENTS), copied. The set owns `user_data` from now on: `destroy`,
 * which may be NULL, is also called when adding fails. A name that is there already is
 * GLINT_E_INVALID_ARGUMENT; a set that a sandbox was made with, GLINT_E_BUSY. One at a time. */
GLINT_API glint_status glint_host_functions_add(glint_host_functions *functions, glint_str name,
                                                uint32_t result, const uint32_t *params, uint32_t param_count,
                                                glint_host_function function, void *user_data,
                                                glint_destroy destroy,
                                                glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* The arguments: as many, and of the types, that were declared. Strings and bytes are views of memory that
 * cannot change during the callback, and end with it. Callback only. */
GLINT_API const glint_value *glint_host_call_arguments(const glint_host_call *call,
                                                       uint32_t *count) GLINT_NOEXCEPT;

/* Sets the result; strings and bytes are copied. GLINT_E_SIGNATURE when the type is not the declared one,
 * GLINT_E_TOO_LARGE, or GLINT_E_INVALID_ARGUMENT for a string that is not UTF-8. Callback only. */
GLINT_API glint_status glint_host_call_return(glint_host_call *call, const glint_value *value,
                                              glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Instead: room for a result of `size` bytes, written in place, without a copy. The function's result is then
 * those bytes. GLINT_E_SIGNATURE when the function is not declared GLINT_STRING or GLINT_BYTES,
 * GLINT_E_TOO_LARGE. The room is the library's, and ends with the callback or at glint_host_call_return.
 * Callback only. */
GLINT_API glint_status glint_host_call_reserve(glint_host_call *call, uint64_t size, void **data,
                                               glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Sets what the guest is told when the callback then returns a failure: at most 4,096 bytes of UTF-8, copied.
 * Callback only. */
GLINT_API void glint_host_call_fail(glint_host_call *call, glint_str text) GLINT_NOEXCEPT;

/* Leaves an object of the host program's, such as an exception, that stands for the failure which the
 * callback then returns. The guest never sees it. If the guest's call fails after that, for whatever reason,
 * the token of the last host function that failed, if that left one, comes out of glint_error_host_token; all
 * others are dropped. `destroy`, which may be NULL, is called exactly once for each token, on every path:
 * when the error is freed, when another token takes its place or another host function fails, when the
 * guest's call ends well, or when the callback returns GLINT_OK. Callback only. */
GLINT_API void glint_host_call_fail_with(glint_host_call *call, void *token,
                                         glint_destroy destroy) GLINT_NOEXCEPT;

/* Whether the call that the guest is in is to end: GLINT_OK, GLINT_E_INTERRUPTED or GLINT_E_DEADLINE. Then
 * nothing that the callback returns will be seen by the guest: it should return soon. Callback only. */
GLINT_API glint_status glint_host_call_state(const glint_host_call *call) GLINT_NOEXCEPT;

/* Called when a call is to end, on the thread that interrupts it, or on Glint's timer thread. It must not
 * block, throw, or call Glint: it sets a flag, writes to an eventfd, or cancels a token. */
typedef void (*glint_notify)(void *user_data);

/* Has `notify` called once, as soon as the call that the guest is in is to end; at once, on this thread, if
 * that is so already. A NULL `notify` takes it back: when that has returned, the notification is not running
 * and will not come, so that `user_data` may go. Without that it may still come until the guest goes on,
 * after the callback has returned. GLINT_E_BUSY when there is one already. Callback only. */
GLINT_API glint_status glint_host_call_on_interrupt(glint_host_call *call, glint_notify notify,
                                                    void *user_data,
                                                    glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
