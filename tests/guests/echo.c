/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and results of every type. */
#include <glint_guest.h>

GLINT_EXPORT(void, nothing, (void)) {}
GLINT_EXPORT(bool, echo_bool, (bool value)) { return value; }
GLINT_EXPORT(int32_t, echo_i32, (int32_t value)) { return value; }
GLINT_EXPORT(uint32_t, echo_u32, (uint32_t value)) { return value; }
GLINT_EXPORT(int64_t, echo_i64, (int64_t value)) { return value; }
GLINT_EXPORT(uint64_t, echo_u64, (uint64_t value)) { return value; }
GLINT_EXPORT(float, echo_f32, (float value)) { return value; }
GLINT_EXPORT(double, echo_f64, (double value)) { return value; }
GLINT_EXPORT(glint_string, echo_string, (glint_string value)) { return value; }
GLINT_EXPORT(glint_bytes, echo_bytes, (glint_bytes value)) { return value; }

GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) { return a + b; }

#define EIGHT(p)                                                                                    \
  int64_t p##0, int64_t p##1, int64_t p##2, int64_t p##3, int64_t p##4, int64_t p##5, int64_t p##6, \
      int64_t p##7
#define SUM(p) (p##0 + p##1 + p##2 + p##3 + p##4 + p##5 + p##6 + p##7)
/* Weighted, so that arguments in a wrong order show. */
GLINT_EXPORT(int64_t, sum32, (EIGHT(a), EIGHT(b), EIGHT(c), EIGHT(d))) {
  return SUM(a) + 10 * SUM(b) + 100 * SUM(c) + 1000 * SUM(d) + 10000 * d7 - 10000 * a0;
}

/* "bool,i32,…" of what came in. */
GLINT_EXPORT(uint64_t, mixed,
             (bool a, int32_t b, uint32_t c, int64_t d, uint64_t e, float f, double g, glint_string h,
              glint_bytes i)) {
  return (uint64_t)a + (uint64_t)b + c + (uint64_t)d + e + (uint64_t)f + (uint64_t)g + h.size + i.size;
}

GLINT_EXPORT(glint_string, concat, (glint_string a, glint_string b)) {
  char *text = glint_result_buffer(a.size + b.size);
  if (text == NULL) {
    glint_return_error(GLINT_ERROR_TOO_LARGE, "no room for the result");
    return a;
  }
  memcpy(text, a.data, a.size);
  memcpy(text + a.size, b.data, b.size);
  return (glint_string){text, a.size + b.size};
}

/* Byte i is i * 7 modulo 256. */
GLINT_EXPORT(glint_bytes, make_bytes, (uint64_t size)) {
  uint8_t *bytes = glint_result_buffer(size);
  if (bytes == NULL) {
    glint_return_error(GLINT_ERROR_TOO_LARGE, "no room for the result");
    return glint_bytes_of(NULL, 0);
  }
  for (uint64_t i = 0; i < size; ++i) bytes[i] = (uint8_t)(i * 7);
  return glint_bytes_of(bytes, size);
}

/* Claims `size` bytes without having them in the transfer area, to test the limit. */
GLINT_EXPORT(glint_bytes, claim_bytes, (uint64_t size)) {
  static const uint8_t one[1];
  return glint_bytes_of(one, size);
}

/* FNV-1a, 64 bits. */
GLINT_EXPORT(uint64_t, checksum, (glint_bytes data)) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < data.size; ++i) hash = (hash ^ data.data[i]) * 0x100000001b3u;
  return hash;
}

GLINT_EXPORT(uint64_t, length_of, (glint_string text)) { return text.size; }
