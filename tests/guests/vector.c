/* SPDX-License-Identifier: Apache-2.0 */
/* Vector registers and the other state that no system call or host call may change. Values are left in
 * registers across calls: nothing between the serve loop's exits uses those that are read again. */
#include <glint_guest.h>

#include <unistd.h>

GLINT_IMPORT(void, progress, (uint32_t percent))

static bool has_avx(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx");
}

typedef struct {
  uint8_t ymm[16][32];
} registers;

/* Loads all registers, runs `instruction`, and stores them: in one piece, so that no C code comes between. */
#define AROUND(instruction, in, out, eax)                                                                 \
  __asm__ volatile(                                                                                       \
      "vmovdqu 0(%0), %%ymm0\n\tvmovdqu 32(%0), %%ymm1\n\tvmovdqu 64(%0), %%ymm2\n\tvmovdqu 96(%0), "     \
      "%%ymm3\n\t"                                                                                        \
      "vmovdqu 128(%0), %%ymm4\n\tvmovdqu 160(%0), %%ymm5\n\tvmovdqu 192(%0), %%ymm6\n\t"                 \
      "vmovdqu 224(%0), %%ymm7\n\tvmovdqu 256(%0), %%ymm8\n\tvmovdqu 288(%0), %%ymm9\n\t"                 \
      "vmovdqu 320(%0), %%ymm10\n\tvmovdqu 352(%0), %%ymm11\n\tvmovdqu 384(%0), %%ymm12\n\t"              \
      "vmovdqu 416(%0), %%ymm13\n\tvmovdqu 448(%0), %%ymm14\n\tvmovdqu 480(%0), %%ymm15\n\t" instruction  \
      "\n\tvmovdqu %%ymm0, 0(%1)\n\tvmovdqu %%ymm1, 32(%1)\n\tvmovdqu %%ymm2, 64(%1)\n\tvmovdqu %%ymm3, " \
      "96(%1)\n\t"                                                                                        \
      "vmovdqu %%ymm4, 128(%1)\n\tvmovdqu %%ymm5, 160(%1)\n\tvmovdqu %%ymm6, 192(%1)\n\t"                 \
      "vmovdqu %%ymm7, 224(%1)\n\tvmovdqu %%ymm8, 256(%1)\n\tvmovdqu %%ymm9, 288(%1)\n\t"                 \
      "vmovdqu %%ymm10, 320(%1)\n\tvmovdqu %%ymm11, 352(%1)\n\tvmovdqu %%ymm12, 384(%1)\n\t"              \
      "vmovdqu %%ymm13, 416(%1)\n\tvmovdqu %%ymm14, 448(%1)\n\tvmovdqu %%ymm15, 480(%1)\n\tvzeroupper"    \
      :                                                                                                   \
      : "r"(in), "r"(out), "a"(eax)                                                                       \
      : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",     \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

static uint32_t differences(const registers *a, const registers *b) {
  uint32_t count = 0;
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 32; ++k) count += a->ymm[i][k] != b->ymm[i][k];
  return count;
}
static void fill(registers *r, uint32_t seed) {
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 32; ++k) r->ymm[i][k] = (uint8_t)(seed + (uint32_t)(i * 37 + k * 11));
}

GLINT_EXPORT(bool, avx_is_there, (void)) { return has_avx(); }

/* How many bytes of the vector registers a system call changed. */
__attribute__((target("avx"))) static void around_syscall(const registers *in, registers *out) {
  AROUND("syscall", in, out, 39 /* getpid */);
}
GLINT_EXPORT(uint32_t, changed_by_syscall, (uint32_t seed)) {
  registers in, out = {{{0}}};
  fill(&in, seed);
  around_syscall(&in, &out);
  return differences(&in, &out);
}

/* How many bytes a host call changed, of progress(seed). It is made by hand, as the SDK would do it. */
extern const struct glint_sdk_function __start_glint_functions[] __attribute__((visibility("hidden")));
__attribute__((target("avx"))) static void around_exit(const registers *in, registers *out) {
  AROUND("outl %%eax, $0x80", in, out, 0);
}
GLINT_EXPORT(uint32_t, changed_by_host_call, (uint32_t seed)) {
  volatile struct glint_abi_header *header = (volatile struct glint_abi_header *)GLINT_GVA_TRANSFER;
  struct glint_abi_value *value =
      (struct glint_abi_value *)(GLINT_GVA_TRANSFER + ((header->call_end + 31) & ~15ull));
  registers in, out = {{{0}}};
  progress(seed); /* also the ordinary way, and the import is used */
  fill(&in, seed);
  *value = glint_u32_put(seed);
  header->exit_function = (uint32_t)(&glint_function_progress - __start_glint_functions);
  header->exit_count = 1;
  header->exit_frame = (uint64_t)value - GLINT_GVA_TRANSFER;
  header->exit_reply = header->exit_frame + 64;
  header->exit_kind = GLINT_EXIT_HOST_CALL;
  around_exit(&in, &out);
  return differences(&in, &out);
}

/* ---- state that stays between calls: the upper eight SSE registers, control words, GS base ----
 * The SDK and libc between two calls do not use xmm12 to xmm15. */
GLINT_EXPORT(void, set_state, (uint64_t pattern)) {
  uint64_t words[2] = {pattern, ~pattern};
  uint32_t control = 0x1f80 | (uint32_t)(pattern & 3) << 13; /* the rounding mode */
  __asm__ volatile(
      "movups %0, %%xmm12\n\tmovups %0, %%xmm13\n\tmovups %0, %%xmm14\n\tmovups %0, %%xmm15\n\tldmxcsr %1"
      :
      : "m"(words), "m"(control)
      : "xmm12", "xmm13", "xmm14", "xmm15");
  __asm__ volatile("wrgsbase %0" : : "r"(pattern & 0xffffffffu));
}
GLINT_EXPORT(bool, has_state, (uint64_t pattern)) {
  uint64_t words[8], gs;
  uint32_t control;
  __asm__ volatile(
      "movups %%xmm12, 0(%0)\n\tmovups %%xmm13, 16(%0)\n\tmovups %%xmm14, 32(%0)\n\tmovups %%xmm15, 48(%0)"
      :
      : "r"(words)
      : "memory");
  __asm__ volatile("stmxcsr %0" : "=m"(control));
  __asm__ volatile("rdgsbase %0" : "=r"(gs));
  for (int i = 0; i < 8; i += 2)
    if (words[i] != pattern || words[i + 1] != ~pattern) return false;
  return (control >> 13 & 3) == (pattern & 3) && gs == (pattern & 0xffffffffu);
}
