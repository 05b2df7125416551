// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

// Compiled into this file, so that no symbol of it is seen outside and no library is needed to run.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>

namespace glint::core {

static_assert(std::endian::native == std::endian::little);

// The 64-bit and the 128-bit hash share their streaming state (xxhash.h, "XXH3 128-bit variant"): only taking
// the result differs.
struct Hasher::State {
  XXH3_state_t xxh;
};

uint64_t hash64(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh); }
Hasher::~Hasher() = default;

void Hasher::add(std::span<const std::byte> bytes) {
  if (!bytes.empty()) XXH3_64bits_update(&state_->xxh, bytes.data(), bytes.size());
}

void Hasher::add(uint64_t number) { add(std::as_bytes(std::span(&number, 1))); }

uint64_t Hasher::finish64() {
  const uint64_t result = XXH3_64bits_digest(&state_->xxh);
  XXH3_64bits_reset(&state_->xxh);
  return result;
}

Hash128 Hasher::finish128() {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->xxh));
  XXH3_64bits_reset(&state_->xxh);
  Hash128 result;
  static_assert(sizeof result == sizeof canonical);
  std::memcpy(result.data(), &canonical, sizeof result);
  return result;
}

}  // namespace glint::core
