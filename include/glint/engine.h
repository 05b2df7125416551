/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_ENGINE_H
#define GLINT_ENGINE_H

#include "glint/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An engine owns the connection to the hypervisor. Images, and through them sandboxes, hold a reference to
 * their engine: it may be freed first. Any number of engines may live in one process.
 *
 * All functions here, those of glint_doctor included: any thread. */
typedef struct glint_engine glint_engine;

#define GLINT_BACKEND_DEFAULT 0u /* KVM */
#define GLINT_BACKEND_KVM 1u
#define GLINT_BACKEND_NONE 2u /* no hypervisor: images can be loaded and inspected, not run */
/* A stand-in for tests and benchmarks without KVM: no code of the guest runs. Every export answers with its
 * first argument when that has the type of its result, else with zero or nothing; but if the program imports
 * a function of the same name with the prefix "host_" and the same signature, it calls that with its own
 * arguments and answers what it gave, also its failure. An export named "spin" never returns. */
#define GLINT_BACKEND_FAKE 3u

#define GLINT_DEADLINE_DEFAULT 0ull               /* what stands one level above: sandbox call → engine */
#define GLINT_DEADLINE_NONE 0xffffffffffffffffull /* no deadline at all */
#define GLINT_ENGINE_DEADLINE 5000000000ull       /* an engine's, unless it is told otherwise: 5 s */

typedef struct glint_engine_options {
  uint32_t struct_size; /* sizeof(glint_engine_options) */
  uint32_t backend;     /* GLINT_BACKEND_* */
  uint32_t max_shells;  /* VMs kept per image while no call needs more; 0: two per processor. As many as calls
                           run at once are always made. */
  uint32_t kick_signal; /* the signal that makes a thread leave the guest when its call is to end: a real-time
                           signal of default disposition, above SIGRTMIN, which .NET uses. 0: the highest one
                           that is free. It is the process's: once an engine has installed it, engines that
                           want another are refused with GLINT_E_BUSY. Of GLINT_BACKEND_KVM only. */
  uint64_t deadline_ns; /* nanoseconds that a call may take when it is not told otherwise, from its begin to
                           its end, host functions included. GLINT_DEADLINE_DEFAULT: GLINT_ENGINE_DEADLINE.
                           GLINT_DEADLINE_NONE: for ever. */
  uint32_t max_vms;  /* Since 1.1. VMs kept over all images of the engine while no call needs more, dedicated
                        ones not counted: those used longest ago go first, and their sandboxes stay. Each
                        has about 0.6 MiB of the kernel's memory, and makes unrelated unmappings of the
                        process slower, by some 0.2 us; one that is missed is made anew, in a millisecond.
                        0: max_shells, and 32 at least. UINT32_MAX: as many as images have. */
  uint32_t reserved; /* 0 */
} glint_engine_options;

/* Sets `options` to the defaults. `size` is sizeof(glint_engine_options) as the caller knows it. */
GLINT_API void glint_engine_options_init(glint_engine_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Opens the hypervisor and finds out how it behaves (once per process: about a millisecond). `options` may be
 * NULL. GLINT_E_NO_HYPERVISOR and GLINT_E_UNSUPPORTED come with a message that says what to do. */
GLINT_API glint_status glint_engine_create(const glint_engine_options *options, glint_engine **engine,
                                           glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Gives up the caller's reference; NULL is allowed. */
GLINT_API void glint_engine_free(glint_engine *engine) GLINT_NOEXCEPT;

/* "kvm", "fake" or "none". Lives for ever. */
GLINT_API glint_str glint_engine_backend(const glint_engine *engine) GLINT_NOEXCEPT;

/* Counts since the engine was made. */
typedef struct glint_engine_counters {
  uint32_t struct_size; /* in: sizeof(glint_engine_counters) */
  uint32_t reserved;
  uint64_t vms_created; /* shells made */
  uint64_t vms_live;    /* shells that exist now */
  uint64_t sandboxes_created;
  uint64_t sandboxes_live;
  uint64_t attaches; /* a sandbox was put into a shell */
  uint64_t parks;    /* a sandbox was taken out of a shell to make room */
} glint_engine_counters;

/* Fills `counters`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of
 * it. Each number is exact; taken together they may be of slightly different moments while other threads
 * work. */
GLINT_API glint_status glint_engine_get_counters(const glint_engine *engine, glint_engine_counters *counters,
                                                 glint_error **error) GLINT_NOEXCEPT;

/* ---- what this machine can do ---- */

/* A report on this machine. */
typedef struct glint_doctor glint_doctor;

#define GLINT_DOCTOR_OK 0u
#define GLINT_DOCTOR_NOTE 1u    /* a fact worth knowing */
#define GLINT_DOCTOR_PROBLEM 2u /* sandboxes cannot run until it is mended */

typedef struct glint_doctor_item {
  uint32_t struct_size; /* in: sizeof(glint_doctor_item) */
  uint32_t severity;    /* GLINT_DOCTOR_* */
  glint_str name;       /* short and stable: "kernel", "kvm_device", "open_files", … */
  glint_str detail;     /* what was found */
  glint_str advice;     /* what to do; may be empty */
} glint_doctor_item;

/* Examines the machine: is KVM there, how does it behave, which limits are near. Succeeds also when nothing
 * works: fails only with GLINT_E_NO_MEMORY. The report does not change; the caller frees it. */
GLINT_API glint_status glint_doctor_create(glint_doctor **doctor,
                                           glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Frees a report; NULL is allowed. */
GLINT_API void glint_doctor_free(glint_doctor *doctor) GLINT_NOEXCEPT;

/* 1 when sandboxes can run here. */
GLINT_API uint8_t glint_doctor_usable(const glint_doctor *doctor) GLINT_NOEXCEPT;

/* How many items the report has. */
GLINT_API uint32_t glint_doctor_count(const glint_doctor *doctor) GLINT_NOEXCEPT;

/* Fills `item`, whose struct_size the caller has set; its texts live as long as `doctor`. GLINT_E_NOT_FOUND
 * when there is no item of that number, GLINT_E_INVALID_ARGUMENT when struct_size is no size of it. */
GLINT_API glint_status glint_doctor_get(const glint_doctor *doctor, uint32_t index, glint_doctor_item *item,
                                        glint_error **error) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
