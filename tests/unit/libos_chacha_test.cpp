// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "chacha.h"

namespace {

TEST(LibosChacha, GivesTheBlockOfRfc8439) {
  // RFC 8439, 2.3.2
  std::array<uint8_t, 32> key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  const std::array<uint8_t, 12> nonce = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
  const std::array<uint8_t, 64> expected = {
      0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
      0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
      0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
      0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
  std::array<uint8_t, 64> block{};
  chacha20_block(key.data(), 1, nonce.data(), block.data());
  EXPECT_EQ(block, expected);
}

TEST(LibosChacha, ReplacesItsKeyAndNeverGivesItOut) {
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, 12> nonce{};
  std::array<uint8_t, 64> first_block{};
  chacha20_block(key.data(), 0, nonce.data(), first_block.data());
  std::vector<uint8_t> out(200);
  chacha20_random(key.data(), out.data(), out.size());
  EXPECT_EQ(memcmp(key.data(), first_block.data(), key.size()), 0)
      << "the new key is the first half of block 0";
  EXPECT_EQ(memmem(out.data(), out.size(), key.data(), 8), nullptr);
}

TEST(LibosChacha, GivesDifferentBytesEachTimeAndFillsAllOfThem) {
  std::array<uint8_t, 32> key{};
  for (size_t size : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{1000}}) {
    std::vector<uint8_t> once(size + 1, 0xee), again(size + 1, 0xee);
    chacha20_random(key.data(), once.data(), size);
    chacha20_random(key.data(), again.data(), size);
    EXPECT_EQ(once[size], 0xee) << "wrote behind the end";
    if (size >= 16) {
      EXPECT_NE(once, again);
      EXPECT_NE(std::vector<uint8_t>(once.end() - 9, once.end() - 1), std::vector<uint8_t>(8, 0xee)) << size;
    }
  }
}

}  // namespace
