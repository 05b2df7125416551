/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_INTERRUPT_H
#define GLINT_INTERRUPT_H

#include "glint/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ends calls from outside. It is given to calls (glint_call_options.interrupt), to one or to many, of one
 * sandbox or of several, and reaches exactly those: raised before a call begins, it ends that call before the
 * guest runs; during the call, it stops the guest, or tells the host function that the guest waits for; after
 * the call, it does nothing. Once raised it stays raised, and ends every call that it is given to: make a new
 * one for the next.
 *
 * A call holds a reference from its beginning to its end, so that an interrupt outlives sandboxes, and its
 * handle may be freed in a callback of the very call. But no thread may free a handle while another one may
 * be about to begin a call with it, or to raise it: give each thread a handle of its own, by
 * glint_interrupt_clone.
 *
 * In a child of fork, an inherited interrupt can be asked, cloned and freed; raising it reaches no call, and
 * calls that are given it are refused with GLINT_E_UNSUPPORTED.
 *
 * All functions here: any thread. */
typedef struct glint_interrupt glint_interrupt;

/* Makes an interrupt. Fails only with GLINT_E_NO_MEMORY. */
GLINT_API glint_status glint_interrupt_create(glint_interrupt **interrupt,
                                              glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* A second handle to the same interrupt, to be freed like the first. Fails only with GLINT_E_NO_MEMORY. */
GLINT_API glint_status glint_interrupt_clone(const glint_interrupt *interrupt, glint_interrupt **clone,
                                             glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Gives up the caller's reference; NULL is allowed. Raises nothing. */
GLINT_API void glint_interrupt_free(glint_interrupt *interrupt) GLINT_NOEXCEPT;

/* Ends the calls that have this interrupt, now and from now on, with GLINT_E_INTERRUPTED. Returns without
 * waiting for them. A call that is just ending by itself may still end well. Returns how many calls were
 * told: those that ran and had not been told before. NULL is allowed: 0. Not to be called from a signal
 * handler. */
GLINT_API uint32_t glint_interrupt_raise(glint_interrupt *interrupt) GLINT_NOEXCEPT;

/* 1 when it was raised. */
GLINT_API uint8_t glint_interrupt_raised(const glint_interrupt *interrupt) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
