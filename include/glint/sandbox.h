/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_SANDBOX_H
#define GLINT_SANDBOX_H

#include "glint/host.h"
#include "glint/image.h"
#include "glint/interrupt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One guest: its memory and its processor state. Any thread may use it, one at a time: a second one that
 * enters meanwhile is refused with GLINT_E_BUSY. Sandboxes are independent of each other. */
typedef struct glint_sandbox glint_sandbox;

/* What the guest prints. Called on the thread that runs the sandbox, in order; `stream` is 1 or 2. */
typedef void (*glint_output)(void *user_data, uint32_t stream, const void *data, uint64_t size);

/* What the guest reads from its standard input: writes up to `capacity` bytes to `buffer` and returns how
 * many; 0 at the end. Without one, the guest's standard input is empty. */
typedef uint64_t (*glint_input)(void *user_data, void *buffer, uint64_t capacity);

/* A system call that the libos served, or did not know (then `unknown` is 1 and the result is -38). `name` is
 * Linux' name, or empty. Without GLINT_SANDBOX_TRACE only unknown ones are reported. */
typedef struct glint_syscall {
  uint64_t number;
  uint64_t arguments[6];
  int64_t result;
  uint32_t unknown;
  uint32_t reserved;
  glint_str name;
} glint_syscall;

/* Receives the report of a system call, on the thread that runs the sandbox; `call` is valid until it
 * returns. */
typedef void (*glint_trace)(void *user_data, const glint_syscall *call);

#define GLINT_SANDBOX_TRACE 1u /* report every system call to `trace`, which must then be given */
/* When a host function fails, the call ends at once with GLINT_E_HOST_FUNCTION and the sandbox is poisoned.
 * Without this flag the guest receives the failure as an error value and goes on. */
#define GLINT_SANDBOX_END_ON_HOST_FAILURE 2u
/* Each call begins with the sandbox as its snapshot has it: what it was made from, or what it was when its
 * start-up code had run. So no call sees what another one left, and none fails because an earlier one did. Of
 * its restoring, see glint_sandbox_restore. Since 1.1. */
#define GLINT_SANDBOX_RESTORE_EACH_CALL 4u
/* The sandbox has a VM of its own, made for its first call and closed when it is freed: no other sandbox is
 * ever in it, and this one is never parked. It costs what a VM costs, some hundred microseconds and two file
 * descriptors, and is not counted among those that the engine keeps. Since 1.1. */
#define GLINT_SANDBOX_DEDICATED_VM 8u

/* The callbacks must not throw or jump out: the process is ended if one throws. They cannot ask whether their
 * call is to end, as host functions can; they are to be quick. One that is still running when the call is
 * stopped is waited for.
 *
 * The sandbox owns the callbacks' user data from glint_sandbox_create on: each `destroy`, which may be NULL,
 * is called once with the user data above it, also without a callback: when the sandbox is freed, or before
 * glint_sandbox_create returns if that fails. Only where struct_size is no size of this struct, nothing of it
 * is looked at. */
typedef struct glint_sandbox_options {
  uint32_t struct_size;       /* sizeof(glint_sandbox_options) */
  uint32_t flags;             /* GLINT_SANDBOX_* */
  const glint_str *arguments; /* argv, the program's name first; none: just "guest" */
  uint64_t argument_count;
  const glint_str *environment; /* "NAME=value" each */
  uint64_t environment_count;
  glint_output output; /* NULL: what the guest prints is dropped */
  void *output_user_data;
  glint_destroy output_destroy;
  glint_input input;
  void *input_user_data;
  glint_destroy input_destroy;
  glint_trace trace;
  void *trace_user_data;
  glint_destroy trace_destroy;
  uint32_t max_depth; /* nested calls host → guest → host … on one thread; 0: 16 */
  uint32_t reserved;  /* zero */
  glint_str tenant;   /* whose sandbox this is: a VM serves the sandboxes of one tenant only, all through its
                         life. Empty: the tenant without a name. Copied. */
} glint_sandbox_options;

/* Sets `options` to the defaults. `size` is sizeof(glint_sandbox_options) as the caller knows it. Any
 * thread. */
GLINT_API void glint_sandbox_options_init(glint_sandbox_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Makes a sandbox of `image` and links its imports to `functions` (which may be NULL) by name and signature;
 * GLINT_E_MISSING_IMPORT lists all that are missing. Arguments and environment that would not fit the guest's
 * stack are GLINT_E_TOO_LARGE. Runs nothing yet. `options` may be NULL; its texts are copied. Any thread. */
GLINT_API glint_status glint_sandbox_create(glint_image *image, glint_host_functions *functions,
                                            const glint_sandbox_options *options, glint_sandbox **sandbox,
                                            glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Ends the sandbox, or gives it back to the pool that it is of (glint_pool_acquire); NULL is allowed. Must
 * not be called while another function is at work on it, its own callbacks included: the process is ended
 * then. One at a time. */
GLINT_API void glint_sandbox_free(glint_sandbox *sandbox) GLINT_NOEXCEPT;

#define GLINT_STATE_NEW 0u      /* its start-up code has not run */
#define GLINT_STATE_READY 1u    /* waits for calls */
#define GLINT_STATE_RUNNING 2u  /* in a call */
#define GLINT_STATE_POISONED 3u /* faulted, aborted or interrupted: to be restored, or freed */
#define GLINT_STATE_ENDED 4u    /* the program ended by itself */

/* GLINT_STATE_*, as it is at this moment. NULL: GLINT_STATE_ENDED. Any thread, also during a call. */
GLINT_API uint32_t glint_sandbox_state(const glint_sandbox *sandbox) GLINT_NOEXCEPT;

typedef struct glint_call_options {
  uint32_t struct_size; /* sizeof(glint_call_options) */
  uint32_t reserved;    /* zero */
  uint64_t deadline_ns; /* nanoseconds the call may take from now, host functions included; then it ends with
                           GLINT_E_DEADLINE. GLINT_DEADLINE_DEFAULT: the engine's. GLINT_DEADLINE_NONE, and
                           more than a clock can say (INT64_MAX): none. */
  glint_interrupt *interrupt; /* what can end the call; may be NULL */
} glint_call_options;

/* Sets `options` to the defaults. `size` is sizeof(glint_call_options) as the caller knows it. Any thread. */
GLINT_API void glint_call_options_init(glint_call_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Runs the program from its entry until it ends (GLINT_STATE_ENDED, its exit status in `*exit_code`) or waits
 * for calls (GLINT_STATE_READY; exit_code 0); does nothing when it has done either. `options` and `exit_code`
 * may be NULL. Fails as glint_call does: with GLINT_E_GUEST_FAULT and so on. glint_call does this first when
 * it is due. One at a time. */
GLINT_API glint_status glint_sandbox_run(glint_sandbox *sandbox, const glint_call_options *options,
                                         int32_t *exit_code,
                                         glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Calls guest function `function` (from glint_image_find_export). Count and types of `arguments` are checked
 * before the guest runs; strings and bytes are copied once, into the guest. `result` may be NULL. A string or
 * bytes result is a view of guest memory that cannot change: it is valid until the next operation on this
 * sandbox, or until glint_result_release; until then the sandbox keeps its VM. `options` may be NULL.
 * GLINT_E_GUEST_ERROR is an ordinary error, after which the sandbox is ready again, and GLINT_E_ENDED says
 * that the program ended. After every other failure that came when the guest had begun to run, the sandbox is
 * poisoned: the other GLINT_E_GUEST_* codes, GLINT_E_INTERRUPTED, GLINT_E_DEADLINE, GLINT_E_HOST_FUNCTION
 * (see the flags), GLINT_E_HYPERVISOR, and those of serving the guest, such as GLINT_E_NO_MEMORY and
 * GLINT_E_SYSTEM. A failure before that leaves it as it was, also GLINT_E_INTERRUPTED and GLINT_E_DEADLINE;
 * glint_sandbox_state tells which it was. GLINT_E_BUSY during another call of the sandbox, GLINT_E_DEPTH when
 * calls are nested too deeply, GLINT_E_POISONED and GLINT_E_ENDED when no call is possible any more. One at a
 * time. */
GLINT_API glint_status glint_call(glint_sandbox *sandbox, uint32_t function, const glint_value *arguments,
                                  uint32_t argument_count, const glint_call_options *options,
                                  glint_value *result, glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Ends the life of the last result's view, so that the VM may be lent to another sandbox. Harmless when there
 * is none. One at a time. */
GLINT_API void glint_result_release(glint_sandbox *sandbox) GLINT_NOEXCEPT;

/* Counts since the sandbox was made. */
typedef struct glint_sandbox_counters {
  uint32_t struct_size; /* in: sizeof(glint_sandbox_counters) */
  uint32_t reserved;
  uint64_t calls;            /* guest calls begun */
  uint64_t host_calls;       /* host functions called by the guest */
  uint64_t exits;            /* returns of the vCPU to the host process */
  uint64_t ioctls;           /* hypervisor calls, those that ran the vCPU included */
  uint64_t attaches;         /* times it was put into a VM */
  uint64_t unknown_syscalls; /* system calls that the libos does not serve */
  uint64_t output_bytes;     /* printed */
  uint64_t restores;         /* times it was put back to a snapshot; since 1.1 */
  uint64_t restored_pages;   /* pages that were copied for that; since 1.1 */
} glint_sandbox_counters;

/* Fills `counters`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of
 * it. One at a time; during a call only from its callbacks, and then what the call has added so far may be
 * missing. */
GLINT_API glint_status glint_sandbox_get_counters(const glint_sandbox *sandbox,
                                                  glint_sandbox_counters *counters,
                                                  glint_error **error) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
