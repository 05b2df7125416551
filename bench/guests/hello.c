// SPDX-License-Identifier: Apache-2.0
// The smallest guest that shows its libc at work: start-up, one printed line, one result.
#include <glint_guest.h>
#include <stdio.h>

GLINT_EXPORT(int64_t, hello, (void)) {
  puts("hello");
  return 42;
}
