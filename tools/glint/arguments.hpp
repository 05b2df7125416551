// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "glint/glint.hpp"

namespace glint::cli {

// Texts of the command line become values. `what` names the text in messages. All throw glint::Error.

// A value that owns its string or bytes.
struct Value {
  glint_value scalar{};
  std::vector<std::byte> payload;

  // Points into `payload`.
  glint_value view() const noexcept;
};

// The value that a guest gets where nothing is known: 0, false, an empty string.
Value empty_value(Type type);

// `text` as a value of that type:
//   bool     true, false, 1, 0
//   i32 …    decimal or 0x…, in range
//   f32 f64  3.25, 1e-3, inf, nan
//   string   as it is
//   bytes    @PATH for a file's content (@- for standard input), hex:00ff, text:…, or else the text itself
//   void     nothing
Value parse_value(Type type, std::string_view text, std::string_view what);

// All arguments of a call. Their number must be right.
std::vector<Value> parse_arguments(const FunctionInfo& function, std::span<const std::string> texts);

// A number of bytes: 65536, 512K, 64M, 1G.
uint64_t parse_size(std::string_view text, std::string_view what);

// What --deadline says: seconds above zero, or "none", which is kNoDeadline.
std::chrono::nanoseconds parse_deadline(std::string_view text);

// NAME=VALUE, split at the first '='. NAME must not be empty. `form` is what messages show.
std::pair<std::string_view, std::string_view> split_pair(std::string_view text, std::string_view what,
                                                         std::string_view form);

}  // namespace glint::cli
