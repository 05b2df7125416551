/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_LIBOS_CHACHA_H
#define GLINT_LIBOS_CHACHA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One block of ChaCha20 (RFC 8439, 2.3). */
void chacha20_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12], uint8_t out[64]);

/* Fills `out` and replaces the key, so that earlier output cannot be computed from it ("fast key erasure").
 */
void chacha20_random(uint8_t key[32], uint8_t *out, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
