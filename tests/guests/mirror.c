/* SPDX-License-Identifier: Apache-2.0 */
/* Behaves by itself as GLINT_BACKEND_FAKE makes any program behave, so that a binding's tests run on both: an
 * export calls the import of its name with "host_" before it and answers what that gave, also its failure. */
#include <glint_guest.h>

/* The host's error becomes the export's. */
#define PASS_ON(result, name, params, call)                          \
  GLINT_IMPORT(result, host_##name, params)                          \
  GLINT_EXPORT(result, name, params) {                               \
    result answer = call;                                            \
    const glint_error *error = glint_host_error();                   \
    if (error != NULL) glint_return_error(error->code, error->text); \
    return answer;                                                   \
  }

PASS_ON(bool, echo_bool, (bool value), host_echo_bool(value))
PASS_ON(int32_t, echo_i32, (int32_t value), host_echo_i32(value))
PASS_ON(uint32_t, echo_u32, (uint32_t value), host_echo_u32(value))
PASS_ON(int64_t, echo_i64, (int64_t value), host_echo_i64(value))
PASS_ON(uint64_t, echo_u64, (uint64_t value), host_echo_u64(value))
PASS_ON(float, echo_f32, (float value), host_echo_f32(value))
PASS_ON(double, echo_f64, (double value), host_echo_f64(value))
PASS_ON(glint_string, echo_string, (glint_string value), host_echo_string(value))
PASS_ON(glint_bytes, echo_bytes, (glint_bytes value), host_echo_bytes(value))
PASS_ON(int64_t, add, (int64_t a, int64_t b), host_add(a, b))
PASS_ON(int64_t, nest, (int64_t depth), host_nest(depth))

GLINT_IMPORT(void, host_tell, (uint32_t number))
GLINT_EXPORT(void, tell, (uint32_t number)) {
  host_tell(number);
  const glint_error *error = glint_host_error();
  if (error != NULL) glint_return_error(error->code, error->text);
}

/* No import: the first argument is the answer. */
GLINT_EXPORT(int64_t, first, (int64_t a, int64_t b)) {
  (void)b;
  return a;
}

GLINT_EXPORT(void, spin, (void)) {
  for (;;) __asm__ volatile("pause");
}
