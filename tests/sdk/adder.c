/* SPDX-License-Identifier: Apache-2.0 */
/* The guest of the README, as C and as C++. */
#include <glint_guest.h>
GLINT_IMPORT(void, progress, (uint32_t percent))
GLINT_EXPORT(int64_t, add, (int64_t a, int64_t b)) {
  progress(50);
  return a + b;
}
