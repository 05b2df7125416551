// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "glint/base.h"
#include "image/elf.hpp"
#include "transfer/value.hpp"

// glint_value, as the C ABI shows it, and core::Value, as the library uses it. Both are views; nothing is
// copied.
namespace glint::capi {

static_assert(GLINT_VOID == GLINT_ABI_VOID && GLINT_BOOL == GLINT_ABI_BOOL && GLINT_I32 == GLINT_ABI_I32);
static_assert(GLINT_U32 == GLINT_ABI_U32 && GLINT_I64 == GLINT_ABI_I64 && GLINT_U64 == GLINT_ABI_U64);
static_assert(GLINT_F32 == GLINT_ABI_F32 && GLINT_F64 == GLINT_ABI_F64);
static_assert(GLINT_STRING == GLINT_ABI_STRING && GLINT_BYTES == GLINT_ABI_BYTES);
static_assert(GLINT_MAX_ARGUMENTS == GLINT_ABI_MAX_PARAMS);
static_assert(GLINT_MAX_PAYLOAD_SIZE == GLINT_MAX_PAYLOAD);
static_assert(sizeof(glint_value) == 24);

// The caller has checked that `type` is one.
constexpr glint_abi_type abi_type(uint32_t type) { return static_cast<glint_abi_type>(type); }

// What messages call a value: its position among the arguments, from 1; 0 is the result.
inline std::string value_name(uint32_t position) {
  return position == 0 ? "the result" : "argument " + std::to_string(position);
}

inline core::Result<core::Value> bytes_to_core(const glint_value& from, uint32_t position) {
  const auto& [data, size] = from.as.bytes;
  if (data == nullptr && size != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT, value_name(position) + " has a size but its data is NULL");
  }
  if (size > GLINT_MAX_PAYLOAD_SIZE) {
    return core::error(GLINT_E_TOO_LARGE, value_name(position) + " has " + std::to_string(size) +
                                              " bytes; at most " + std::to_string(GLINT_MAX_PAYLOAD_SIZE) +
                                              " can cross");
  }
  return core::Value::of_bytes(abi_type(from.type), {static_cast<const std::byte*>(data), size});
}

// Checks what can be checked without the signature. No allocation unless something is wrong.
inline core::Result<core::Value> to_core(const glint_value& from, uint32_t position) {
  if (from.reserved != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT, value_name(position) + ": reserved must be zero");
  }
  const auto scalar = [&](uint64_t bits) { return core::Value::scalar(abi_type(from.type), bits); };
  switch (from.type) {
    case GLINT_VOID:
      return core::Value{};
    case GLINT_BOOL:
      if (from.as.boolean > 1) {
        return core::error(GLINT_E_INVALID_ARGUMENT,
                           value_name(position) + " is a bool that is neither 0 nor 1");
      }
      return scalar(from.as.boolean);
    case GLINT_I32:
      return scalar(static_cast<uint32_t>(from.as.i32));
    case GLINT_U32:
      return scalar(from.as.u32);
    case GLINT_I64:
      return scalar(static_cast<uint64_t>(from.as.i64));
    case GLINT_U64:
      return scalar(from.as.u64);
    case GLINT_F32:
      return scalar(std::bit_cast<uint32_t>(from.as.f32));
    case GLINT_F64:
      return scalar(std::bit_cast<uint64_t>(from.as.f64));
    case GLINT_STRING:
    case GLINT_BYTES:
      return bytes_to_core(from, position);
    default:
      return core::error(
          GLINT_E_INVALID_ARGUMENT,
          value_name(position) + " has type " + std::to_string(from.type) + ", which is no GLINT_ type");
  }
}

// `from` was checked by the library: its type is one, and its bits fit it.
inline glint_value from_core(const core::Value& from) noexcept {
  glint_value to{};
  to.type = from.type;
  switch (from.type) {
    case GLINT_ABI_VOID:
      break;
    case GLINT_ABI_BOOL:
      to.as.boolean = from.bits != 0 ? 1 : 0;
      break;
    case GLINT_ABI_I32:
      to.as.i32 = static_cast<int32_t>(from.bits);
      break;
    case GLINT_ABI_U32:
      to.as.u32 = static_cast<uint32_t>(from.bits);
      break;
    case GLINT_ABI_I64:
      to.as.i64 = static_cast<int64_t>(from.bits);
      break;
    case GLINT_ABI_U64:
      to.as.u64 = from.bits;
      break;
    case GLINT_ABI_F32:
      to.as.f32 = std::bit_cast<float>(static_cast<uint32_t>(from.bits));
      break;
    case GLINT_ABI_F64:
      to.as.f64 = std::bit_cast<double>(from.bits);
      break;
    case GLINT_ABI_STRING:
    case GLINT_ABI_BYTES:
      to.as.bytes.data = from.bytes.data();
      to.as.bytes.size = from.bytes.size();
      break;
  }
  return to;
}

}  // namespace glint::capi
