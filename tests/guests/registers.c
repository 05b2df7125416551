/* SPDX-License-Identifier: Apache-2.0 */
/* Every register that ring 3 has, full of a pattern while the sandbox is at rest: a call of hold_registers()
 * leaves by hand, as the SDK would, with the pattern in all of them; the next call finds itself behind that
 * exit and compares. */
#include <glint_guest.h>

#include "vectors.h"

struct registers {
  uint64_t general[15]; /* rax rbx rcx rdx rsi rdi rbp r8 … r15 */
  uint64_t flags, fs, gs;
  uint32_t mxcsr;
  uint16_t x87, padding;
  uint64_t masks[8];
  uint8_t vectors[32][64];
};
_Static_assert(offsetof(struct registers, flags) == 120 && offsetof(struct registers, mxcsr) == 144 &&
                   offsetof(struct registers, masks) == 152 && offsetof(struct registers, vectors) == 216,
               "the assembly below counts on it");

/* 0: SSE, 1: AVX, 2: AVX-512 */
GLINT_EXPORT(uint32_t, vector_level, (void)) {
  static uint32_t level = 99; /* CPUID is dear under a software KVM */
  if (level == 99) level = find_vector_level();
  return level;
}

/* Loads all of `in`, leaves the guest, stores all to `out`. */
void hold(const struct registers *in, struct registers *out, uint64_t level)
    __attribute__((visibility("hidden")));
#define LOAD_X(n) "movups 216+64*" #n "(%rdi), %xmm" #n "\n"
#define LOAD_Y(n) "vmovdqu 216+64*" #n "(%rdi), %ymm" #n "\n"
#define LOAD_Z(n) "vmovdqu64 216+64*" #n "(%rdi), %zmm" #n "\n"
#define LOAD_K(n) "kmovq 152+8*" #n "(%rdi), %k" #n "\n"
#define STORE_X(n) "movups %xmm" #n ", 216+64*" #n "(%rsi)\n"
#define STORE_Y(n) "vmovdqu %ymm" #n ", 216+64*" #n "(%rsi)\n"
#define STORE_Z(n) "vmovdqu64 %zmm" #n ", 216+64*" #n "(%rsi)\n"
#define STORE_K(n) "kmovq %k" #n ", 152+8*" #n "(%rsi)\n"
__asm__(
    ".pushsection .text\n.type hold, @function\nhold:\n"
    "pushq %rbx\npushq %rbp\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "pushq %rsi\npushq %rdx\nrdfsbase %rax\npushq %rax\nrdgsbase %rax\npushq %rax\n"
    "cmpl $1, %edx\njb 1f\nje 2f\n"
    LOWER(LOAD_Z) UPPER(LOAD_Z) MASKS(LOAD_K) "jmp 3f\n"
    "2:\n" LOWER(LOAD_Y) "jmp 3f\n"
    "1:\n" LOWER(LOAD_X)
    "3:\nldmxcsr 144(%rdi)\nfldcw 148(%rdi)\n"
    "movq 128(%rdi), %rax\nwrfsbase %rax\nmovq 136(%rdi), %rax\nwrgsbase %rax\n"
    "pushq 120(%rdi)\npopfq\n"
    "movq 0(%rdi), %rax\nmovq 8(%rdi), %rbx\nmovq 16(%rdi), %rcx\nmovq 24(%rdi), %rdx\nmovq 32(%rdi), %rsi\n"
    "movq 48(%rdi), %rbp\nmovq 56(%rdi), %r8\nmovq 64(%rdi), %r9\nmovq 72(%rdi), %r10\nmovq 80(%rdi), %r11\n"
    "movq 88(%rdi), %r12\nmovq 96(%rdi), %r13\nmovq 104(%rdi), %r14\nmovq 112(%rdi), %r15\nmovq 40(%rdi), %rdi\n"
    "outl %eax, $0x80\n"
    "pushq %rsi\npushfq\ncld\nmovq 40(%rsp), %rsi\n" /* the address of `out` */
    "movq %rax, 0(%rsi)\nmovq %rbx, 8(%rsi)\nmovq %rcx, 16(%rsi)\nmovq %rdx, 24(%rsi)\nmovq %rdi, 40(%rsi)\n"
    "movq %rbp, 48(%rsi)\nmovq %r8, 56(%rsi)\nmovq %r9, 64(%rsi)\nmovq %r10, 72(%rsi)\nmovq %r11, 80(%rsi)\n"
    "movq %r12, 88(%rsi)\nmovq %r13, 96(%rsi)\nmovq %r14, 104(%rsi)\nmovq %r15, 112(%rsi)\n"
    "popq 120(%rsi)\npopq 32(%rsi)\n"
    "rdfsbase %rax\nmovq %rax, 128(%rsi)\nrdgsbase %rax\nmovq %rax, 136(%rsi)\nstmxcsr 144(%rsi)\nfnstcw 148(%rsi)\n"
    "popq %rax\nwrgsbase %rax\npopq %rax\nwrfsbase %rax\npopq %rdx\npopq %rsi\n"
    "cmpl $1, %edx\njb 1f\nje 2f\n"
    LOWER(STORE_Z) UPPER(STORE_Z) MASKS(STORE_K) "vzeroupper\njmp 3f\n"
    "2:\n" LOWER(STORE_Y) "vzeroupper\njmp 3f\n"
    "1:\n" LOWER(STORE_X)
    "3:\npushq $0x1f80\nldmxcsr (%rsp)\nmovq $0x37f, (%rsp)\nfldcw (%rsp)\npopq %rax\n" /* C expects the defaults */
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbp\npopq %rbx\nret\n"
    ".size hold, . - hold\n.popsection\n");

#define FLAGS 0xcd5u /* CF PF AF ZF SF DF OF */
static void fill_registers(struct registers *r, uint64_t pattern) {
  for (uint64_t i = 0; i < 15; ++i) r->general[i] = pattern * (2 * i + 3) + i;
  r->flags = 0x202 | (pattern & FLAGS);
  r->fs = pattern * 5 & 0x3fffffffffff;
  r->gs = pattern * 7 & 0x3fffffffffff;
  r->mxcsr = 0x1f80 | (uint32_t)(pattern & 3) << 13; /* the rounding mode */
  r->x87 = (uint16_t)(0x37f | (pattern >> 2 & 3) << 10);
  for (uint64_t i = 0; i < 8; ++i) r->masks[i] = pattern * (2 * i + 101);
  for (uint64_t i = 0; i < 32; ++i)
    for (uint64_t k = 0; k < 64; ++k) r->vectors[i][k] = (uint8_t)((pattern >> k % 8 * 8) + i * 37 + k * 11);
}

/* A bit for each kind of register that differs: 0 to 14 the general ones, as above, then flags, FS, GS,
 * MXCSR, x87, 20 SSE, 21 the upper halves of AVX, 22 AVX-512, 23 its masks. */
static uint64_t compare_registers(const struct registers *a, const struct registers *b, uint32_t level) {
  uint64_t different = 0;
  for (int i = 0; i < 15; ++i) different |= (uint64_t)(a->general[i] != b->general[i]) << i;
  different |= (uint64_t)(((a->flags ^ b->flags) & FLAGS) != 0) << 15 | (uint64_t)(a->fs != b->fs) << 16 |
               (uint64_t)(a->gs != b->gs) << 17 | (uint64_t)(((a->mxcsr ^ b->mxcsr) & 0xffc0) != 0) << 18 |
               (uint64_t)(a->x87 != b->x87) << 19;
  for (int i = 0; i < (level == LEVEL_AVX512 ? 32 : 16); ++i) {
    const uint8_t *x = a->vectors[i], *y = b->vectors[i];
    different |= (uint64_t)(memcmp(x, y, 16) != 0) << (i < 16 ? 20 : 22);
    if (level >= LEVEL_AVX) different |= (uint64_t)(memcmp(x + 16, y + 16, 16) != 0) << (i < 16 ? 21 : 22);
    if (level >= LEVEL_AVX512) different |= (uint64_t)(memcmp(x + 32, y + 32, 32) != 0) << 22;
  }
  if (level >= LEVEL_AVX512) different |= (uint64_t)(memcmp(a->masks, b->masks, sizeof a->masks) != 0) << 23;
  return different;
}

/* The first call returns all ones and leaves the pattern in the registers; the second one (its argument does
 * not matter) returns what has changed since, see above. */
GLINT_EXPORT(uint64_t, hold_registers, (uint64_t pattern)) {
  volatile struct glint_abi_header *header = (volatile struct glint_abi_header *)GLINT_GVA_TRANSFER;
  static struct registers in, out;
  uint32_t level = vector_level();
  fill_registers(&in, pattern);
  memset(&out, 0, sizeof out);
  uint64_t frame = (header->call_end + 255) & ~255ull;
  *(struct glint_abi_value *)(GLINT_GVA_TRANSFER + frame) = glint_u64_put(UINT64_MAX);
  header->exit_frame = frame;
  header->exit_kind = GLINT_EXIT_RESULT;
  hold(&in, &out, level);
  return compare_registers(&in, &out, level);
}

/* ---- thread-local memory ---- */
static __thread uint64_t local = 1;
GLINT_EXPORT(void, set_thread_local, (uint64_t value)) { local = value; }
GLINT_EXPORT(uint64_t, get_thread_local, (void)) { return local; }
