/* SPDX-License-Identifier: Apache-2.0 */
/* A guest as a user writes it: outside of the project, against what was installed. */
#include <glint_guest.h>

GLINT_IMPORT(void, progress, (uint32_t percent))
GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) {
  progress(50);
  return a + b;
}
