/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations that must not compile; -DCASE=n picks one. compile_test.sh expects the SDK's own message. */
#include <glint_guest/glint_guest.h>

#if CASE == 0
GLINT_EXPORT(int64_t, good, (int64_t a)) { return a; }
#elif CASE == 1
GLINT_EXPORT(int, result_int, (int64_t a)) { return (int)a; }
#elif CASE == 2
GLINT_EXPORT(int64_t, param_long, (long a)) { return a; }
#elif CASE == 3
GLINT_EXPORT(int64_t, param_const, (const glint_string a)) { return (int64_t)a.size; }
#elif CASE == 4
GLINT_EXPORT(int64_t, param_pointer, (int64_t *a)) { return *a; }
#elif CASE == 5
GLINT_EXPORT(int64_t, param_text, (const char *a)) { return *a; }
#elif CASE == 6
GLINT_EXPORT(int64_t, param_void_pointer, (void *a)) { return a != NULL; }
#elif CASE == 7
GLINT_IMPORT(char, import_char, (int64_t a))
#elif CASE == 8
GLINT_IMPORT(void, import_unsigned, (unsigned a))
#elif CASE == 9
GLINT_IMPORT(void, import_size, (size_t a))
#elif CASE == 10
GLINT_EXPORT(void, second_is_int, (int64_t a, int b)) { (void)a, (void)b; }
#elif CASE == 11
GLINT_EXPORT(void, a234567890123456789012345678901234567890123456789012345678901234, (void)) {}
#elif CASE == 12
#define EIGHT(x)                                                                                    \
  int32_t x##0, int32_t x##1, int32_t x##2, int32_t x##3, int32_t x##4, int32_t x##5, int32_t x##6, \
      int32_t x##7
GLINT_EXPORT(void, too_many, (EIGHT(a), EIGHT(b), EIGHT(c), EIGHT(d), int32_t e)) {}
#endif
