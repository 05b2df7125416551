/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves what it was told everywhere that it can: in its memory, in the transfer area, and in the registers.
 */
#include <glint_guest.h>

#include <stdlib.h>
#include <string.h>

#include "vectors.h"

#define COPIES 64

static uint8_t kept[COPIES * 4096];

/* In what way the caller goes, with 16 bytes of the secret in each register that a program has. */
enum { GO_RETURN, GO_FAULT, GO_SPIN };

static void fill_registers(const uint8_t *secret, uint32_t go) {
  uint8_t bytes[64];
  for (int i = 0; i < 4; ++i) memcpy(bytes + 16 * i, secret, 16);
  uint64_t low;
  memcpy(&low, secret, 8);
  fill_vectors(bytes, find_vector_level());
  __asm__ volatile(
      "pushq %%rdx; fldl (%%rsp); popq %%rcx; pushq %%rbp\n"
      "movq %%rdx, %%rbx; movq %%rdx, %%rsi; movq %%rdx, %%rdi; movq %%rdx, %%rbp; movq %%rdx, %%r8; movq "
      "%%rdx, %%r9\n"
      "movq %%rdx, %%r10; movq %%rdx, %%r11; movq %%rdx, %%r12; movq %%rdx, %%r13; movq %%rdx, %%r14\n"
      "movq %%rdx, %%r15\n"
      "cmpl $1, %%eax; je 1f; jb 3f\n"
      "2: pause; jmp 2b\n"
      "1: ud2\n"
      "3: popq %%rbp; fstp %%st(0)\n"
      :
      : "d"(low), "a"(go)
      : "rbx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}

GLINT_EXPORT(uint64_t, plant, (glint_bytes secret, uint32_t go)) {
  if (secret.size < 16) abort();
  uint64_t some = secret.size < 2048 ? secret.size : 2048;
  for (uint64_t i = 0; i < COPIES; ++i) memcpy(kept + i * 4096 + 17 * i, secret.data, some);
  for (uint64_t i = 1; i < 100; ++i) { /* none of it is freed */
    uint8_t *copy = malloc(some + i * 50);
    if (copy != NULL) memcpy(copy, secret.data, some);
  }
  uint8_t *area = (uint8_t *)GLINT_GVA_TRANSFER;
  for (uint64_t at = 12 * 65536; at < 13 * 65536; at += 4096) memcpy(area + at, secret.data, some);
  fill_registers(secret.data, go);
  return secret.size;
}

GLINT_EXPORT(uint64_t, count, (void)) {
  static uint64_t calls;
  return ++calls;
}

/* Writes to that many pages of its own. */
GLINT_EXPORT(void, spread, (uint64_t pages)) {
  for (uint64_t i = 0; i < pages; ++i) {
    uint8_t *page = malloc(4096);
    if (page == NULL) abort();
    memset(page, 1, 4096);
  }
}
