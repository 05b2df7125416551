/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_SDK_H
#define GLINT_SDK_H

/* What the files of the SDK share. */
#include "glint_guest/glint_guest.h"

#pragma GCC visibility push(hidden)

/* The table of functions. The linker makes these symbols. */
extern const struct glint_sdk_function __start_glint_functions[], __stop_glint_functions[];
extern const struct glint_sdk_function __start_glint_stubs[] __attribute__((weak));
extern const struct glint_sdk_function __stop_glint_stubs[] __attribute__((weak));
extern const char glint_sdk_note[]; /* referred to, so that every program that serves has it */

#define GLINT_TEXT_MOST 4096 /* an error's text, with its NUL */

struct sdk_error {
  glint_error error; /* its text lies in a buffer of GLINT_TEXT_MOST bytes */
  bool set;
};
_Noreturn void sdk_broken(const char *what); /* host and guest disagree: says so and aborts */
void sdk_set_error(struct sdk_error *error, int32_t code, const char *text, size_t size);

/* The transfer area; libos is NULL outside Glint. */
struct sdk_transfer {
  bool asked; /* whether there is one */
  struct glint_abi_libos *libos;
  volatile struct glint_abi_header *header;
  uint64_t slot;    /* offset of the result's value; what the guest sends lies from here on           */
  uint64_t top;     /* end of the slot and of result buffers: in use until the call ends              */
  uint64_t scratch; /* end of the last host call's answer, at least top: in use until the next one    */
};

/* What each call looks at. */
struct sdk_state {
  struct sdk_transfer transfer;
  struct sdk_error call_error; /* of the call under way, by glint_return_error() */
  struct sdk_error host_error; /* of the last import */
};
extern struct sdk_state sdk;

/* False outside Glint. Looks once; also start-up code that runs before glint_serve() may call imports. */
bool transfer_connected(void);
void transfer_begin_call(void);
/* Makes the transfer area usable up to offset `end`. */
bool transfer_reserve(uint64_t end);
void transfer_set_scratch(uint64_t end);
static inline bool is_view(const struct glint_abi_value *value) {
  return value->type == GLINT_ABI_STRING || value->type == GLINT_ABI_BYTES;
}
static inline uint64_t transfer_align(uint64_t offset) {
  return (offset + GLINT_TRANSFER_ALIGN - 1) & ~(uint64_t)(GLINT_TRANSFER_ALIGN - 1);
}
/* Does the view lie in [begin, end) of the transfer area? */
bool transfer_holds(const struct glint_abi_value *view, uint64_t begin, uint64_t end);
/* Turns the address in a view into an offset, copying its bytes to *offset, which moves on, unless they
 * already lie in the part of the area from which the guest may send. */
void transfer_place(struct glint_abi_value *view, uint64_t *offset);

/* native.c: outside Glint. */
int native_main(void);
struct glint_abi_value native_call(const struct glint_sdk_function *function,
                                   const struct glint_abi_value *arguments);

#pragma GCC visibility pop
#endif
