/* SPDX-License-Identifier: Apache-2.0 */
/* What programs expect of libc, and libc of the libos. */
#define _GNU_SOURCE /* mremap */
#include <glint_guest.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int argument_count;
static char **arguments;

int main(int argc, char **argv) {
  argument_count = argc;
  arguments = argv;
  return glint_serve();
}

static glint_string text_of(const char *text) { return glint_string_of(text != NULL ? text : "(null)"); }

/* ---- arguments, environment, identity ---- */
GLINT_EXPORT(glint_string, argument, (uint32_t index)) {
  return text_of(index < (uint32_t)argument_count ? arguments[index] : NULL);
}
GLINT_EXPORT(glint_string, environment, (glint_string name)) {
  char copy[64];
  snprintf(copy, sizeof copy, "%.*s", (int)name.size, name.data);
  return text_of(getenv(copy));
}
GLINT_EXPORT(int64_t, process_id, (void)) { return getpid(); }

/* ---- time ---- */
static int64_t now(clockid_t clock) {
  struct timespec spec;
  if (clock_gettime(clock, &spec) != 0) return -1;
  return spec.tv_sec * 1000000000ll + spec.tv_nsec;
}
GLINT_EXPORT(int64_t, realtime_ns, (void)) { return now(CLOCK_REALTIME); }
GLINT_EXPORT(int64_t, monotonic_ns, (void)) { return now(CLOCK_MONOTONIC); }
GLINT_EXPORT(int64_t, sleep_ns, (int64_t duration)) {
  struct timespec spec = {duration / 1000000000, duration % 1000000000};
  int64_t before = now(CLOCK_MONOTONIC);
  if (nanosleep(&spec, NULL) != 0) return -1;
  return now(CLOCK_MONOTONIC) - before;
}
/* How often the clock went backwards in n readings. */
GLINT_EXPORT(uint32_t, clock_steps_back, (uint32_t n)) {
  uint32_t back = 0;
  int64_t last = 0;
  for (uint32_t i = 0; i < n; ++i) {
    int64_t next = now(CLOCK_MONOTONIC);
    back += next < last;
    last = next;
  }
  return back;
}

/* ---- random bytes ---- */
GLINT_EXPORT(glint_bytes, random_bytes, (uint32_t size)) {
  uint8_t *bytes = glint_result_buffer(size);
  if (bytes == NULL || getrandom(bytes, size, 0) != (ssize_t)size)
    glint_return_error(errno, "getrandom failed");
  return glint_bytes_of(bytes, size);
}

/* ---- memory ---- */
#define BLOCKS 200
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}
static bool holds(const uint8_t *block, size_t size, uint8_t value) {
  for (size_t i = 0; i < size; ++i)
    if (block[i] != value) return false;
  return true;
}
/* Allocates, grows and frees blocks of 1 byte to 1 MiB at random; true if all kept their content and calloc
 * gave zeroes. */
GLINT_EXPORT(bool, allocation_stress, (uint32_t steps, uint32_t seed)) {
  static uint8_t *blocks[BLOCKS];
  static size_t sizes[BLOCKS];
  bool good = true;
  for (uint32_t step = 0; step < steps && good; ++step) {
    uint32_t i = next_random(&seed) % BLOCKS;
    size_t size = 1 + next_random(&seed) % (next_random(&seed) % 8 == 0 ? 1u << 20 : 1u << 10);
    if (blocks[i] != NULL) good = holds(blocks[i], sizes[i], (uint8_t)i);
    if (next_random(&seed) % 2 == 0) {
      free(blocks[i]);
      blocks[i] = calloc(1, size);
      if (blocks[i] != NULL) good = good && holds(blocks[i], size, 0);
    } else {
      uint8_t *larger = realloc(blocks[i], size);
      if (larger == NULL) continue;
      blocks[i] = larger;
    }
    sizes[i] = blocks[i] != NULL ? size : 0;
    if (blocks[i] != NULL) memset(blocks[i], (int)i, size);
  }
  for (int i = 0; i < BLOCKS; ++i) {
    free(blocks[i]);
    blocks[i] = NULL;
    sizes[i] = 0;
  }
  return good;
}
/* mmap, mremap, mprotect, madvise and munmap; the number of the first check that failed, or 0. */
GLINT_EXPORT(int32_t, mapping_checks, (void)) {
  const size_t size = 1 << 20;
  uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || !holds(map, size, 0)) return 1;
  memset(map, 0x5a, size);
  if (madvise(map, size / 2, MADV_DONTNEED) != 0 || !holds(map, size / 2, 0)) return 2;
  if (!holds(map + size / 2, size / 2, 0x5a)) return 3;
  uint8_t *larger = mremap(map, size, 3 * size, MREMAP_MAYMOVE);
  if (larger == MAP_FAILED || !holds(larger + size / 2, size / 2, 0x5a) || !holds(larger + size, 2 * size, 0))
    return 4;
  if (mprotect(larger, size, PROT_READ) != 0) return 5;
  if (mprotect(larger, size, PROT_READ | PROT_EXEC) == 0) return 6;
  if (munmap(larger, 3 * size) != 0) return 7;
  uint8_t *again = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (again == MAP_FAILED || !holds(again, 3 * size, 0)) return 8;
  uint8_t *fixed =
      mmap(again + size, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (fixed != again + size) return 9;
  if (mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) return 10;
  if (mmap(NULL, SIZE_MAX / 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
      errno != ENOMEM)
    return 11;
  return munmap(again, 3 * size) == 0 ? 0 : 12;
}

/* ---- files ---- */
GLINT_EXPORT(glint_string, read_file, (glint_string path)) {
  char name[256], *text = glint_result_buffer(65536);
  snprintf(name, sizeof name, "%.*s", (int)path.size, path.data);
  FILE *file = fopen(name, "r");
  if (file == NULL) {
    glint_return_error(errno, strerror(errno));
    return glint_string_of("");
  }
  size_t size = fread(text, 1, 65536, file);
  fclose(file);
  return (glint_string){text, size};
}
/* open, seek, stat, mmap and refusals on /data/hello.txt; the number of the first check that failed, or 0. */
GLINT_EXPORT(int32_t, file_checks, (void)) {
  static const char path[] = "/data/hello.txt";
  struct stat info;
  char first[4], again[4];
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 8) return 1;
  if (stat("/data", &info) != 0 || !S_ISDIR(info.st_mode)) return 2;
  if (stat("/data/none", &info) == 0 || errno != ENOENT) return 3;
  if (open(path, O_RDWR) >= 0 || errno != EROFS) return 4;
  if (open("/data/new", O_WRONLY | O_CREAT, 0644) >= 0 || errno != EROFS) return 5;
  int file = open("data/../data/./hello.txt", O_RDONLY);
  if (file < 0 || fstat(file, &info) != 0) return 6;
  if (read(file, first, 4) != 4 || lseek(file, -4, SEEK_CUR) != 0 || read(file, again, 4) != 4) return 7;
  if (memcmp(first, again, 4) != 0 || pread(file, again, 4, 0) != 4 || memcmp(first, again, 4) != 0) return 8;
  if (lseek(file, 0, SEEK_END) != info.st_size || read(file, again, 4) != 0) return 9;
  char *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (map == MAP_FAILED || memcmp(map, first, 4) != 0) return 10;
  if (write(file, first, 4) >= 0 || errno != EBADF) return 11;
  int copy = dup(file);
  if (copy < 0 || lseek(copy, 1, SEEK_SET) != 1 || lseek(file, 0, SEEK_CUR) != 1) return 12;
  if (close(file) != 0 || read(copy, again, 1) != 1 || close(copy) != 0) return 13;
  return close(copy) != 0 && errno == EBADF ? 0 : 14;
}
GLINT_EXPORT(glint_string, read_line, (void)) {
  static char line[4096];
  if (fgets(line, sizeof line, stdin) == NULL) {
    glint_return_error(1, "no more input");
    return glint_string_of("");
  }
  return glint_string_of(line);
}

/* ---- output ---- */
/* "out 0", "err 0", "out 1", … a line each, by turns. */
GLINT_EXPORT(void, print_lines, (uint32_t count)) {
  for (uint32_t i = 0; i < count; ++i) {
    printf("out %u\n", i);
    fprintf(stderr, "err %u\n", i);
  }
}
GLINT_EXPORT(void, print_without_newline, (glint_string text)) { printf("%.*s", (int)text.size, text.data); }
/* One write() of `size` bytes: "0123456789012…". The number of bytes that write() took. */
GLINT_EXPORT(int64_t, write_much, (uint64_t size)) {
  char *text = malloc(size + 1);
  if (text == NULL) return -1;
  for (uint64_t i = 0; i < size; ++i) text[i] = (char)('0' + i % 10);
  ssize_t written = write(STDOUT_FILENO, text, size);
  free(text);
  return written;
}

/* ---- the rest ---- */
GLINT_EXPORT(int64_t, raw_syscall, (int64_t number, int64_t a, int64_t b)) {
  long result = syscall(number, a, b);
  return result < 0 ? -errno : result;
}
/* void around_syscall(const uint64_t in[7], uint64_t out[11]): getpid() with rdi, rsi, rdx, r10, r8, r9, rbx
 * from `in`, and the carry and direction flags set. Out: those registers afterwards, then rax, the flags, and
 * the two ends of the red zone. */
void around_syscall(const uint64_t in[7], uint64_t out[11]);
__asm__(
    ".text\n"
    "around_syscall:\n"
    "  pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14\n"
    "  movq %rsi, %rbp; movq %rdi, %r12\n"
    "  movq 8(%r12), %rsi; movq 16(%r12), %rdx; movq 24(%r12), %r10; movq 32(%r12), %r8; movq 40(%r12), %r9\n"
    "  movq 48(%r12), %rbx; movq (%r12), %rdi\n"
    "  movq $0x1234567, -128(%rsp); movq $0x7654321, -8(%rsp)\n"
    "  movl $39, %eax; stc; std; syscall\n"
    "  movq -128(%rsp), %r13; movq -8(%rsp), %r14\n" /* the push that follows overwrites it */
    "  pushfq; popq %r12; cld\n"
    "  movq %rdi, (%rbp); movq %rsi, 8(%rbp); movq %rdx, 16(%rbp); movq %r10, 24(%rbp); movq %r8, 32(%rbp)\n"
    "  movq %r9, 40(%rbp); movq %rbx, 48(%rbp); movq %rax, 56(%rbp); movq %r12, 64(%rbp)\n"
    "  movq %r13, 72(%rbp); movq %r14, 80(%rbp)\n"
    "  popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
    "  ret\n");

/* A system call must keep all registers but rax, rcx and r11, the flags, and the red zone; 1 plus the number
 * of the first of around_syscall's values that is wrong, or 0. */
GLINT_EXPORT(int32_t, syscall_keeps_state, (void)) {
  static const uint64_t in[7] = {11, 12, 13, 14, 15, 16, 17};
  static const uint64_t expected[11] = {11, 12, 13, 14, 15, 16, 17, 1, 0x401, 0x1234567, 0x7654321};
  uint64_t out[11];
  around_syscall(in, out);
  out[8] &= 0x401; /* direction and carry */
  for (int i = 0; i < 11; ++i)
    if (out[i] != expected[i]) return i + 1;
  return 0;
}
GLINT_EXPORT(glint_string, format_double, (double value)) {
  static char text[64];
  snprintf(text, sizeof text, "%.17g %a", value, value);
  return glint_string_of(text);
}
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
GLINT_EXPORT(bool, sorts, (uint32_t count)) {
  int *numbers = malloc(count * sizeof *numbers);
  uint32_t state = 7;
  bool sorted = numbers != NULL;
  for (uint32_t i = 0; sorted && i < count; ++i) numbers[i] = (int)(next_random(&state) % 1000000);
  if (sorted) qsort(numbers, count, sizeof *numbers, compare);
  for (uint32_t i = 1; sorted && i < count; ++i) sorted = numbers[i - 1] <= numbers[i];
  free(numbers);
  return sorted;
}
static jmp_buf place;
static __attribute__((noinline)) void jump_back(void) { longjmp(place, 5); }
GLINT_EXPORT(int32_t, jumps, (void)) {
  int value = setjmp(place);
  if (value == 0) jump_back();
  return value;
}
