/* SPDX-License-Identifier: Apache-2.0 */
/* Every type as parameter and result, both ways, as C11 and as C++17, under all warnings. */
#include <glint_guest/glint_guest.h>

GLINT_IMPORT(void, host_void, ())
GLINT_IMPORT(bool, host_bool, (bool a))
GLINT_IMPORT(int32_t, host_i32, (int32_t a))
GLINT_IMPORT(uint32_t, host_u32, (uint32_t a))
GLINT_IMPORT(int64_t, host_i64, (int64_t a))
GLINT_IMPORT(uint64_t, host_u64, (uint64_t a))
GLINT_IMPORT(float, host_f32, (float a))
GLINT_IMPORT(double, host_f64, (double a))
GLINT_IMPORT(glint_string, host_string, (glint_string a))
GLINT_IMPORT(glint_bytes, host_bytes, (glint_bytes a))
GLINT_IMPORT(glint_string, host_all,
             (bool a, int32_t b, uint32_t c, int64_t d, uint64_t e, float f, double g, glint_string h,
              glint_bytes i))
GLINT_IMPORT(int32_t, never_called, (void))

GLINT_IMPORT_STUB(glint_string, host_string, (glint_string a)) { return a; }
GLINT_IMPORT_STUB(int64_t, host_i64, (int64_t a)) {
  if (a < 0) glint_return_error(7, "negative");
  return a + 1;
}

GLINT_EXPORT(void, do_nothing, (void)) { host_void(); }
GLINT_EXPORT(void, do_nothing_either, ()) {}
GLINT_EXPORT(bool, do_bool, (bool a)) { return host_bool(a) || a; }
GLINT_EXPORT(int32_t, do_i32, (int32_t a)) { return host_i32(a) + a; }
GLINT_EXPORT(uint32_t, do_u32, (uint32_t a)) { return host_u32(a) + a; }
GLINT_EXPORT(int64_t, do_i64, (int64_t a)) {
  int64_t b = host_i64(a);
  const glint_error *error = glint_host_error();
  if (error != NULL) glint_return_error(error->code + 1, error->text);
  return b;
}
GLINT_EXPORT(uint64_t, do_u64, (uint64_t a)) { return host_u64(a) + a; }
GLINT_EXPORT(float, do_f32, (float a)) { return host_f32(a) + a; }
GLINT_EXPORT(double, do_f64, (double a)) { return host_f64(a) + a; }
GLINT_EXPORT(glint_string, do_string, (glint_string a)) { return host_string(a); }
GLINT_EXPORT(glint_bytes, do_bytes, (glint_bytes a)) {
  glint_bytes b = host_bytes(a);
  return b.size != 0 ? b : a;
}
GLINT_EXPORT(glint_string, do_all,
             (bool a, int32_t b, uint32_t c, int64_t d, uint64_t e, float f, double g, glint_string h,
              glint_bytes i)) {
  return host_all(a, b, c, d, e, f, g, h, i);
}
#define TEN(x)                                                                                      \
  int64_t x##0, int64_t x##1, int64_t x##2, int64_t x##3, int64_t x##4, int64_t x##5, int64_t x##6, \
      int64_t x##7, int64_t x##8, int64_t x##9
GLINT_EXPORT(int64_t, thirty_two, (TEN(a), TEN(b), TEN(c), int64_t d0, int64_t d1)) {
  return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7 + b8 + b9 +
         c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + d0 * 100 + d1 * 1000;
}
/* An exported function is an ordinary one, too. */
GLINT_EXPORT(int32_t, call_export, (int32_t a)) { return a == 0 ? 0 : call_export(a - 1) + 2; }
