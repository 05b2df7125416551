// SPDX-License-Identifier: Apache-2.0
//
// Frames and text records: pure functions over hostile bytes.

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/checked.hpp"
#include "transfer/frame.hpp"
#include "transfer/header.hpp"

namespace glint::test {
namespace {

using namespace glint::core;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool utf8(std::string_view text) { return is_utf8(bytes(text)); }

TEST(Utf8, AcceptsWhatIsWellFormed) {
  EXPECT_TRUE(utf8(""));
  EXPECT_TRUE(utf8("plain ASCII that is longer than eight bytes"));
  EXPECT_TRUE(
      utf8("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 "
           "\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(utf8(std::string_view("nul\0nul", 7)));
}

TEST(Utf8, RefusesWhatIsNot) {
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xe0\x9f\xbf",
                          "\xe1\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xff", "\xfe", "12345678\xff", "1234567\xc2", "abc\xe2\x82"}) {
    EXPECT_FALSE(utf8(bad)) << std::hex << static_cast<unsigned>(static_cast<unsigned char>(bad[0]));
  }
}

// The plain definition: decode, and look at the code point.
bool utf8_by_definition(std::span<const std::byte> text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = std::to_integer<unsigned>(text[i]);
    const size_t length = lead < 0x80       ? 1
                          : lead >> 5 == 6  ? 2
                          : lead >> 4 == 14 ? 3
                          : lead >> 3 == 30 ? 4
                                            : 0;
    if (length == 0 || text.size() - i < length) return false;
    unsigned point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = std::to_integer<unsigned>(text[i + k]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3f);
    }
    const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += length;
  }
  return true;
}

TEST(Utf8, AgreesWithTheDefinitionOnRandomBytes) {
  std::mt19937 random(3);
  const unsigned kInteresting[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
                                   0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
  for (int round = 0; round < 200'000; ++round) {
    std::vector<std::byte> text(random() % 12);
    for (auto& b : text) b = std::byte(kInteresting[random() % std::size(kInteresting)]);
    ASSERT_EQ(is_utf8(text), utf8_by_definition(text));
  }
}

TEST(Frame, WhatIsWrittenIsReadBack) {
  std::mt19937_64 random(5);
  const std::string text = "Grüße, Glint";
  std::vector<std::byte> blob(3000);
  for (auto& b : blob) b = std::byte(random());
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> area(1 << 17);
    std::vector<Value> values(random() % (kMaxValues + 1));
    std::vector<glint_abi_type> types;
    for (Value& v : values) {
      const auto type = static_cast<glint_abi_type>(1 + random() % (GLINT_ABI_TYPE_COUNT - 1));
      types.push_back(type);
      if (type == GLINT_ABI_STRING) {
        v = Value::of_bytes(type, bytes(text));
      } else if (type == GLINT_ABI_BYTES) {
        v = Value::of_bytes(type, std::span(blob).first(random() % blob.size()));
      } else {
        v = Value::scalar(type, type == GLINT_ABI_BOOL ? random() % 2 : random() & 0xffffffff);
      }
    }
    ASSERT_TRUE(check_values("f", types, values));
    const uint64_t offset = (random() % 1000) * GLINT_TRANSFER_ALIGN;
    const uint64_t end = write_frame(area, offset, values);
    EXPECT_EQ(end, offset + frame_size(values));
    std::vector<Value> back(kMaxValues);
    ASSERT_TRUE(read_frame("f", area, offset, types, back));
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(back[i].type, values[i].type);
      EXPECT_EQ(back[i].bits, values[i].bits);
      EXPECT_TRUE(std::equal(back[i].bytes.begin(), back[i].bytes.end(), values[i].bytes.begin(),
                             values[i].bytes.end()));
    }
  }
}

TEST(Frame, RandomSlotsGiveAViewInsideTheAreaOrAnError) {
  std::mt19937_64 random(11);
  std::vector<std::byte> area(8192);
  const auto pick = [&]() -> uint64_t {
    switch (random() % 4) {
      case 0:
        return random() % 9000;
      case 1:
        return ~0ull - random() % 9000;
      case 2:
        return area.size() - random() % 20;
      default:
        return random();
    }
  };
  for (int round = 0; round < 100'000; ++round) {
    const uint64_t slot_offset = pick();
    const auto type = static_cast<glint_abi_type>(random() % GLINT_ABI_TYPE_COUNT);
    if (in_range(slot_offset, sizeof(glint_abi_value), area.size())) {
      const glint_abi_value slot{
          static_cast<uint32_t>(random() % 3 == 0 ? random() : static_cast<uint64_t>(type)),
          static_cast<uint32_t>(pick()), pick()};
      std::memcpy(area.data() + slot_offset, &slot, sizeof slot);
    }
    Value value;
    if (!read_frame("f", area, slot_offset, std::span(&type, 1), std::span(&value, 1))) continue;
    EXPECT_EQ(value.type, type);
    if (!value.bytes.empty()) {
      EXPECT_GE(value.bytes.data(), area.data());
      EXPECT_LE(value.bytes.data() + value.bytes.size(), area.data() + area.size());
    }
  }
}

TEST(Frame, ValuesOverTheLimitOrOfAWrongWidthAreRefused) {
  const std::vector<std::byte> large(GLINT_MAX_PAYLOAD + 1u);
  EXPECT_TRUE(check_value("v", GLINT_ABI_BYTES,
                          Value::of_bytes(GLINT_ABI_BYTES, std::span(large).first(GLINT_MAX_PAYLOAD))));
  EXPECT_EQ(check_value("v", GLINT_ABI_BYTES, Value::of_bytes(GLINT_ABI_BYTES, large)).error().code,
            GLINT_E_TOO_LARGE);
  EXPECT_FALSE(check_value("v", GLINT_ABI_BOOL, Value::scalar(GLINT_ABI_BOOL, 2)));
  EXPECT_FALSE(check_value("v", GLINT_ABI_I32, Value::scalar(GLINT_ABI_I32, 1ull << 32)));
  EXPECT_TRUE(check_value("v", GLINT_ABI_I32, Value::scalar(GLINT_ABI_I32, 0xffffffff)));
}

TEST(Text, RandomBytesAreVisitedInsideTheAreaOrRefused) {
  std::mt19937 random(13);
  std::vector<std::byte> area(GLINT_TRANSFER_INITIAL);
  for (int round = 0; round < 20'000; ++round) {
    const auto size = static_cast<uint32_t>(random() % 256);
    for (uint32_t i = 0; i < size; i += 4) {
      const auto word = static_cast<uint32_t>(random() % 3 == 0 ? random() : random() % 12);
      std::memcpy(area.data() + GLINT_TRANSFER_TEXT + i, &word, sizeof word);
    }
    uint64_t seen = 0;
    const auto result = visit_text(area, size, [&](glint_abi_text kind, std::span<const std::byte> payload) {
      EXPECT_GE(kind, GLINT_TEXT_STDOUT);
      EXPECT_LE(kind, GLINT_TEXT_UNKNOWN_SYSCALL);
      if (!payload.empty()) {
        EXPECT_GE(payload.data(), area.data() + GLINT_TRANSFER_TEXT);
        EXPECT_LE(payload.data() + payload.size(), area.data() + GLINT_TRANSFER_TEXT + size);
      }
      seen += payload.size();
    });
    EXPECT_LE(seen, size);
    if (!result) {
      EXPECT_EQ(result.error().code, GLINT_E_GUEST_PROTOCOL);
    }
  }
}

TEST(Checked, ArithmeticThatWouldWrapIsEmpty) {
  EXPECT_EQ(checked_add<uint64_t>(~0ull, 1), std::nullopt);
  EXPECT_EQ(checked_add<uint64_t>(~0ull - 1, 1), ~0ull);
  EXPECT_EQ(checked_mul<uint64_t>(1ull << 32, 1ull << 32), std::nullopt);
  EXPECT_EQ(checked_align_up(~0ull - 4094, 4096), std::nullopt);
  EXPECT_EQ(checked_align_up(4097, 4096), 8192u);
  EXPECT_TRUE(in_range(0, 0, 0));
  EXPECT_FALSE(in_range(1, 0, 0));
  EXPECT_FALSE(in_range(8, ~0ull, 16));
  EXPECT_FALSE(in_range(~0ull, 8, 16));
}

}  // namespace
}  // namespace glint::test
