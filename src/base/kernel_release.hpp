// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace glint::core {

// "6.1.0-13-amd64" → {6, 1}; zeros when it does not look like that.
inline std::pair<uint32_t, uint32_t> parse_release(std::string_view release) {
  uint32_t major = 0;
  uint32_t minor = 0;
  const char* const begin = release.data();
  const char* const end = begin + release.size();
  const auto first = std::from_chars(begin, end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return {0, 0};
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc{}) return {0, 0};
  return {major, minor};
}

}  // namespace glint::core
