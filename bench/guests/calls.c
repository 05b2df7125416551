// SPDX-License-Identifier: Apache-2.0
// The guest whose functions do nothing, so that what is measured is the call.
#include <glint_guest.h>

#include <stdlib.h>

GLINT_IMPORT(void, nothing, (void))

GLINT_EXPORT(void, empty, (void)) {}
GLINT_EXPORT(void, spin, (void)) {
  for (;;) __asm__ volatile("pause");
}
GLINT_EXPORT(void, empty_with_host_call, (void)) { nothing(); }
GLINT_EXPORT(glint_string, echo_string, (glint_string text)) { return text; }

/* Writes to so many pages, a byte each. */
static unsigned char pages[4096][4096];
GLINT_EXPORT(void, touch, (uint32_t count)) {
  for (uint32_t i = 0; i < count && i < 4096; ++i) pages[i][0] += 1;
}

/* Writes to each page of so much fresh memory. */
GLINT_EXPORT(void, fill, (uint64_t bytes)) {
  volatile unsigned char *memory = malloc(bytes);
  if (memory == NULL) abort();
  for (uint64_t at = 0; at < bytes; at += 4096) memory[at] = 1;
}
