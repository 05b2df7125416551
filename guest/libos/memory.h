/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_LIBOS_MEMORY_H
#define GLINT_LIBOS_MEMORY_H

/* The guest's heap: brk grows up from the arena's begin, mappings come down from its end. Pure bookkeeping
 * over one range of memory, so that it is tested as an ordinary program.
 *
 * Memory handed out reads as zero. Pages that were never handed out are zero already (the host gives zeroed
 * memory), and must not be touched, because each first touch costs microseconds: see `brk_max` and `map_min`.
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MEMORY_FAILED UINT64_MAX

struct memory {
  uint64_t begin;   /* where brk starts                                                  */
  uint64_t end;     /* exclusive; the bitmap lies behind it                              */
  uint64_t brk;     /* end of the brk area, any byte                                     */
  uint64_t brk_max; /* the highest it ever was                                           */
  uint64_t map_low; /* the lowest mapped page, or end: below it nothing is mapped        */
  uint64_t map_min; /* the lowest it ever was: [brk_max, map_min) was never handed out   */
  uint64_t used;    /* mapped pages                                                      */
  uint64_t *bitmap; /* one bit a page, counted from the end down; 1: mapped              */
};

/* [begin, end) is page aligned, zeroed memory. Touches none of it. */
void memory_init(struct memory *m, uint64_t begin, uint64_t end);

/* Moves the end of the brk area; its end afterwards, which is the old one if there is no room. */
uint64_t memory_brk(struct memory *m, uint64_t wanted);

/* Maps `size` bytes (whole pages, not 0) anywhere; the address, or MEMORY_FAILED. */
uint64_t memory_map(struct memory *m, uint64_t size);

/* Maps exactly [address, address + size), whole pages, in place of what is there. False when that is not
 * inside the part of the arena that is free of brk. */
bool memory_map_at(struct memory *m, uint64_t address, uint64_t size);

/* Unmaps what is mapped in [address, address + size), whole pages. False when outside, as above. */
bool memory_unmap(struct memory *m, uint64_t address, uint64_t size);

/* Changes the size of a mapping (whole pages); it may move. The address, or MEMORY_FAILED. */
uint64_t memory_remap(struct memory *m, uint64_t address, uint64_t old_size, uint64_t new_size,
                      bool may_move);

/* Is every page of [address, address + size) mapped, or none of them? */
bool memory_is_mapped(const struct memory *m, uint64_t address, uint64_t size);
bool memory_is_free(const struct memory *m, uint64_t address, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
