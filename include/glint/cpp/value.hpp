// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "glint/base.h"
#include "glint/cpp/error.hpp"

namespace glint {

// The types that cross the border.
enum class Type : uint32_t {
  kVoid = GLINT_VOID,
  kBool = GLINT_BOOL,
  kI32 = GLINT_I32,
  kU32 = GLINT_U32,
  kI64 = GLINT_I64,
  kU64 = GLINT_U64,
  kF32 = GLINT_F32,
  kF64 = GLINT_F64,
  kString = GLINT_STRING,
  kBytes = GLINT_BYTES,
};

// "i64", "string", …
constexpr std::string_view type_name(Type type) noexcept {
  constexpr std::string_view kNames[] = {"void", "bool", "i32", "u32",    "i64",
                                         "u64",  "f32",  "f64", "string", "bytes"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

namespace detail {

template <class T, class... Set>
inline constexpr bool kIsOneOf = (std::same_as<T, Set> || ...);

// Characters are not numbers here, although C++ would count with them.
template <class T>
concept Integer = std::integral<T> && !kIsOneOf<T, bool, char, wchar_t, char8_t, char16_t, char32_t>;

template <class T>
concept Text = std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
concept Bytes = !Text<T> && std::ranges::contiguous_range<const T> && std::ranges::sized_range<const T> &&
                kIsOneOf<std::remove_cv_t<std::ranges::range_value_t<const T>>, std::byte, unsigned char>;

// Not a Type: stands for a C++ type that cannot cross.
inline constexpr Type kUnsupported = static_cast<Type>(0xffffffffu);

// The one Type that a C++ type stands for where a signature is written in C++: in host functions, in
// Sandbox::function and as a result.
template <class T>
consteval Type exact_type() {
  if constexpr (std::is_void_v<T>) {
    return Type::kVoid;
  } else if constexpr (std::same_as<T, bool>) {
    return Type::kBool;
  } else if constexpr (Integer<T> && sizeof(T) == 4) {
    return std::signed_integral<T> ? Type::kI32 : Type::kU32;
  } else if constexpr (Integer<T> && sizeof(T) == 8) {
    return std::signed_integral<T> ? Type::kI64 : Type::kU64;
  } else if constexpr (std::same_as<T, float>) {
    return Type::kF32;
  } else if constexpr (std::same_as<T, double>) {
    return Type::kF64;
  } else if constexpr (kIsOneOf<T, std::string, std::string_view>) {
    return Type::kString;
  } else if constexpr (kIsOneOf<T, std::span<const std::byte>, std::span<const unsigned char>,
                                std::vector<std::byte>, std::vector<unsigned char>>) {
    return Type::kBytes;
  } else {
    return kUnsupported;
  }
}

template <class T>
consteval void require_exact_type() {
  static_assert(
      exact_type<T>() != kUnsupported,
      "this type cannot cross between host and guest; use bool, int32_t, uint32_t, int64_t, uint64_t, float, "
      "double, std::string_view, std::string, std::span<const std::byte> or std::vector<std::byte>");
}

// Does a T that was made of a value point into it?
template <class T>
inline constexpr bool kIsView =
    kIsOneOf<T, std::string_view, std::span<const std::byte>, std::span<const unsigned char>>;

inline glint_value value_of(Type type) noexcept {
  glint_value value{};
  value.type = static_cast<uint32_t>(type);
  return value;
}

inline glint_value value_of(Type type, const void* data, size_t size) noexcept {
  glint_value value = value_of(type);
  value.as.bytes.data = data;
  value.as.bytes.size = size;
  return value;
}

// A view of `from` as its exact type.
template <class T>
glint_value to_value(const T& from) noexcept {
  require_exact_type<T>();
  constexpr Type kType = exact_type<T>();
  if constexpr (kType == Type::kString || kType == Type::kBytes) {
    return value_of(kType, from.data(), from.size());
  } else {
    glint_value value = value_of(kType);
    if constexpr (kType == Type::kBool) value.as.boolean = from ? 1 : 0;
    if constexpr (kType == Type::kI32) value.as.i32 = from;
    if constexpr (kType == Type::kU32) value.as.u32 = from;
    if constexpr (kType == Type::kI64) value.as.i64 = from;
    if constexpr (kType == Type::kU64) value.as.u64 = from;
    if constexpr (kType == Type::kF32) value.as.f32 = from;
    if constexpr (kType == Type::kF64) value.as.f64 = from;
    return value;
  }
}

// The content of `from`, whose type is T's exact type. Copies, unless T is a view.
template <class T>
T from_value(const glint_value& from) {
  require_exact_type<T>();
  constexpr Type kType = exact_type<T>();
  if constexpr (kType == Type::kBool) return from.as.boolean != 0;
  if constexpr (kType == Type::kI32) return static_cast<T>(from.as.i32);
  if constexpr (kType == Type::kU32) return static_cast<T>(from.as.u32);
  if constexpr (kType == Type::kI64) return static_cast<T>(from.as.i64);
  if constexpr (kType == Type::kU64) return static_cast<T>(from.as.u64);
  if constexpr (kType == Type::kF32) return from.as.f32;
  if constexpr (kType == Type::kF64) return from.as.f64;
  if constexpr (kType == Type::kString)
    return T(static_cast<const char*>(from.as.bytes.data), from.as.bytes.size);
  if constexpr (kType == Type::kBytes) {
    const auto* data = static_cast<const typename T::value_type*>(from.as.bytes.data);
    return T(data, data + from.as.bytes.size);
  }
}

// ---- arguments of calls by name: converted to what the guest function declares ----

enum class Fit { kOk, kOtherType, kOutOfRange, kNullText };

template <class T>
Fit fit_integer(T from, Type declared, glint_value& to) noexcept {
  to = value_of(declared);
  switch (declared) {
    case Type::kI32:
      to.as.i32 = static_cast<int32_t>(from);
      return std::in_range<int32_t>(from) ? Fit::kOk : Fit::kOutOfRange;
    case Type::kU32:
      to.as.u32 = static_cast<uint32_t>(from);
      return std::in_range<uint32_t>(from) ? Fit::kOk : Fit::kOutOfRange;
    case Type::kI64:
      to.as.i64 = static_cast<int64_t>(from);
      return std::in_range<int64_t>(from) ? Fit::kOk : Fit::kOutOfRange;
    case Type::kU64:
      to.as.u64 = static_cast<uint64_t>(from);
      return std::in_range<uint64_t>(from) ? Fit::kOk : Fit::kOutOfRange;
    default:
      return Fit::kOtherType;
  }
}

// A double for an f32 parameter is rounded, but not to infinity.
inline Fit fit_floating(double from, Type declared, glint_value& to) noexcept {
  to = value_of(declared);
  if (declared == Type::kF64) {
    to.as.f64 = from;
    return Fit::kOk;
  }
  if (declared != Type::kF32) return Fit::kOtherType;
  to.as.f32 = static_cast<float>(from);
  return std::isinf(to.as.f32) && !std::isinf(from) ? Fit::kOutOfRange : Fit::kOk;
}

// An array of characters, such as a literal, ends at its NUL, or where the array does.
template <class T>
std::string_view view_text(const T& from) noexcept {
  if constexpr (std::is_array_v<T>) {
    const std::string_view whole(from, std::size(from));
    return whole.substr(0, whole.find('\0'));
  } else {
    return from;
  }
}

// Makes `to` a view of `from`, as the declared type.
template <class T>
Fit fit(const T& from, Type declared, glint_value& to) noexcept {
  if constexpr (std::same_as<T, bool>) {
    to = to_value(from);
    return declared == Type::kBool ? Fit::kOk : Fit::kOtherType;
  } else if constexpr (Integer<T>) {
    return fit_integer(from, declared, to);
  } else if constexpr (kIsOneOf<T, float, double>) {
    return fit_floating(from, declared, to);
  } else if constexpr (Text<T>) {
    if constexpr (std::is_pointer_v<T>) {
      if (from == nullptr) return Fit::kNullText;
    }
    const std::string_view text = view_text(from);
    to = value_of(Type::kString, text.data(), text.size());
    return declared == Type::kString ? Fit::kOk : Fit::kOtherType;
  } else if constexpr (Bytes<T>) {
    to = value_of(Type::kBytes, std::ranges::data(from), std::ranges::size(from));
    return declared == Type::kBytes ? Fit::kOk : Fit::kOtherType;
  } else {
    static_assert(
        Bytes<T>,
        "this type cannot be an argument of a guest function; use bool, an integer, float, double, something "
        "convertible to std::string_view, or a contiguous range of std::byte or uint8_t");
    return Fit::kOtherType;
  }
}

// What messages call an argument of that type.
template <class T>
std::string describe(const T& from) {
  if constexpr (std::same_as<T, bool>) return "bool";
  if constexpr (Integer<T>) return "the integer " + std::to_string(from);
  if constexpr (kIsOneOf<T, float, double>) return "the floating-point number " + std::to_string(from);
  if constexpr (Text<T>) return "string";
  if constexpr (Bytes<T>) return "bytes";
}

inline Error misfit(Fit fit, std::string_view function, size_t position, Type declared,
                    const std::string& given) {
  const std::string where = std::string(function) + ", argument " + std::to_string(position) + ": ";
  if (fit == Fit::kNullText) return Error(GLINT_E_INVALID_ARGUMENT, where + "the string is a null pointer");
  return Error(GLINT_E_SIGNATURE, where + "expected " + std::string(type_name(declared)) + ", given " +
                                      given + (fit == Fit::kOutOfRange ? ", which does not fit" : ""));
}

}  // namespace detail
}  // namespace glint
