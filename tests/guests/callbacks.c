/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from the guest to the host. */
#include <glint_guest.h>

#include <stdio.h>

GLINT_IMPORT(int64_t, host_add, (int64_t a, int64_t b))
GLINT_IMPORT(bool, host_echo_bool, (bool value))
GLINT_IMPORT(int32_t, host_echo_i32, (int32_t value))
GLINT_IMPORT(uint32_t, host_echo_u32, (uint32_t value))
GLINT_IMPORT(int64_t, host_echo_i64, (int64_t value))
GLINT_IMPORT(uint64_t, host_echo_u64, (uint64_t value))
GLINT_IMPORT(float, host_echo_f32, (float value))
GLINT_IMPORT(double, host_echo_f64, (double value))
GLINT_IMPORT(glint_string, host_echo_string, (glint_string value))
GLINT_IMPORT(glint_bytes, host_echo_bytes, (glint_bytes value))
GLINT_IMPORT(glint_bytes, host_join, (glint_bytes a, glint_bytes b))
GLINT_IMPORT(int64_t, host_fail, (int32_t code))
GLINT_IMPORT(int64_t, host_nested, (int64_t depth)) /* may call this or another sandbox */
GLINT_IMPORT(void, progress, (uint32_t percent))

/* Outside Glint, so that `./callbacks call_add 1 2` shows something. */
GLINT_IMPORT_STUB(int64_t, host_add, (int64_t a, int64_t b)) { return a + b; }
GLINT_IMPORT_STUB(int64_t, host_fail, (int32_t code)) {
  glint_return_error(code, "the stub fails, too");
  return 0;
}

GLINT_EXPORT(int64_t, call_add, (int64_t a, int64_t b)) { return host_add(a, b); }
GLINT_EXPORT(bool, call_echo_bool, (bool value)) { return host_echo_bool(value); }
GLINT_EXPORT(int32_t, call_echo_i32, (int32_t value)) { return host_echo_i32(value); }
GLINT_EXPORT(uint32_t, call_echo_u32, (uint32_t value)) { return host_echo_u32(value); }
GLINT_EXPORT(int64_t, call_echo_i64, (int64_t value)) { return host_echo_i64(value); }
GLINT_EXPORT(uint64_t, call_echo_u64, (uint64_t value)) { return host_echo_u64(value); }
GLINT_EXPORT(float, call_echo_f32, (float value)) { return host_echo_f32(value); }
GLINT_EXPORT(double, call_echo_f64, (double value)) { return host_echo_f64(value); }
GLINT_EXPORT(glint_string, call_echo_string, (glint_string value)) { return host_echo_string(value); }
GLINT_EXPORT(glint_bytes, call_echo_bytes, (glint_bytes value)) { return host_echo_bytes(value); }

/* One host call inside, and nothing else. */
GLINT_EXPORT(void, call_progress, (uint32_t percent)) { progress(percent); }

/* n host calls; the sum of 0 … n-1. */
GLINT_EXPORT(int64_t, call_many, (uint32_t n)) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) sum = host_add(sum, i);
  return sum;
}

/* Passes an answer on to the next call, n times: it must come back unchanged, without filling the transfer
 * area. */
GLINT_EXPORT(glint_bytes, call_chain, (glint_bytes value, uint32_t n)) {
  for (uint32_t i = 0; i < n; ++i) value = host_echo_bytes(value);
  return value;
}

/* Both arguments are in the last answer. */
GLINT_EXPORT(glint_bytes, call_swap_halves, (glint_bytes value)) {
  glint_bytes answer = host_echo_bytes(value);
  size_t half = answer.size / 2;
  return host_join(glint_bytes_of(answer.data + half, answer.size - half), glint_bytes_of(answer.data, half));
}

/* A result buffer, an argument and an answer are used together. */
GLINT_EXPORT(glint_bytes, call_mixed, (glint_bytes value)) {
  uint8_t *buffer = glint_result_buffer(value.size * 2);
  if (buffer == NULL) return value;
  memcpy(buffer, value.data, value.size);
  glint_bytes answer = host_echo_bytes(glint_bytes_of(buffer, value.size));
  memcpy(buffer + value.size, answer.data, answer.size);
  return glint_bytes_of(buffer, value.size + answer.size);
}

/* 1 if the host's failure arrived with this code and a text, and a later success clears it. */
GLINT_EXPORT(bool, handle_failure, (int32_t code)) {
  int64_t result = host_fail(code);
  const glint_error *error = glint_host_error();
  if (result != 0 || error == NULL || error->code != code || error->text[0] == '\0') return false;
  return host_add(2, 3) == 5 && glint_host_error() == NULL;
}

/* The host's error becomes this function's. */
GLINT_EXPORT(int64_t, pass_on_failure, (int32_t code)) {
  int64_t result = host_fail(code);
  const glint_error *error = glint_host_error();
  if (error != NULL) glint_return_error(error->code, error->text);
  return result;
}

GLINT_EXPORT(int64_t, error_out, (int32_t code, glint_string text)) {
  char copy[8192];
  snprintf(copy, sizeof copy, "%.*s", (int)text.size, text.data);
  glint_return_error(code, copy);
  memset(copy, 'x', sizeof copy - 1); /* it was copied */
  return 1;
}

/* The code of the error that the host reports for a nested call, or the result. */
GLINT_EXPORT(int64_t, call_nested, (int64_t depth)) {
  int64_t result = host_nested(depth);
  const glint_error *error = glint_host_error();
  if (error != NULL) glint_return_error(error->code, error->text);
  return result;
}

/* An argument that is too long never reaches the host. */
GLINT_EXPORT(int32_t, send_too_much, (void)) {
  static const uint8_t one[1];
  host_echo_bytes(glint_bytes_of(one, (size_t)GLINT_MAX_PAYLOAD + 1));
  return glint_host_error() != NULL ? glint_host_error()->code : 0;
}
