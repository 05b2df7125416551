/* SPDX-License-Identifier: Apache-2.0 */
/* A plain program for the tests of `glint run`: does what argv[1] says. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int zero;

static void write_to(volatile char *address) { *address = 1; }

static int copy_input(void) {
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) printf("line: %s", line);
  return 0;
}

static int show_file(const char *path) {
  char text[256];
  FILE *file = fopen(path, "r");
  if (file == NULL) return 2;
  while (fgets(text, sizeof text, file) != NULL) fputs(text, stdout);
  return 0;
}

/* Prints how many MiB it could have, up to 256. */
static int take_memory(void) {
  int count = 0;
  while (count < 256 && malloc(1 << 20) != NULL) ++count;
  printf("%d\n", count);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "input") == 0) return copy_input();
  if (strcmp(what, "file") == 0 && argc > 2) return show_file(argv[2]);
  if (strcmp(what, "memory") == 0) return take_memory();
  if (strcmp(what, "partial") == 0) fputs("no newline", stderr);
  if (strcmp(what, "ill") == 0 || strcmp(what, "partial") == 0) __asm__ volatile("ud2");
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "fpe") == 0) return argc / zero;
  if (strcmp(what, "segv") == 0) write_to((volatile char *)(unsigned long)zero);
  if (strcmp(what, "unknown") == 0) {
    syscall(SYS_io_uring_setup, 1, 0);
    syscall(SYS_io_uring_setup, 1, 0);
    syscall(1999, 0);
    return 0;
  }
  fprintf(stderr, "cli_program: what is %s?\n", what);
  return 3;
}
