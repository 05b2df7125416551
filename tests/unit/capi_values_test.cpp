// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "capi/values.hpp"

namespace glint::capi {
namespace {

glint_value of_type(uint32_t type) {
  glint_value value{};
  value.type = type;
  return value;
}

core::Value converted(const glint_value& value) {
  auto result = to_core(value, 1);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : core::Value{};
}

// What to_core says of a value that it must refuse.
core::Error refusal(const glint_value& value, uint32_t position = 1) {
  auto result = to_core(value, position);
  EXPECT_FALSE(result);
  return result ? core::error(GLINT_OK, "accepted") : result.error();
}

TEST(CapiValues, NumbersKeepTheirBits) {
  glint_value value = of_type(GLINT_I32);
  value.as.i32 = -1;
  EXPECT_EQ(converted(value).bits, 0xffffffffu);  // zero-extended from 32 bits
  EXPECT_EQ(from_core(converted(value)).as.i32, -1);

  value = of_type(GLINT_U32);
  value.as.u32 = 0xfffffffe;
  EXPECT_EQ(converted(value).bits, 0xfffffffeu);
  EXPECT_EQ(from_core(converted(value)).as.u32, 0xfffffffeu);

  value = of_type(GLINT_I64);
  value.as.i64 = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(converted(value).bits, 1ull << 63);
  EXPECT_EQ(from_core(converted(value)).as.i64, std::numeric_limits<int64_t>::min());

  value = of_type(GLINT_U64);
  value.as.u64 = ~0ull;
  EXPECT_EQ(from_core(converted(value)).as.u64, ~0ull);

  value = of_type(GLINT_F32);
  value.as.f32 = -1.5f;
  EXPECT_EQ(converted(value).bits, 0xbfc00000u);
  EXPECT_EQ(from_core(converted(value)).as.f32, -1.5f);

  value = of_type(GLINT_F64);
  value.as.f64 = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(from_core(converted(value)).as.f64));
}

TEST(CapiValues, BoolsAreZeroOrOne) {
  glint_value value = of_type(GLINT_BOOL);
  for (const uint8_t bit : {uint8_t{0}, uint8_t{1}}) {
    value.as.boolean = bit;
    EXPECT_EQ(converted(value).bits, bit);
    EXPECT_EQ(from_core(converted(value)).as.boolean, bit);
  }
  value.as.boolean = 2;
  EXPECT_EQ(refusal(value).code, GLINT_E_INVALID_ARGUMENT);
}

TEST(CapiValues, StringsAndBytesAreViews) {
  const std::string text = "hello";
  for (const uint32_t type : {GLINT_STRING, GLINT_BYTES}) {
    glint_value value = of_type(type);
    value.as.bytes.data = text.data();
    value.as.bytes.size = text.size();
    const core::Value middle = converted(value);
    EXPECT_EQ(static_cast<const void*>(middle.bytes.data()), text.data());
    const glint_value back = from_core(middle);
    EXPECT_EQ(back.type, type);
    EXPECT_EQ(back.reserved, 0u);
    EXPECT_EQ(back.as.bytes.data, text.data());
    EXPECT_EQ(back.as.bytes.size, text.size());
  }
}

TEST(CapiValues, EmptyBytesNeedNoMemory) { EXPECT_EQ(converted(of_type(GLINT_BYTES)).bytes.size(), 0u); }

TEST(CapiValues, RefusesASizeWithoutData) {
  glint_value value = of_type(GLINT_STRING);
  value.as.bytes.size = 1;
  const core::Error error = refusal(value, 3);
  EXPECT_EQ(error.code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(error.message.find("argument 3"), std::string::npos);
}

TEST(CapiValues, RefusesWhatIsTooLarge) {
  const char byte = 0;
  glint_value value = of_type(GLINT_BYTES);
  value.as.bytes.data = &byte;
  value.as.bytes.size = GLINT_MAX_PAYLOAD_SIZE + 1ull;
  EXPECT_EQ(refusal(value).code, GLINT_E_TOO_LARGE);
  value.as.bytes.size = ~0ull;
  EXPECT_EQ(refusal(value).code, GLINT_E_TOO_LARGE);
}

TEST(CapiValues, RefusesUnknownTypesAndReservedBits) {
  const core::Error unknown = refusal(of_type(GLINT_BYTES + 1), 0);
  EXPECT_EQ(unknown.code, GLINT_E_INVALID_ARGUMENT);
  EXPECT_NE(unknown.message.find("the result"), std::string::npos);
  EXPECT_EQ(refusal(of_type(0xffffffffu)).code, GLINT_E_INVALID_ARGUMENT);

  glint_value value = of_type(GLINT_I32);
  value.reserved = 1;
  EXPECT_EQ(refusal(value).code, GLINT_E_INVALID_ARGUMENT);
}

TEST(CapiValues, VoidIsAllZero) {
  const glint_value value = from_core(core::Value{});
  EXPECT_EQ(value.type, GLINT_VOID);
  EXPECT_EQ(value.as.u64, 0u);
  EXPECT_EQ(converted(value).type, GLINT_ABI_VOID);
}

}  // namespace
}  // namespace glint::capi
