/* SPDX-License-Identifier: Apache-2.0 */
/* I/O instructions on any port. */
#include <glint_guest.h>

GLINT_EXPORT(void, out_byte, (uint32_t port)) { __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(port)); }
GLINT_EXPORT(void, out_word, (uint32_t port)) { __asm__ volatile("outw %%ax, %%dx" : : "a"(0), "d"(port)); }
GLINT_EXPORT(void, out_long, (uint32_t port)) { __asm__ volatile("outl %%eax, %%dx" : : "a"(0), "d"(port)); }
GLINT_EXPORT(void, in_byte, (uint32_t port)) {
  uint8_t value = 0;
  __asm__ volatile("inb %%dx, %%al" : "+a"(value) : "d"(port));
}
GLINT_EXPORT(void, in_long, (uint32_t port)) {
  uint32_t value = 0;
  __asm__ volatile("inl %%dx, %%eax" : "+a"(value) : "d"(port));
}
/* Reads into the transfer area, by a string instruction. */
GLINT_EXPORT(void, in_string, (uint32_t port)) {
  uint8_t *to = (uint8_t *)(GLINT_GVA_TRANSFER + GLINT_TRANSFER_PAYLOAD + 65536);
  uint64_t count = 4096;
  __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
