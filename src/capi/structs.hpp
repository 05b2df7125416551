// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"
#include "glint/glint.h"

// Structs that begin with their size. The caller may have been compiled against an older header (its struct
// is shorter) or a newer one (longer); both work as long as the caller does not use what this library does
// not know.
namespace glint::capi {

// The size of T in the first version that had it. When a struct grows, its number here stays.
template <class T>
inline constexpr uint32_t kFirstSize = 0;
template <>
inline constexpr uint32_t kFirstSize<glint_engine_options> = 24;
template <>
inline constexpr uint32_t kFirstSize<glint_engine_counters> = 56;
template <>
inline constexpr uint32_t kFirstSize<glint_doctor_item> = 56;
template <>
inline constexpr uint32_t kFirstSize<glint_fault> = 96;
template <>
inline constexpr uint32_t kFirstSize<glint_image_options> = 40;
template <>
inline constexpr uint32_t kFirstSize<glint_function_info> = 48;
template <>
inline constexpr uint32_t kFirstSize<glint_segment_info> = 48;
template <>
inline constexpr uint32_t kFirstSize<glint_image_info> = 48;
template <>
inline constexpr uint32_t kFirstSize<glint_sandbox_options> = 136;
template <>
inline constexpr uint32_t kFirstSize<glint_sandbox_counters> = 64;
template <>
inline constexpr uint32_t kFirstSize<glint_call_options> = 24;
template <>
inline constexpr uint32_t kFirstSize<glint_live_objects> = 80;
template <>
inline constexpr uint32_t kFirstSize<glint_snapshot_info> = 24;
template <>
inline constexpr uint32_t kFirstSize<glint_pool_options> = 40;
template <>
inline constexpr uint32_t kFirstSize<glint_acquire_options> = 32;
template <>
inline constexpr uint32_t kFirstSize<glint_pool_counters> = 112;

// No struct will ever be this large: a larger number is memory that nobody initialized, and its "tail" is not
// read.
inline constexpr uint32_t kMaxStructSize = 4096;

template <class T>
core::Result<void> check_struct_size(uint32_t size, std::string_view name) {
  static_assert(std::is_trivially_copyable_v<T> && kFirstSize<T> != 0 && kFirstSize<T> <= sizeof(T));
  if (size >= kFirstSize<T> && size <= kMaxStructSize && size % alignof(T) == 0) return {};
  return core::error(GLINT_E_INVALID_ARGUMENT,
                     std::string(name) + ".struct_size is " + std::to_string(size) +
                         ", which is no size of that struct; set it to sizeof, here " +
                         std::to_string(sizeof(T)));
}

// Reads a struct of the caller's over `defaults`, which stand for what an older caller does not have.
template <class T>
core::Result<T> read_struct(const T* from, T defaults, std::string_view name) {
  const uint32_t size = from->struct_size;
  GLINT_TRY(check_struct_size<T>(size, name));
  std::memcpy(&defaults, from, std::min<size_t>(size, sizeof(T)));
  // The caller says that `size` bytes are there; bytes of any object may be looked at.
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  for (size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] != 0) {
      return core::error(GLINT_E_INVALID_ARGUMENT, std::string(name) +
                                                       " has a field set that this version of the library (" +
                                                       GLINT_VERSION_STRING + ") does not know");
    }
  }
  return defaults;
}

// Fills a struct of the caller's, as much of it as both sides know, and zeroes what only the caller knows.
template <class T>
core::Result<void> write_struct(T* to, const T& value, std::string_view name) {
  const uint32_t size = to->struct_size;
  GLINT_TRY(check_struct_size<T>(size, name));
  std::memcpy(static_cast<void*>(to), &value, std::min<size_t>(size, sizeof(T)));
  if (size > sizeof(T)) std::memset(reinterpret_cast<unsigned char*>(to) + sizeof(T), 0, size - sizeof(T));
  to->struct_size = size;
  return {};
}

// What the `_init` functions do. They cannot fail, so a size that makes no sense leaves the struct as it is,
// and the function that reads it refuses it.
template <class T>
void init_struct(T* to, T defaults, uint32_t size) noexcept {
  if (to == nullptr || size < sizeof(uint32_t) || size > kMaxStructSize) return;
  defaults.struct_size = size;
  std::memset(static_cast<void*>(to), 0, size);
  std::memcpy(static_cast<void*>(to), &defaults, std::min<size_t>(size, sizeof(T)));
}

inline core::Error reserved_not_zero(std::string_view name) {
  return core::error(GLINT_E_INVALID_ARGUMENT, std::string(name) + ".reserved must be zero");
}

}  // namespace glint::capi
