/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses that a hypervisor cannot finish in one exit. */
#include <glint_guest.h>

static uint8_t *behind_transfer(void) { return (uint8_t *)(GLINT_GVA_TRANSFER + GLINT_TRANSFER_INITIAL); }

GLINT_EXPORT(int64_t, counter, (void)) {
  static int64_t count;
  return ++count;
}

/* 16 bytes to memory that is not there. */
GLINT_EXPORT(void, wide_store, (void)) {
  __asm__ volatile("movups %%xmm0, (%0)" : : "r"(behind_transfer()) : "memory");
}
GLINT_EXPORT(void, wide_load, (void)) {
  __asm__ volatile("movups (%0), %%xmm0" : : "r"(behind_transfer()) : "xmm0", "memory");
}
/* 8 bytes, half of them there. */
GLINT_EXPORT(void, straddling_store, (void)) {
  __asm__ volatile("movq %0, (%1)" : : "r"(0ull), "r"(behind_transfer() - 4) : "memory");
}
GLINT_EXPORT(void, string_store, (void)) {
  uint8_t *to = behind_transfer();
  uint64_t count = 65536;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0) : "memory");
}
/* Many bytes out by the exit port. */
GLINT_EXPORT(void, string_out, (void)) {
  const uint8_t *from = (const uint8_t *)GLINT_GVA_TRANSFER;
  uint64_t count = 65536;
  __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(GLINT_EXIT_PORT) : "memory");
}
