/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stddef.h>

#define PAGE 4096ull

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);

static uint64_t min_of(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t max_of(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t page_up(uint64_t value) { return (value + PAGE - 1) & ~(PAGE - 1); }

void memory_init(struct memory *m, uint64_t begin, uint64_t end) {
  uint64_t bitmap_size = page_up((end - begin) / PAGE / 8 + 8);
  m->begin = m->brk = m->brk_max = begin;
  m->end = m->map_low = m->map_min = end - bitmap_size;
  m->used = 0;
  m->bitmap = (uint64_t *)(uintptr_t)m->end;
}

/* ---- the bitmap ---------------------------------------------------------------- */

/* Pages are numbered from the end down, so that the part of the bitmap in use is its beginning. A range of
 * addresses is a range of numbers: [first, last). */
static uint64_t number_of(const struct memory *m, uint64_t end_address) {
  return (m->end - end_address) / PAGE;
}
static uint64_t address_of(const struct memory *m, uint64_t number) { return m->end - number * PAGE; }

/* The bits of word `first / 64` that lie in [first, last), as a mask. */
static uint64_t word_mask(uint64_t first, uint64_t last) {
  uint64_t low = first % 64, count = min_of(64 - low, last - first);
  return (count == 64 ? ~0ull : (1ull << count) - 1) << low;
}
static uint64_t lowest_bit(uint64_t word) { return (unsigned)__builtin_ctzll(word); }
static uint64_t highest_bit(uint64_t word) { return 63u - (unsigned)__builtin_clzll(word); }
static uint64_t next_word(uint64_t number) { return (number | 63) + 1; }

static void set_pages(struct memory *m, uint64_t first, uint64_t last) {
  for (uint64_t i = first; i < last; i = next_word(i)) {
    uint64_t mask = word_mask(i, last), *word = &m->bitmap[i / 64];
    m->used += (uint64_t)__builtin_popcountll(mask & ~*word);
    *word |= mask;
  }
}

static void clear_pages(struct memory *m, uint64_t first, uint64_t last) {
  for (uint64_t i = first; i < last; i = next_word(i)) {
    uint64_t mask = word_mask(i, last), *word = &m->bitmap[i / 64];
    m->used -= (uint64_t)__builtin_popcountll(mask & *word);
    *word &= ~mask;
  }
}

/* The first page in [first, last) that is mapped (`mapped`) or free; `last` if there is none. */
static uint64_t find_page(const struct memory *m, uint64_t first, uint64_t last, bool mapped) {
  for (uint64_t i = first; i < last; i = next_word(i)) {
    uint64_t word = m->bitmap[i / 64];
    uint64_t hits = (mapped ? word : ~word) & word_mask(i, last);
    if (hits != 0) return (i & ~63ull) + lowest_bit(hits);
  }
  return last;
}

/* The first `count` free pages in a row, in [first, last); `last` if there are none. */
static uint64_t find_run(const struct memory *m, uint64_t first, uint64_t last, uint64_t count) {
  while (first < last) {
    first = find_page(m, first, last, false);
    if (last - first < count) return last;
    uint64_t stop = find_page(m, first, first + count, true);
    if (stop == first + count) return first;
    first = stop;
  }
  return last;
}

/* After pages at the lower end were unmapped: the room below becomes available to brk again. */
static void raise_low(struct memory *m) {
  uint64_t last = number_of(m, m->map_low);
  while (last > 0) {
    uint64_t first = (last - 1) & ~63ull;
    uint64_t word = m->bitmap[first / 64] & word_mask(first, last);
    if (word != 0) {
      last = first + highest_bit(word) + 1;
      break;
    }
    last = first;
  }
  m->map_low = address_of(m, last);
}

/* ---- zeroing ---------------------------------------------------------------------- */

static void zero(uint64_t begin, uint64_t end) {
  if (begin < end) memset((void *)(uintptr_t)begin, 0, end - begin);
}

/* Zeroes what of [begin, end) was handed out before. */
static void zero_reused(const struct memory *m, uint64_t begin, uint64_t end) {
  zero(begin, min_of(end, page_up(m->brk_max)));
  zero(max_of(begin, m->map_min), end);
}

/* ---- operations --------------------------------------------------------------------- */

uint64_t memory_brk(struct memory *m, uint64_t wanted) {
  if (wanted < m->begin || wanted > m->map_low) return m->brk;
  if (wanted > m->brk) {
    zero(m->brk, min_of(wanted, m->brk_max));
    zero(max_of(m->brk, m->map_min), wanted);
    m->brk_max = max_of(m->brk_max, wanted);
  }
  m->brk = wanted;
  return wanted;
}

static void map_range(struct memory *m, uint64_t address, uint64_t size) {
  zero_reused(m, address, address + size);
  set_pages(m, number_of(m, address + size), number_of(m, address));
  m->map_low = min_of(m->map_low, address);
  m->map_min = min_of(m->map_min, address);
}

/* Finds room for `size` bytes; its address, or MEMORY_FAILED. */
static uint64_t find_room(const struct memory *m, uint64_t size) {
  uint64_t count = size / PAGE, last = number_of(m, page_up(m->brk));
  uint64_t low = number_of(m, m->map_low);
  uint64_t first = m->used < low ? 0 : low; /* no holes: straight to the free end */
  if (count > last) return MEMORY_FAILED;
  first = find_run(m, first, last, count);
  return first == last ? MEMORY_FAILED : address_of(m, first + count);
}

uint64_t memory_map(struct memory *m, uint64_t size) {
  uint64_t address = find_room(m, size);
  if (address != MEMORY_FAILED) map_range(m, address, size);
  return address;
}

static bool inside(const struct memory *m, uint64_t address, uint64_t size) {
  return address >= page_up(m->brk) && address <= m->end && size <= m->end - address;
}

bool memory_map_at(struct memory *m, uint64_t address, uint64_t size) {
  if (!inside(m, address, size)) return false;
  map_range(m, address, size);
  return true;
}

bool memory_unmap(struct memory *m, uint64_t address, uint64_t size) {
  if (!inside(m, address, size)) return false;
  uint64_t begin = max_of(address, m->map_low); /* below it nothing is mapped */
  if (begin >= address + size) return true;
  clear_pages(m, number_of(m, address + size), number_of(m, begin));
  if (begin == m->map_low) raise_low(m);
  return true;
}

bool memory_is_mapped(const struct memory *m, uint64_t address, uint64_t size) {
  if (!inside(m, address, size) || address < m->map_low) return false;
  uint64_t last = number_of(m, address);
  return find_page(m, number_of(m, address + size), last, false) == last;
}

bool memory_is_free(const struct memory *m, uint64_t address, uint64_t size) {
  if (!inside(m, address, size)) return false;
  uint64_t last = number_of(m, address);
  return find_page(m, number_of(m, address + size), last, true) == last;
}

uint64_t memory_remap(struct memory *m, uint64_t address, uint64_t old_size, uint64_t new_size,
                      bool may_move) {
  if (!memory_is_mapped(m, address, old_size)) return MEMORY_FAILED;
  if (new_size <= old_size) {
    memory_unmap(m, address + new_size, old_size - new_size);
    return address;
  }
  if (memory_is_free(m, address + old_size, new_size - old_size)) {
    map_range(m, address + old_size, new_size - old_size);
    return address;
  }
  if (!may_move) return MEMORY_FAILED;
  uint64_t target = memory_map(m, new_size);
  if (target == MEMORY_FAILED) return MEMORY_FAILED;
  memcpy((void *)(uintptr_t)target, (const void *)(uintptr_t)address, old_size);
  memory_unmap(m, address, old_size);
  return target;
}
