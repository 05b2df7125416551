/* SPDX-License-Identifier: Apache-2.0 */
/* A guest in C: one function for the host, one of the host's. */
#include <glint_guest.h>

GLINT_IMPORT(void, progress, (uint32_t percent))

GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) {
  progress(50);
  return a + b;
}
