/* SPDX-License-Identifier: Apache-2.0 */
/* Without libc. Exit status 0 when vector registers, MXCSR, x87 control word, FS and GS bases are as in a new
 * process, then fills them all, so that a second run on the same machine would find them. Otherwise the
 * number of what is not: 1 to 16 for xmm0 to xmm15 (or their upper halves), 20 MXCSR, 21 x87, 22 FS, 23 GS.
 */
#include <stdint.h>

static uint64_t saved[16][4];
static uint64_t pattern[4] = {0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444};

#define REGISTERS(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define STORE(n) __asm__ volatile("vmovdqu %%ymm" #n ", %0" : "=m"(saved[n]));
#define LOAD(n) __asm__ volatile("vmovdqu %0, %%ymm" #n : : "m"(pattern));

__attribute__((noreturn)) static void leave(uint64_t status) {
  for (;;) __asm__ volatile("syscall" : : "a"(231), "D"(status) : "rcx", "r11", "memory");
}

/* Entered by a jump, not a call; the alignment does not matter to this code. */
__attribute__((noreturn, used)) void _start(void) {
  uint32_t mxcsr = 0;
  uint16_t x87 = 0;
  uint64_t fs, gs;
  REGISTERS(STORE)
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  __asm__ volatile("fnstcw %0" : "=m"(x87));
  __asm__ volatile("rdfsbase %0" : "=r"(fs));
  __asm__ volatile("rdgsbase %0" : "=r"(gs));
  for (uint64_t i = 0; i < 16; ++i)
    for (int k = 0; k < 4; ++k)
      if (saved[i][k] != 0) leave(i + 1);
  if (mxcsr != 0x1f80) leave(20);
  if (x87 != 0x37f) leave(21);
  if (fs != 0) leave(22);
  if (gs != 0) leave(23);
  REGISTERS(LOAD)
  mxcsr = 0x3f80;
  x87 = 0x27f;
  __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
  __asm__ volatile("fldcw %0" : : "m"(x87));
  __asm__ volatile("wrfsbase %0" : : "r"(0x1234567ull));
  __asm__ volatile("wrgsbase %0" : : "r"(0x7654321ull));
  leave(0);
}
