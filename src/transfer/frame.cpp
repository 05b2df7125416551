// SPDX-License-Identifier: Apache-2.0
#include "transfer/frame.hpp"

#include <array>
#include <cstring>
#include <string>

#include "base/check.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

bool is_payload(glint_abi_type type) { return type == GLINT_ABI_STRING || type == GLINT_ABI_BYTES; }

bool is_narrow(glint_abi_type type) {
  return type == GLINT_ABI_I32 || type == GLINT_ABI_U32 || type == GLINT_ABI_F32;
}

// Scalars are zero-extended from their own width; anything else is an encoding that was not agreed upon.
bool scalar_fits(glint_abi_type type, uint64_t bits) {
  if (type == GLINT_ABI_BOOL) return bits <= 1;
  return !is_narrow(type) || bits <= 0xffffffffu;
}

std::string position(std::string_view function, size_t index) {
  return std::string(function) + ", argument " + std::to_string(index + 1);
}

// One continuation byte of UTF-8, or a narrower range for the second byte of some sequences.
bool in(std::byte b, unsigned low, unsigned high) {
  const auto value = std::to_integer<unsigned>(b);
  return value >= low && value <= high;
}

// The length of the well-formed sequence at the start of `text`, which is not empty; 0 if it is malformed.
size_t sequence_length(std::span<const std::byte> text) {
  const auto lead = std::to_integer<unsigned>(text[0]);
  if (lead < 0x80) return 1;
  unsigned low = 0x80, high = 0xbf;  // of the second byte (Unicode 15, table 3-7)
  size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  }
  if (length == 0 || text.size() < length || !in(text[1], low, high)) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!in(text[i], 0x80, 0xbf)) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::span<const std::byte> text) {
  // Most text is ASCII, and a megabyte of it should cost less than its copy: 64 bytes at a time.
  constexpr size_t kBlock = 64;
  constexpr uint64_t kHighBits = 0x8080808080808080ull;
  while (!text.empty()) {
    while (text.size() >= kBlock) {
      std::array<uint64_t, kBlock / sizeof(uint64_t)> words;
      std::memcpy(words.data(), text.data(), kBlock);
      uint64_t any = 0;
      for (const uint64_t word : words) any |= word;
      if ((any & kHighBits) != 0) break;
      text = text.subspan(kBlock);
    }
    // The rest, or the block that is not ASCII alone.
    const size_t end = text.size() >= kBlock ? text.size() - kBlock : 0;
    do {
      if (text.empty()) return true;
      const size_t length = sequence_length(text);
      if (length == 0) return false;
      text = text.subspan(length);
    } while (text.size() > end);
  }
  return true;
}

Result<void> check_value(std::string_view what, glint_abi_type type, const Value& value) {
  if (value.type != type) {
    return error(GLINT_E_SIGNATURE, std::string(what) + ": expected " + std::string(type_name(type)) +
                                        ", given " + std::string(type_name(value.type)));
  }
  if (!is_payload(type)) {
    if (scalar_fits(type, value.bits)) return {};
    return error(GLINT_E_SIGNATURE,
                 std::string(what) + ": the value does not fit " + std::string(type_name(type)));
  }
  if (value.bytes.size() > GLINT_MAX_PAYLOAD) {
    return error(GLINT_E_TOO_LARGE, std::string(what) + ": " + std::to_string(value.bytes.size()) +
                                        " bytes are more than the " + std::to_string(GLINT_MAX_PAYLOAD) +
                                        " that one value may have");
  }
  if (type == GLINT_ABI_STRING && !is_utf8(value.bytes)) {
    return error(GLINT_E_INVALID_ARGUMENT,
                 std::string(what) + ": the string is not valid UTF-8; pass it as bytes");
  }
  return {};
}

Result<void> check_values(std::string_view function, std::span<const glint_abi_type> types,
                          std::span<const Value> values) {
  if (types.size() != values.size()) {
    return error(GLINT_E_SIGNATURE, std::string(function) + ": expected " + std::to_string(types.size()) +
                                        (types.size() == 1 ? " argument" : " arguments") + ", given " +
                                        std::to_string(values.size()));
  }
  for (size_t i = 0; i < types.size(); ++i) {
    // The message is built only when it is needed: this is the call path.
    const bool plain =
        values[i].type == types[i] && !is_payload(types[i]) && scalar_fits(types[i], values[i].bits);
    if (!plain) GLINT_TRY(check_value(position(function, i), types[i], values[i]));
  }
  return {};
}

uint64_t frame_size(std::span<const Value> values) {
  uint64_t size = values.size() * sizeof(glint_abi_value);
  for (const Value& value : values) size += align_up(value.bytes.size(), GLINT_TRANSFER_ALIGN);
  return size;
}

uint64_t write_frame(std::span<std::byte> transfer, uint64_t offset, std::span<const Value> values) {
  require(in_range(offset, frame_size(values), transfer.size()), "a frame does not fit the transfer area");
  uint64_t payload = offset + values.size() * sizeof(glint_abi_value);
  for (const Value& value : values) {
    glint_abi_value slot{};
    slot.type = value.type;
    slot.bits = value.bits;
    if (is_payload(value.type)) {
      slot.length = static_cast<uint32_t>(value.bytes.size());  // checked: at most GLINT_MAX_PAYLOAD
      slot.bits = payload;
      // A result may be a view of an argument, which lies in the transfer area too: the ranges may overlap.
      if (!value.bytes.empty())
        std::memmove(transfer.data() + payload, value.bytes.data(), value.bytes.size());
      payload += align_up(value.bytes.size(), GLINT_TRANSFER_ALIGN);
    }
    std::memcpy(transfer.data() + offset, &slot, sizeof slot);
    offset += sizeof slot;
  }
  return payload;
}

namespace {

Result<Value> read_value(std::string_view what, std::span<const std::byte> transfer,
                         const glint_abi_value& slot, glint_abi_type type, uint64_t lowest) {
  const auto bad = [&](const std::string& why) {
    return error(GLINT_E_GUEST_PROTOCOL, std::string(what) + ": the guest sent " + why);
  };
  if (slot.type != static_cast<uint32_t>(type)) {
    const auto given = slot.type < GLINT_ABI_TYPE_COUNT
                           ? std::string(type_name(static_cast<glint_abi_type>(slot.type)))
                           : "type " + std::to_string(slot.type);
    return bad(given + " where " + std::string(type_name(type)) + " was declared");
  }
  if (!is_payload(type)) {
    if (!scalar_fits(type, slot.bits))
      return bad("a value that does not fit " + std::string(type_name(type)));
    return Value::scalar(type, slot.bits);
  }
  if (slot.length > GLINT_MAX_PAYLOAD || (slot.length != 0 && slot.bits < lowest) ||
      !in_range(slot.bits, slot.length, transfer.size())) {
    return bad(std::to_string(slot.length) + " bytes at offset " + std::to_string(slot.bits) +
               ", where they cannot be");
  }
  const auto bytes = transfer.subspan(slot.bits, slot.length);
  if (type == GLINT_ABI_STRING && !is_utf8(bytes)) return bad("a string that is not valid UTF-8");
  return Value::of_bytes(type, bytes);
}

}  // namespace

Result<void> read_frame(std::string_view what, std::span<const std::byte> transfer, uint64_t offset,
                        std::span<const glint_abi_type> types, std::span<Value> values, uint64_t lowest) {
  require(values.size() >= types.size() && types.size() <= kMaxValues, "more values than a frame holds");
  if (offset < lowest || !in_range(offset, types.size() * sizeof(glint_abi_value), transfer.size())) {
    return error(GLINT_E_GUEST_PROTOCOL, std::string(what) + ": the guest sent values at offset " +
                                             std::to_string(offset) + ", where they cannot be");
  }
  for (size_t i = 0; i < types.size(); ++i) {
    glint_abi_value slot{};
    std::memcpy(&slot, transfer.data() + offset + i * sizeof slot, sizeof slot);
    GLINT_TRY_ASSIGN(value, read_value(what, transfer, slot, types[i], lowest));
    values[i] = value;
  }
  return {};
}

}  // namespace glint::core
