/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_POOL_H
#define GLINT_POOL_H

#include "glint/snapshot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sandboxes of one snapshot, handed out one after the other: each as the snapshot has it, whatever became of
 * it in the hands of the one before. Since 1.1.
 *
 * A pool is used by any number of threads. It lives until it is freed and the last of its sandboxes, too; in
 * a child of fork an inherited pool can only be freed. */
typedef struct glint_pool glint_pool;

#define GLINT_POOL_MAX_SIZE 1000000u

#define GLINT_POOL_LAZY 1u /* no sandbox is put into a VM before somebody asks for one */
/* The pool has no thread: glint_sandbox_free restores what it takes back before it returns. */
#define GLINT_POOL_NO_THREAD 2u
#define GLINT_POOL_DEDICATED_VMS 4u /* as GLINT_SANDBOX_DEDICATED_VM, for each of its sandboxes */

typedef struct glint_pool_options {
  uint32_t struct_size; /* sizeof(glint_pool_options) */
  uint32_t flags;       /* GLINT_POOL_* */
  uint32_t size; /* sandboxes that there are at most, those in use included, up to GLINT_POOL_MAX_SIZE; 0:
                    two per processor */
  uint32_t warm; /* of them, those that are made beforehand; they are in VMs, as far as the engine keeps any.
                    0: as many as that. More are made when they are needed. */
  uint64_t idle_memory; /* bytes of their own that sandboxes at rest may keep together: above it, those that
                           were used longest ago are dropped. 0: no limit. What all sandboxes of the snapshot
                           share is not counted, nor is what is in use. */
  glint_str tenant;     /* of all its sandboxes; see glint_sandbox_options. Copied. */
} glint_pool_options;

/* Sets `options` to the defaults. `size` is sizeof(glint_pool_options) as the caller knows it. Any thread. */
GLINT_API void glint_pool_options_init(glint_pool_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Makes a pool, which holds a reference to the snapshot and to `functions` (which may be NULL). The first
 * sandbox is made at once, so that this fails for whatever glint_sandbox_create_from fails for, such as
 * GLINT_E_MISSING_IMPORT, and, with `warm`, where no VM can be made; GLINT_E_INVALID_ARGUMENT for options
 * that cannot be. `options` may be NULL. Any thread. */
GLINT_API glint_status glint_pool_create(glint_snapshot *snapshot, glint_host_functions *functions,
                                         const glint_pool_options *options, glint_pool **pool,
                                         glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

#define GLINT_WAIT_NONE \
  0ull /* for none that is in use; one that is being restored is waited for: microseconds */
#define GLINT_WAIT_FOREVER UINT64_MAX

typedef struct glint_acquire_options {
  uint32_t struct_size;       /* sizeof(glint_acquire_options) */
  uint32_t reserved;          /* zero */
  uint64_t wait_ns;           /* nanoseconds to wait at most when all sandboxes are in use; GLINT_WAIT_* */
  glint_interrupt *interrupt; /* what can end the waiting; may be NULL */
  /* What the sandbox does in the caller's hands, until it is given back; NULL: the defaults. As for
   * glint_sandbox_create_from: neither arguments nor environment. Tenant and kind of VM are the pool's, and
   * not said here. The callbacks' user data is destroyed once, as it says there. */
  const glint_sandbox_options *sandbox;
} glint_acquire_options;

/* Sets `options` to the defaults: not to wait. `size` is sizeof(glint_acquire_options) as the caller knows
 * it. Any thread. */
GLINT_API void glint_acquire_options_init(glint_acquire_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Gives the caller a sandbox: a handle like any other, which glint_sandbox_free gives back to the pool. A
 * sandbox that is at rest is handed out at once, in a time that does not depend on how many there are; else
 * one is made, while there are fewer than `size`; else one is waited for. Those who wait are served in the
 * order in which they came. `options` may be NULL. The sandbox' counters go on from its earlier uses.
 *
 * GLINT_E_POOL_EMPTY when none came free in time, GLINT_E_INTERRUPTED, GLINT_E_ENDED when the pool was
 * closed, GLINT_E_UNSUPPORTED in a child of fork; and as glint_sandbox_create_from. Any thread. */
GLINT_API glint_status glint_pool_acquire(glint_pool *pool, const glint_acquire_options *options,
                                          glint_sandbox **sandbox,
                                          glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Drops sandboxes at rest, those that were used longest ago first, until what they have of their own is no
 * more than `idle_memory` bytes. NULL is allowed. Any thread. */
GLINT_API void glint_pool_trim(glint_pool *pool, uint64_t idle_memory) GLINT_NOEXCEPT;

/* Ends the pool's work: whoever waits, or asks, gets GLINT_E_ENDED; sandboxes at rest are dropped at once,
 * and those in use, which can be used on, when they are freed. Returns when the pool's thread has ended.
 * NULL, and a pool that is closed, are allowed. Any thread, but not from a callback's `destroy`. */
GLINT_API void glint_pool_close(glint_pool *pool) GLINT_NOEXCEPT;

/* Closes the pool and gives up the handle; NULL is allowed. Any thread, while no other function is at work on
 * the handle: to end the waiting of others first, there is glint_pool_close. */
GLINT_API void glint_pool_free(glint_pool *pool) GLINT_NOEXCEPT;

typedef struct glint_pool_counters {
  uint32_t struct_size; /* in: sizeof(glint_pool_counters) */
  uint32_t size;        /* as it was made */
  /* At this moment: */
  uint64_t live;        /* sandboxes that there are */
  uint64_t in_use;      /* acquired, and not given back */
  uint64_t ready;       /* at rest, as the snapshot has them */
  uint64_t returned;    /* given back, and not restored yet */
  uint64_t waiting;     /* threads that wait for one */
  uint64_t idle_memory; /* bytes that the ready ones have of their own */
  /* Since the pool was made: */
  uint64_t acquired;      /* sandboxes handed out */
  uint64_t waited;        /* those who had to wait */
  uint64_t restored;      /* restorings by the pool's thread, or by who gave the sandbox back */
  uint64_t restored_late; /* restorings by who acquired the sandbox: the pool's thread was behind */
  uint64_t made;          /* sandboxes made */
  uint64_t replaced;      /* sandboxes dropped because they could not be restored */
  uint64_t dropped;       /* sandboxes dropped for their memory */
} glint_pool_counters;

/* Fills `counters`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of
 * it. Any thread. */
GLINT_API glint_status glint_pool_get_counters(const glint_pool *pool, glint_pool_counters *counters,
                                               glint_error **error) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
