/* SPDX-License-Identifier: Apache-2.0 */
/* Without libc: AVX-512 state at the start of a program. Exit status 0 when there is no AVX-512, or all is
 * zero; it then fills all of it, so that a second run on the same machine would find it. Otherwise 1 for a
 * vector, 2 for a mask. */
#include <cpuid.h>
#include <stdint.h>

static uint64_t vectors[32][8];
static uint64_t masks[8];
static uint64_t pattern[8] = {1, 2, 3, 4, 5, 6, 7, 8};

#define LOWER(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define UPPER(m) \
  m(16) m(17) m(18) m(19) m(20) m(21) m(22) m(23) m(24) m(25) m(26) m(27) m(28) m(29) m(30) m(31)
#define MASKS(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7)
#define STORE(n) __asm__ volatile("vmovdqu64 %%zmm" #n ", %0" : "=m"(vectors[n]));
#define LOAD(n) __asm__ volatile("vmovdqu64 %0, %%zmm" #n : : "m"(pattern));
#define STORE_MASK(n) __asm__ volatile("kmovq %%k" #n ", %0" : "=m"(masks[n]));
#define LOAD_MASK(n) __asm__ volatile("kmovq %0, %%k" #n : : "m"(pattern[n]));

__attribute__((noreturn)) static void leave(uint64_t status) {
  for (;;) __asm__ volatile("syscall" : : "a"(231), "D"(status) : "rcx", "r11", "memory");
}

static int has_avx512(void) {
  uint32_t a, b, c, d, enabled, high;
  __cpuid(0, a, b, c, d);
  if (a < 7) return 0;
  __cpuid(1, a, b, c, d);
  if ((c & bit_OSXSAVE) == 0) return 0;
  __asm__ volatile("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
  __cpuid_count(7, 0, a, b, c, d);
  return (enabled & 0xe6) == 0xe6 && (b & bit_AVX512F) != 0 && (b & bit_AVX512BW) != 0;
}

__attribute__((noreturn, used)) void _start(void) {
  if (!has_avx512()) leave(0);
  LOWER(STORE)
  UPPER(STORE)
  MASKS(STORE_MASK) for (int i = 0; i < 32; ++i) for (int k = 0; k < 8; ++k) if (vectors[i][k] != 0) leave(1);
  for (int i = 0; i < 8; ++i)
    if (masks[i] != 0) leave(2);
  LOWER(LOAD) UPPER(LOAD) MASKS(LOAD_MASK) leave(0);
}
