/* SPDX-License-Identifier: Apache-2.0 */
/* A plain program: prints its last argument without a newline; its exit status is the number in argv[1]. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  printf("%s", argv[argc - 1]);
  return argc > 1 ? atoi(argv[1]) : 0;
}
