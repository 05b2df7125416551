/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest useful program, for measuring; built with musl. */
#include <stdio.h>

int main(void) {
  puts("hello from musl");
  return 0;
}
