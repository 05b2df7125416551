/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that breaks the protocol. Each export sends something malformed by hand, where the SDK would send
 * what is right; the host must say so and poison the sandbox, and nothing else may happen. */
#include <glint_guest.h>

#include <stdio.h>
#include <string.h>

GLINT_IMPORT(int64_t, host_add, (int64_t a, int64_t b))
GLINT_IMPORT(bool, host_not, (bool value))
GLINT_IMPORT(glint_string, host_echo_string, (glint_string value))
GLINT_IMPORT(glint_bytes, host_echo_bytes, (glint_bytes value))

extern const struct glint_sdk_function __start_glint_functions[] __attribute__((visibility("hidden")));
extern const struct glint_sdk_function __stop_glint_functions[] __attribute__((visibility("hidden")));
#define INDEX(name) ((uint32_t)(&glint_function_##name - __start_glint_functions))

#define HEADER ((volatile struct glint_abi_header *)GLINT_GVA_TRANSFER)
#define AT(offset) ((void *)(GLINT_GVA_TRANSFER + (offset)))

static uint64_t free_offset(void) { return (HEADER->call_end + 255) & ~255ull; }

static void leave(uint32_t kind) {
  HEADER->exit_kind = kind;
  __asm__ volatile("outl %%eax, $0x80" : : "a"(0) : "memory");
}

static struct glint_abi_value *values(void) { return AT(free_offset()); }

/* A call of host_add that is right; the caller then spoils one field. */
static void prepare_host_call(uint32_t function, uint32_t count) {
  struct glint_abi_value *value = values();
  memset(value, 0, 256);
  HEADER->exit_function = function;
  HEADER->exit_count = count;
  HEADER->exit_frame = free_offset();
  HEADER->exit_reply = free_offset() + 4096;
}
static void prepare_add(void) {
  prepare_host_call(INDEX(host_add), 2);
  values()[0] = glint_i64_put(1);
  values()[1] = glint_i64_put(2);
}
static void prepare_result(struct glint_abi_value value) {
  *values() = value;
  HEADER->exit_frame = free_offset();
}
static struct glint_abi_value view(uint32_t type, uint64_t offset, uint32_t length) {
  struct glint_abi_value value = {type, length, offset};
  return value;
}

/* Shows that what is right is taken; the result of host_add(1, 2). */
GLINT_EXPORT(int64_t, honest, (void)) {
  prepare_add();
  leave(GLINT_EXIT_HOST_CALL);
  return (int64_t)((struct glint_abi_value *)AT(HEADER->exit_reply))->bits;
}

/* ---- exit kinds ---- */
GLINT_EXPORT(int64_t, exit_kind, (uint32_t kind)) {
  leave(kind);
  return 0;
}
GLINT_EXPORT(int64_t, exit_without_kind, (void)) {
  __asm__ volatile("outl %%eax, $0x80" : : "a"(0) : "memory");
  return 0;
}
GLINT_EXPORT(int64_t, ready_again, (void)) {
  leave(GLINT_EXIT_READY);
  return 0;
}
GLINT_EXPORT(void, text_for_ever, (void)) {
  for (;;) leave(GLINT_EXIT_TEXT);
}
GLINT_EXPORT(int64_t, grow_to, (uint64_t size)) {
  HEADER->exit_frame = size;
  leave(GLINT_EXIT_GROW);
  return (int64_t)HEADER->size;
}
GLINT_EXPORT(void, grow_for_ever, (void)) {
  for (;;) {
    HEADER->exit_frame = GLINT_TRANSFER_MAX;
    leave(GLINT_EXIT_GROW);
  }
}
/* input: where the answer shall go, and how much of it */
GLINT_EXPORT(int64_t, input_at, (uint64_t offset, uint32_t size)) {
  HEADER->exit_reply = offset;
  HEADER->exit_count = size;
  leave(GLINT_EXIT_INPUT);
  return HEADER->host_code;
}
GLINT_EXPORT(int64_t, signal_number, (int32_t number, uint64_t address)) {
  HEADER->exit_code = number;
  HEADER->exit_address = address;
  leave(GLINT_EXIT_SIGNAL);
  return 0;
}
GLINT_EXPORT(int64_t, exit_status, (int32_t status)) {
  HEADER->exit_code = status;
  leave(GLINT_EXIT_PROGRAM);
  return 0;
}

/* ---- host calls ---- */
GLINT_EXPORT(int64_t, call_function, (uint32_t index)) {
  prepare_add();
  HEADER->exit_function = index;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_an_export, (void)) {
  uint32_t index = 0;
  while (__start_glint_functions[index].kind != GLINT_ABI_EXPORT) ++index;
  prepare_host_call(index, 0);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_padding, (void)) {
  uint32_t index = 0, end = (uint32_t)(__stop_glint_functions - __start_glint_functions);
  while (index < end && __start_glint_functions[index].kind != GLINT_ABI_PADDING) ++index;
  prepare_host_call(index, 0);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_count, (uint32_t count)) {
  prepare_add();
  HEADER->exit_count = count;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_frame, (uint64_t offset)) {
  prepare_add();
  HEADER->exit_frame = offset;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_frame_at_end, (void)) {
  prepare_add();
  HEADER->exit_frame = HEADER->size - 16;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_reply, (uint64_t offset)) {
  prepare_add();
  HEADER->exit_reply = offset;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_reply_at_end, (void)) {
  prepare_add();
  HEADER->exit_reply = HEADER->size;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_type, (uint32_t type)) {
  prepare_add();
  values()[1].type = type;
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_bool, (uint64_t bits)) {
  prepare_host_call(INDEX(host_not), 1);
  values()[0] = view(GLINT_ABI_BOOL, bits, 0);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_bytes, (uint64_t offset, uint32_t length)) {
  prepare_host_call(INDEX(host_echo_bytes), 1);
  values()[0] = view(GLINT_ABI_BYTES, offset, length);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
GLINT_EXPORT(int64_t, call_bytes_past_end, (void)) {
  prepare_host_call(INDEX(host_echo_bytes), 1);
  values()[0] = view(GLINT_ABI_BYTES, HEADER->size - 8, 9);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
/* The bytes of `text` as a string argument, UTF-8 or not. */
GLINT_EXPORT(int64_t, call_string, (glint_bytes text)) {
  prepare_host_call(INDEX(host_echo_string), 1);
  memcpy(AT(free_offset() + 256), text.data, text.size);
  HEADER->exit_reply = (free_offset() + 256 + text.size + 4096) & ~4095ull;
  values()[0] = view(GLINT_ABI_STRING, free_offset() + 256, (uint32_t)text.size);
  leave(GLINT_EXIT_HOST_CALL);
  return 0;
}
/* The answer is to go over the arguments. */
GLINT_EXPORT(int64_t, call_reply_over_arguments, (void)) {
  prepare_add();
  HEADER->exit_reply = HEADER->exit_frame;
  leave(GLINT_EXIT_HOST_CALL);
  return (int64_t)values()->bits;
}

/* ---- results; all of these are declared to return an i64 ---- */
GLINT_EXPORT(int64_t, result_frame, (uint64_t offset)) {
  prepare_result(glint_i64_put(1));
  HEADER->exit_frame = offset;
  leave(GLINT_EXIT_RESULT);
  return 0;
}
GLINT_EXPORT(int64_t, result_type, (uint32_t type)) {
  prepare_result(view(type, free_offset(), 0));
  leave(GLINT_EXIT_RESULT);
  return 0;
}
GLINT_EXPORT(bool, result_bool, (uint64_t bits)) {
  prepare_result(view(GLINT_ABI_BOOL, bits, 0));
  leave(GLINT_EXIT_RESULT);
  return 0;
}
GLINT_EXPORT(int32_t, result_i32, (uint64_t bits)) {
  prepare_result(view(GLINT_ABI_I32, bits, 0));
  leave(GLINT_EXIT_RESULT);
  return 0;
}
GLINT_EXPORT(glint_bytes, result_bytes, (uint64_t offset, uint32_t length)) {
  prepare_result(view(GLINT_ABI_BYTES, offset, length));
  leave(GLINT_EXIT_RESULT);
  return glint_bytes_of(NULL, 0);
}
GLINT_EXPORT(glint_string, result_string, (glint_bytes text)) {
  memcpy(AT(free_offset() + 256), text.data, text.size);
  prepare_result(view(GLINT_ABI_STRING, free_offset() + 256, (uint32_t)text.size));
  leave(GLINT_EXIT_RESULT);
  return glint_string_of("");
}
/* Returned as the text of an error. */
GLINT_EXPORT(int64_t, error_text, (glint_bytes text)) {
  memcpy(AT(free_offset() + 256), text.data, text.size);
  prepare_result(view(GLINT_ABI_STRING, free_offset() + 256, (uint32_t)text.size));
  HEADER->exit_code = 9;
  leave(GLINT_EXIT_ERROR);
  return 0;
}
GLINT_EXPORT(int64_t, error_frame, (uint64_t offset)) {
  HEADER->exit_frame = offset;
  leave(GLINT_EXIT_ERROR);
  return 0;
}
/* The view lies in the header, whose fields the host goes on to write. */
GLINT_EXPORT(glint_bytes, result_in_header, (void)) {
  prepare_result(view(GLINT_ABI_BYTES, 0, 4096));
  leave(GLINT_EXIT_RESULT);
  return glint_bytes_of(NULL, 0);
}

/* ---- text records ---- */
static struct glint_abi_text_record *first_record(void) { return AT(GLINT_TRANSFER_TEXT); }
GLINT_EXPORT(int64_t, text_size, (uint32_t size)) {
  memset(AT(GLINT_TRANSFER_TEXT), 0xff, GLINT_TRANSFER_TEXT_SIZE);
  HEADER->text_size = size;
  return 7;
}
GLINT_EXPORT(int64_t, text_record, (uint32_t kind, uint32_t length, uint32_t size)) {
  memset(AT(GLINT_TRANSFER_TEXT), 'T', GLINT_TRANSFER_TEXT_SIZE);
  first_record()->kind = kind;
  first_record()->length = length;
  HEADER->text_size = size;
  return 7;
}

/* ---- the header as a whole ---- */
/* Overwrites all that the host wrote itself, then returns as if nothing were. */
GLINT_EXPORT(int64_t, scribble_on_host_fields, (uint32_t value)) {
  uint64_t frame = free_offset();
  prepare_result(glint_i64_put(5));
  memset(AT(0), (int)value, offsetof(struct glint_abi_header, exit_kind));
  HEADER->exit_frame = frame;
  leave(GLINT_EXIT_RESULT);
  return 0;
}
GLINT_EXPORT(int64_t, scribble_on_everything, (uint32_t value)) {
  memset(AT(0), (int)value, GLINT_TRANSFER_INITIAL);
  __asm__ volatile("outl %%eax, $0x80" : : "a"(0) : "memory");
  return 0;
}
