/* SPDX-License-Identifier: Apache-2.0 */
#include "chacha.h"

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static void quarter_round(uint32_t *x, int a, int b, int c, int d) {
  x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
  x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
  x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
  x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

void chacha20_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12], uint8_t out[64]) {
  uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  uint32_t x[16];
  memcpy(start + 4, key, 32);
  start[12] = counter;
  memcpy(start + 13, nonce, 12);
  memcpy(x, start, sizeof x);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) quarter_round(x, i, i + 4, i + 8, i + 12);
    for (int i = 0; i < 4; ++i) quarter_round(x, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12);
  }
  for (int i = 0; i < 16; ++i) x[i] += start[i];
  memcpy(out, x, sizeof x);
  memset(x, 0, sizeof x);
}

void chacha20_random(uint8_t key[32], uint8_t *out, uint64_t size) {
  static const uint8_t nonce[12];
  uint8_t old_key[32], block[64];
  memcpy(old_key, key, sizeof old_key);
  chacha20_block(old_key, 0, nonce, block);
  memcpy(key, block, 32); /* the next key, before anything else is given out */
  for (uint32_t counter = 1; size > 0; ++counter) {
    /* 2^32 blocks are 256 GiB: more than a guest's memory, so the counter does not wrap. */
    chacha20_block(old_key, counter, nonce, block);
    uint64_t part = size < sizeof block ? size : sizeof block;
    memcpy(out, block, part);
    out += part;
    size -= part;
  }
  memset(old_key, 0, sizeof old_key);
  memset(block, 0, sizeof block);
  __asm__ volatile("" : : "r"(old_key), "r"(block) : "memory"); /* or the wipes would be optimized away */
}
