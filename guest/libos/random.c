/* SPDX-License-Identifier: Apache-2.0 */
#include "chacha.h"
#include "libos.h"

void random_bytes(uint8_t *out, uint64_t size) { chacha20_random(libos.random_key, out, size); }

/* Other guests may go on from the very state of this one. The host gives each a seed of its own; where it has
 * none to give, the seed is zero, and the key stays. */
void random_stir(void) {
  uint8_t *seed = (uint8_t *)HEADER->seed;
  for (unsigned i = 0; i < sizeof libos.random_key; ++i) libos.random_key[i] ^= seed[i];
  memset(seed, 0, sizeof HEADER->seed);
}

int64_t sys_getrandom(const struct syscall *call) {
  const uint64_t known_flags = 7;   /* GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE: all the same here */
  const uint64_t most = 0x7ffff000; /* as in Linux */
  uint64_t size = call->args[1] < most ? call->args[1] : most;
  if (call->args[2] & ~known_flags) return -EINVAL;
  random_bytes((uint8_t *)call->args[0], size);
  return (int64_t)size;
}
