/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to its memory in all the ways that there are, and then ends in one of many. */
#include <glint_guest.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "vectors.h"

#define PAGE 4096ull
#define BLOCK (1ull << 20)
#define MIB (1ull << 20)

/* Touched before the snapshot is taken, in part: so some pages are in it, and some are zero. */
static uint8_t block[BLOCK];
static uint64_t state;
static uint32_t vector_level;

static uint64_t draw(void) { /* xorshift64* */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dull;
}

GLINT_EXPORT(void, prepare, (void)) {
  vector_level = find_vector_level();
  for (uint64_t page = 0; page < BLOCK / PAGE; page += 3) memset(block + page * PAGE, (int)page | 1, PAGE);
}

static void store_vector(uint8_t *at, uint64_t value) {
  if (vector_level == LEVEL_AVX512 && (value & 1) != 0) {
    __asm__ volatile("vpbroadcastq %1, %%zmm1; vmovdqu64 %%zmm1, (%0)"
                     :
                     : "r"(at), "r"(value)
                     : "xmm1", "memory");
  } else if (vector_level >= LEVEL_AVX) {
    __asm__ volatile("vmovq %1, %%xmm0; vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0; vmovdqu %%ymm0, (%0)"
                     :
                     : "r"(at), "r"(value)
                     : "xmm0", "memory");
  }
}

/* 1 to 64 bytes, anywhere, also across the end of a page. */
static void store(uint8_t *at, uint64_t value) {
  switch (draw() % 9) {
    case 8:
      store_vector(at, value);
      break;
    case 0:
      *(volatile uint8_t *)at = (uint8_t)value;
      break;
    case 1:
      memcpy(at, &value, 2);
      break;
    case 2:
      memcpy(at, &value, 4);
      break;
    case 3:
      memcpy(at, &value, 8);
      break;
    case 4:
      __asm__ volatile("movq %1, %%xmm0; punpcklqdq %%xmm0, %%xmm0; movdqu %%xmm0, (%0)"
                       :
                       : "r"(at), "r"(value)
                       : "xmm0", "memory");
      break;
    case 5:
      __asm__ volatile("movnti %1, (%0); sfence" : : "r"((uintptr_t)at & ~7ull), "r"(value) : "memory");
      break;
    case 6:
      __asm__ volatile("lock xaddq %1, (%0)" : "+r"(at), "+r"(value) : : "memory");
      break;
    default:
      __asm__ volatile("lock btsq $5, (%0)" : : "r"(at) : "memory");
      break;
  }
}

static void string_moves(uint8_t *at) {
  uint64_t count = draw() % 9000;
  void *to = at;
  if (draw() & 1) {
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"((int)draw()) : "memory");
  } else {
    const void *from = block;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  }
}

/* The libos writes for the program. */
static void through_libos(uint8_t *at) {
  switch (draw() % 3) {
    case 0:
      if (getrandom(at, draw() % 5000, 0) < 0) abort();
      break;
    case 1:
      clock_gettime(CLOCK_MONOTONIC, (struct timespec *)((uintptr_t)at & ~15ull));
      break;
    default:
      if (read(0, at, draw() % 5000) < 0) abort();
  }
}

static void memory_calls(void) {
  uint64_t size = (1 + draw() % 64) * PAGE;
  uint8_t *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return;
  memset(mapped, 0x5a, size);
  if (draw() & 1) munmap(mapped, size);
  /* Whole pages: glibc's malloc asserts that the break which it finds is at one. */
  uint8_t *grown = sbrk((intptr_t)((1 + draw() % 32) * PAGE));
  if (grown != (void *)-1) *(volatile uint8_t *)grown = 1;
  void *allocated = malloc(draw() % (256 * 1024));
  if (allocated != NULL) memset(allocated, 0xa5, 16);
  if (draw() & 1) free(allocated);
}

/* Across a 2 MiB boundary of the heap. */
static void across_large_page(void) {
  uint8_t *area = malloc(5 * MIB);
  if (area == NULL) return;
  uint8_t *boundary = (uint8_t *)(((uintptr_t)area + 2 * MIB) & ~(2 * MIB - 1));
  memset(boundary - 3, 0x77, 6);
  if (draw() & 1) free(area);
}

static void transfer_area(void) {
  uint64_t at =
      GLINT_TRANSFER_PAYLOAD + PAGE + draw() % (GLINT_TRANSFER_INITIAL - GLINT_TRANSFER_PAYLOAD - 2 * PAGE);
  *(volatile uint64_t *)(GLINT_GVA_TRANSFER + (at & ~7ull)) = draw();
}

static void scramble_registers(void) {
  uint64_t bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = draw();
  uint32_t mxcsr = 0x1fbf;
  __asm__ volatile("fldpi; fldl2e; ldmxcsr %0" : : "m"(mxcsr));
  fill_vectors((const uint8_t *)bytes, vector_level);
}

static int recurse(volatile int *above) {
  volatile int frame[512];
  frame[0] = *above + 1;
  if (frame[0] == 0) return 0; /* never; without it the compiler complains */
  return recurse(frame) + frame[0];
}

static void spin(void) {
  for (;;) __asm__ volatile("pause" : : : "memory");
}

/* How it ends: 0 returns. */
enum {
  END_RETURN,
  END_ERROR,
  END_FAULT,
  END_ABORT,
  END_EXIT,
  END_STACK,
  END_MEMORY,
  END_SPIN,
  END_FS,
  END_COUNT
};

static void finish(uint32_t end) {
  switch (end) {
    case END_ERROR:
      glint_return_error(7, "as asked");
      break;
    case END_FAULT:
      __asm__ volatile("ud2");
      break;
    case END_ABORT:
      abort();
    case END_EXIT:
      _exit(3);
    case END_STACK: {
      volatile int first = 0;
      first = recurse(&first);
      break;
    }
    case END_MEMORY:
      for (;;) {
        uint8_t *more = malloc(PAGE * 16);
        *(volatile uint8_t *)more = 1;
      }
    case END_SPIN:
      spin();
      break;
    case END_FS:
      /* arch_prctl(ARCH_SET_FS), and then anything that needs it. */
      __asm__ volatile("syscall" : : "a"(158), "D"(0x1002), "S"(0x1000) : "rcx", "r11", "memory");
      __asm__ volatile("movq %%fs:0, %%rax" : : : "rax");
      break;
    default:
      break;
  }
}

GLINT_EXPORT(uint64_t, dirty, (uint64_t seed, uint32_t writes, uint32_t end)) {
  state = seed | 1;
  for (uint32_t i = 0; i < writes; ++i) {
    uint8_t *at = block + draw() % (BLOCK - 16384);
    switch (draw() % 8) {
      case 0:
        string_moves(at);
        break;
      case 1:
        through_libos(at);
        break;
      case 2:
        memory_calls();
        break;
      case 3:
        across_large_page();
        break;
      case 4:
        transfer_area();
        break;
      default:
        store(at, draw());
    }
  }
  if (draw() & 1) scramble_registers();
  finish(end);
  return state;
}

/* For the tests of calls: what does the same from the same state. */
GLINT_EXPORT(uint64_t, count, (void)) {
  static uint64_t calls;
  return ++calls;
}

GLINT_EXPORT(uint64_t, touch, (uint32_t pages)) {
  for (uint64_t i = 0; i < pages; ++i) block[i * PAGE % BLOCK] += 1;
  return block[0];
}

GLINT_EXPORT(uint64_t, random_word, (void)) {
  uint64_t word;
  if (getrandom(&word, sizeof word, 0) != sizeof word) abort();
  return word;
}

/* Whenever it is stopped, it is most likely inside the libos, which writes 64 KiB at a time. */
GLINT_EXPORT(void, stay_in_libos, (void)) {
  for (;;)
    if (getrandom(block, 65536, 0) < 0) abort();
}

GLINT_EXPORT(uint64_t, monotonic_ns, (void)) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Memory that is not there: the host sees the access, and the guest stops in the middle of it. */
static void *behind_transfer(void) { return (void *)(GLINT_GVA_TRANSFER + GLINT_TRANSFER_INITIAL); }

GLINT_EXPORT(void, store_behind, (uint64_t word)) {
  __asm__ volatile("movq %0, (%1)" : : "r"(word), "r"(behind_transfer()) : "memory");
}

/* Reads from there and writes to the page, by one instruction. */
GLINT_EXPORT(void, copy_from_behind, (uint32_t page)) {
  void *to = block + page * PAGE, *from = behind_transfer();
  __asm__ volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
}

GLINT_EXPORT(uint64_t, word_of, (uint32_t page)) { return *(volatile uint64_t *)(block + page * PAGE); }

/* Writes to a page, and ends the program without another write. */
GLINT_EXPORT(void, write_and_exit, (uint32_t page)) {
  *(volatile uint64_t *)(block + page * PAGE) = 0x5ec7e7;
  volatile struct glint_abi_header *header = (void *)GLINT_GVA_TRANSFER;
  header->exit_code = 0;
  header->exit_kind = GLINT_EXIT_PROGRAM;
  __asm__ volatile("outl %%eax, %0" : : "N"(GLINT_EXIT_PORT), "a"(0) : "memory");
}

GLINT_EXPORT(void, write_word, (uint32_t page, uint64_t word)) {
  *(volatile uint64_t *)(block + page * PAGE) = word;
}
