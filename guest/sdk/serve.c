/* SPDX-License-Identifier: Apache-2.0 */
/* The loop in which a guest waits for calls. */
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>

#include "sdk.h"

/* Places a result where the host reads it; false when there is no room. */
static bool place_result(struct glint_abi_value value) {
  uint64_t payload = sdk.transfer.top;
  if (value.length > GLINT_MAX_PAYLOAD) return false;
  if (!transfer_reserve(payload + value.length)) return false;
  if (is_view(&value)) transfer_place(&value, &payload);
  memcpy((void *)(glint_sdk_base + sdk.transfer.slot), &value, sizeof value);
  sdk.transfer.header->exit_frame = sdk.transfer.slot;
  return true;
}

static uint32_t place_error(void) {
  const char *text = sdk.call_error.error.text;
  /* The text is short, and the slot lies where arguments were allowed to be: there is room. */
  if (!place_result(glint_text_put(glint_string_of(text))))
    sdk_broken("no room for an error in the transfer area");
  sdk.transfer.header->exit_code = sdk.call_error.error.code;
  return GLINT_EXIT_ERROR;
}

/* What a function printed belongs to its call. Flushing nothing would look at four pages of the C library. */
static void flush_output(void) {
  if (__fpending(stdout) != 0) fflush(stdout);
}

/* Runs the call that the header describes; the kind of exit with which it ends. */
static uint32_t run_call(void) {
  volatile struct glint_abi_header *header = sdk.transfer.header;
  uint64_t count = (uint64_t)(__stop_glint_functions - __start_glint_functions);
  if (header->request != GLINT_REQUEST_CALL || header->function >= count)
    sdk_broken("the host sent a malformed request");
  const struct glint_sdk_function *function = &__start_glint_functions[header->function];
  if (function->kind != GLINT_ABI_EXPORT || header->count != function->param_count)
    sdk_broken("the host called what is no export, or with a wrong number of arguments");

  const struct glint_abi_value *values = (const struct glint_abi_value *)(glint_sdk_base + header->frame);
  transfer_begin_call();
  sdk.call_error.set = false;
  sdk.host_error.set = false;
  struct glint_abi_value result = function->thunk(values + function->param_count);
  flush_output();
  if (!sdk.call_error.set && place_result(result)) return GLINT_EXIT_RESULT;
  if (!sdk.call_error.set)
    glint_return_error(GLINT_ERROR_TOO_LARGE,
                       "the result is longer than 64 MiB, or than the host has room for");
  return place_error();
}

int glint_serve(void) {
  __asm__ volatile("" : : "r"(glint_sdk_note)); /* links the note in */
  if (!transfer_connected()) return native_main();
  transfer_begin_call(); /* what the start-up code was given by the host is not needed any more */
  flush_output();
  sdk.transfer.libos->leave(GLINT_EXIT_READY);
  for (;;) sdk.transfer.libos->leave(run_call());
}
