// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/check.hpp"
#include "base/result.hpp"
#include "image/elf.hpp"
#include "transfer/value.hpp"

namespace glint::core {

// How many values a frame can have: those of a call, or the one of a result.
inline constexpr size_t kMaxValues = GLINT_ABI_MAX_PARAMS;

// The values of one call, without an allocation. Only as many are made as there are: those that there could
// be are a kilobyte.
class ValueList {
 public:
  explicit ValueList(size_t count) : count_(count) {  // at most kMaxValues
    require(count <= kMaxValues, "more values than a call has");
    std::uninitialized_value_construct_n(data(), count);
  }
  ValueList(const ValueList&) = delete;
  ValueList& operator=(const ValueList&) = delete;
  std::span<Value> span() { return {data(), count_}; }

 private:
  Value* data() { return reinterpret_cast<Value*>(memory_); }

  static_assert(std::is_trivially_destructible_v<Value>);
  const size_t count_;
  alignas(Value) std::byte memory_[kMaxValues * sizeof(Value)];
};

// Is `text` well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF)?
bool is_utf8(std::span<const std::byte> text);

// Checks values of the host's own against the declared types: number, types, sizes, UTF-8, bools. `function`
// names the function in messages, as in "add, argument 2: expected i64, given string".
Result<void> check_values(std::string_view function, std::span<const glint_abi_type> types,
                          std::span<const Value> values);
Result<void> check_value(std::string_view what, glint_abi_type type, const Value& value);

// Bytes that a frame of these values takes. The values have been checked, so that it cannot wrap.
uint64_t frame_size(std::span<const Value> values);

// Writes a frame at `offset`, a multiple of GLINT_TRANSFER_ALIGN, of the transfer area, in which frame_size()
// bytes are free. Returns the offset behind it.
uint64_t write_frame(std::span<std::byte> transfer, uint64_t offset, std::span<const Value> values);

// Reads and checks `types.size()` values that the guest put at `offset` into `values`. Everything about them
// is hostile: offsets, lengths, types, UTF-8. Strings and bytes are views of the transfer area. Nothing may
// lie below `lowest`: the host writes the header while a view is in use. GLINT_E_GUEST_PROTOCOL otherwise;
// `what` begins the message.
Result<void> read_frame(std::string_view what, std::span<const std::byte> transfer, uint64_t offset,
                        std::span<const glint_abi_type> types, std::span<Value> values, uint64_t lowest = 0);

}  // namespace glint::core
