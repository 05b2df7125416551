// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace glint::core {

// XXH3, which finds damage and tells different contents apart, at the speed of memory. It does not withstand
// somebody who wants two contents to have the same value.

uint64_t hash64(std::span<const std::byte> bytes);

using Hash128 = std::array<std::byte, 16>;

// The hash of all that was added, as if it were one piece.
class Hasher {
 public:
  Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void add(std::span<const std::byte> bytes);
  void add(uint64_t number);  // little endian

  // Each of them starts anew.
  uint64_t finish64();
  Hash128 finish128();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace glint::core
