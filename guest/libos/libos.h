/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_LIBOS_H
#define GLINT_LIBOS_H

/* What the files of the libos share. It is a library in ring 3, in the same trust domain as the program: a
 * bad pointer from the program faults here as it would have there, and harms nobody else. */

#include <asm/errno.h>
#include <stddef.h>
#include <stdint.h>

#include "glint_guest/abi.h"
#include "memory.h"

/* All of it is linked into one file: no symbol is reached through a GOT, which nobody would fill. */
#pragma GCC visibility push(hidden)

#define PAGE_SIZE 4096ull
#define COLD __attribute__((cold)) /* not part of an ordinary start: placed on pages of its own */

/* One system call, as entry.S pushes it. */
struct syscall {
  uint64_t args[6];
  uint64_t number;
  uint64_t flags; /* RFLAGS of the program          */
  uint64_t return_address;
};
typedef int64_t syscall_handler(const struct syscall *call);

/* ---- state ------------------------------------------------------------------- */
#define HEADER ((volatile struct glint_abi_header *)GLINT_GVA_TRANSFER)
#define TRANSFER ((uint8_t *)GLINT_GVA_TRANSFER)

/* What is used by every start and by most calls stands together, in one page. */
struct libos_state {
  struct memory memory;
  struct glint_abi_boot boot; /* a copy: the transfer area is overwritten by the first call */
  uint32_t time_epoch;
  uint64_t time_tsc;        /* the TSC at which the two clocks below were right */
  uint64_t time_realtime;   /* ns */
  uint64_t time_monotonic;  /* ns */
  uint64_t time_multiplier; /* ns = ticks * multiplier >> TIME_SHIFT */
  uint8_t random_key[32];
  const char *program_name; /* argv[0] on the initial stack, or "" */
  uint64_t signal_mask;
};
extern struct libos_state libos;
extern struct glint_abi_libos libos_table;

/* ---- exit.c: the way out, and text -------------------------------------------- */
void leave(uint32_t kind);
int grow(uint64_t size);
void text_append(uint32_t kind, const void *data, uint64_t size);
/* Says why on stderr, then ends the program as abort() would. */
_Noreturn void give_up(const char *why, uint64_t address);
/* Ends the program by a signal. `address` is the instruction that asked for it. */
_Noreturn void end_by_signal(int32_t signal, uint64_t address);

/* ---- syscalls.c ------------------------------------------------------------------ */
int64_t syscall_dispatch(const struct syscall *call);
void syscall_trace(const struct syscall *call, int64_t result); /* if tracing is on */

/* ---- time.c ------------------------------------------------------------------------ */
void time_pair(void); /* pairs the host's clocks with the TSC if they are new */
uint64_t time_monotonic_now(void);
uint64_t time_realtime_now(void);
void time_sleep(uint64_t nanoseconds);
struct time_spec {
  int64_t seconds, nanoseconds;
};
/* A Linux timespec in ns, saturating; -1 when it is malformed. */
int64_t time_from_spec(const struct time_spec *spec);

/* ---- random.c ------------------------------------------------------------------------ */
void random_bytes(uint8_t *out, uint64_t size);
void random_stir(void); /* takes in the host's seed, if there is one */

/* ---- files.c ---------------------------------------------------------------------- */
enum file_kind { FILE_CLOSED, FILE_STDIN, FILE_STDOUT, FILE_STDERR, FILE_REGULAR, FILE_NULL, FILE_RANDOM };
struct open_file {
  uint8_t kind;       /* enum file_kind */
  uint8_t references; /* descriptors that share it */
  uint32_t index;     /* of the file, for FILE_REGULAR */
  uint64_t offset;
};
struct open_file *file_of(uint64_t descriptor); /* NULL when it is not open */
const struct glint_abi_file *file_at(uint32_t index);
/* Looks up a path of the program; relative ones start at "/". A negative errno, or what it is: */
enum path_kind { PATH_FILE, PATH_DIRECTORY, PATH_NULL, PATH_RANDOM };
int64_t path_lookup(const char *path, uint32_t *index);

#define AT_FDCWD_VALUE (-100)
#define AT_EMPTY_PATH_FLAG 0x1000

/* ---- string.c ------------------------------------------------------------------------- */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

/* ---- the handlers of syscalls.c's table --------------------------------------------- */
#define HANDLER(name) syscall_handler sys_##name;
#include "handlers.inc"
#undef HANDLER

#pragma GCC visibility pop
#endif
