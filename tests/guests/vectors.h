/* SPDX-License-Identifier: Apache-2.0 */
/* The vector registers that the processor has, for guests that fill all of them. */
#ifndef GLINT_TESTS_VECTORS_H
#define GLINT_TESTS_VECTORS_H

#include <cpuid.h>
#include <stdint.h>

enum { LEVEL_SSE, LEVEL_AVX, LEVEL_AVX512 };

static inline uint32_t find_vector_level(void) {
  uint32_t a, b, c, d, enabled, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0 || (c & bit_AVX) == 0) return LEVEL_SSE;
  __asm__ volatile("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
  if ((enabled & 6) != 6) return LEVEL_SSE;
  if ((enabled & 0xe6) != 0xe6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return LEVEL_AVX;
  return (b & bit_AVX512F) != 0 && (b & bit_AVX512BW) != 0 ? LEVEL_AVX512 : LEVEL_AVX;
}

#define LOWER(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define UPPER(m) \
  m(16) m(17) m(18) m(19) m(20) m(21) m(22) m(23) m(24) m(25) m(26) m(27) m(28) m(29) m(30) m(31)
#define MASKS(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7)

/* The 64 bytes in each of them, and the first 8 in each mask; they stay there until other code uses them. */
static inline void fill_vectors(const uint8_t *bytes, uint32_t level) {
#define FILL_X(n) "movups (%0), %%xmm" #n "\n"
#define FILL_Y(n) "vmovdqu (%0), %%ymm" #n "\n"
#define FILL_Z(n) "vmovdqu64 (%0), %%zmm" #n "\n"
#define FILL_K(n) "kmovq (%0), %%k" #n "\n"
#define SSE_REGISTERS                                                                                        \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm14", "xmm15"
  if (level == LEVEL_AVX512) {
    __asm__ volatile(LOWER(FILL_Z) UPPER(FILL_Z) MASKS(FILL_K) : : "r"(bytes) : SSE_REGISTERS, "memory");
  } else if (level == LEVEL_AVX) {
    __asm__ volatile(LOWER(FILL_Y) : : "r"(bytes) : SSE_REGISTERS, "memory");
  } else {
    __asm__ volatile(LOWER(FILL_X) : : "r"(bytes) : SSE_REGISTERS, "memory");
  }
}

#endif
