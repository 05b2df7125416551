/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that must stay what it was while a sandbox is parked, and must be no other sandbox's. */
#include <glint_guest.h>

#include <stdlib.h>

#define WORDS 8192 /* 64 KiB each */

static uint64_t in_bss[WORDS];
static uint64_t in_data[WORDS] = {1};
static uint64_t *on_heap;
static int64_t count;

GLINT_EXPORT(int64_t, increment, (void)) { return ++count; }
GLINT_EXPORT(int64_t, counter, (void)) { return count; }

static void fill_words(uint64_t *words, size_t size, uint64_t pattern) {
  for (size_t i = 0; i < size; ++i) words[i] = pattern ^ i * 0x9e3779b97f4a7c15u;
}
static bool holds_words(const uint64_t *words, size_t size, uint64_t pattern) {
  for (size_t i = 0; i < size; ++i)
    if (words[i] != (pattern ^ i * 0x9e3779b97f4a7c15u)) return false;
  return true;
}

/* The part of the stack below the serve loop, which no call needs between two calls. */
#define DEEP 65536
static uint64_t *deep_stack(void) {
  uint64_t here = (uint64_t)__builtin_frame_address(0);
  return (uint64_t *)((here - 2 * DEEP) & ~4095ull);
}

GLINT_EXPORT(bool, fill, (uint64_t pattern)) {
  if (on_heap == NULL) on_heap = malloc(sizeof in_bss);
  if (on_heap == NULL) return false;
  fill_words(in_bss, WORDS, pattern);
  fill_words(in_data, WORDS, pattern + 1);
  fill_words(on_heap, WORDS, pattern + 2);
  fill_words(deep_stack(), DEEP / 8, pattern + 3);
  return true;
}
/* 0, or the number of the first part that is not as fill() left it. */
GLINT_EXPORT(int32_t, verify, (uint64_t pattern)) {
  if (!holds_words(in_bss, WORDS, pattern)) return 1;
  if (!holds_words(in_data, WORDS, pattern + 1)) return 2;
  if (on_heap == NULL || !holds_words(on_heap, WORDS, pattern + 2)) return 3;
  return holds_words(deep_stack(), DEEP / 8, pattern + 3) ? 0 : 4;
}
/* True when nothing was filled in yet: for a new sandbox after another one used its shell. */
GLINT_EXPORT(bool, is_untouched, (void)) {
  for (size_t i = 0; i < WORDS; ++i)
    if (in_bss[i] != 0 || in_data[i] != (i == 0)) return false;
  const uint64_t *stack = deep_stack();
  for (size_t i = 0; i < DEEP / 8; ++i)
    if (stack[i] != 0) return false;
  return on_heap == NULL && count == 0;
}

/* Looks for 8 bytes in all of the transfer area's payload part behind this call. */
GLINT_EXPORT(bool, transfer_holds, (uint64_t word)) {
  volatile struct glint_abi_header *header = (volatile struct glint_abi_header *)GLINT_GVA_TRANSFER;
  for (uint64_t offset = (header->call_end + 7) & ~7ull; offset + 8 <= header->size; offset += 8)
    if (*(const volatile uint64_t *)(GLINT_GVA_TRANSFER + offset) == word) return true;
  return false;
}
