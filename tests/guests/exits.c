/* SPDX-License-Identifier: Apache-2.0 */
/* A plain program: prints its arguments and environment; its exit status is the number in argv[1]. */
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(int argc, char **argv) {
  for (int i = 0; i < argc; ++i) printf("argv[%d]=%s\n", i, argv[i]);
  for (char **entry = environ; *entry != NULL; ++entry) printf("env %s\n", *entry);
  fprintf(stderr, "done\n");
  return argc > 1 ? atoi(argv[1]) : 0;
}
