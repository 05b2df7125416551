/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a word everywhere it can, and looks for one everywhere it can. What it is asked to look for is given
 * as its complement, so that the question itself is not found. */
#include <glint_guest.h>

#include <stdlib.h>
#include <unistd.h>

#define WORDS 8192 /* 64 KiB */
#define MIB (1ull << 20)

static uint64_t in_bss[WORDS];
static uint64_t in_data[WORDS] = {1};

static volatile struct glint_abi_header *header(void) {
  return (volatile struct glint_abi_header *)GLINT_GVA_TRANSFER;
}

static void fill(uint64_t *words, uint64_t count, uint64_t word) {
  for (uint64_t i = 0; i < count; ++i) words[i] = word;
}
static uint64_t *transfer_at(uint64_t offset) { return (uint64_t *)(GLINT_GVA_TRANSFER + offset); }

__attribute__((noinline)) static void fill_stack(uint64_t word) {
  uint64_t words[WORDS];
  fill(words, WORDS, word);
  __asm__ volatile("" : : "r"(words) : "memory");
}

/* The whole of the first MiB but its header; of what was added to it the first 7 MiB, and a page in each MiB.
 */
static void fill_transfer(uint64_t word) {
  uint64_t size = header()->size, begin = (header()->call_end + 15) & ~15ull;
  fill(transfer_at(begin), (MIB - begin) / 8, word);
  fill(transfer_at(GLINT_TRANSFER_TEXT), GLINT_TRANSFER_TEXT_SIZE / 8, word);
  if (size <= MIB) return;
  fill(transfer_at(MIB), 7 * MIB / 8, word);
  for (uint64_t offset = 8 * MIB; offset < size; offset += MIB) fill(transfer_at(offset), 512, word);
}

/* Heap (a block that is kept and one that is freed), data, stack, transfer area, and the free part of the
 * arena up to what malloc gives. Grows the transfer area first if asked to. Ends with a fault, or the
 * program, or returns. */
enum { END_RETURN, END_FAULT, END_EXIT };
GLINT_EXPORT(bool, plant, (uint64_t word, bool grow, uint32_t end)) {
  if (grow && glint_result_buffer(2 * MIB) == NULL) return false;
  uint64_t *kept = malloc(MIB), *freed = malloc(MIB), *small = malloc(256);
  if (kept == NULL || freed == NULL || small == NULL) return false;
  fill(kept, MIB / 8, word);
  fill(freed, MIB / 8, word);
  fill(small, 32, word);
  free(freed);
  free(small);
  fill(in_bss, WORDS, word);
  fill(in_data, WORDS, word);
  fill_stack(word);
  fill_transfer(word);
  if (end == END_FAULT) __asm__ volatile("ud2");
  if (end == END_EXIT) _exit(0);
  return true;
}

/* How often the complement of `complement` stands in [address, address + size). */
GLINT_EXPORT(uint64_t, count_words, (uint64_t address, uint64_t size, uint64_t complement)) {
  const volatile uint64_t *words = (const volatile uint64_t *)address;
  uint64_t found = 0;
  for (uint64_t i = 0; i < size / 8; ++i) found += (words[i] ^ complement) == UINT64_MAX;
  return found;
}
/* The same for what fill_transfer() may have reached. */
GLINT_EXPORT(uint64_t, count_in_transfer, (uint64_t complement)) {
  uint64_t size = header()->size;
  uint64_t found = count_words(GLINT_GVA_TRANSFER, size < 8 * MIB ? size : 8 * MIB, complement);
  for (uint64_t offset = 8 * MIB; offset < size; offset += MIB)
    found += count_words(GLINT_GVA_TRANSFER + offset, 4096, complement);
  return found;
}
GLINT_EXPORT(uint64_t, transfer_size, (void)) { return header()->size; }
/* The argument and a copy of it are in the transfer area afterwards. */
GLINT_EXPORT(glint_bytes, give_back, (glint_bytes value)) {
  uint8_t *copy = glint_result_buffer(value.size);
  if (copy == NULL) return value;
  memcpy(copy, value.data, value.size);
  return glint_bytes_of(copy, value.size);
}
