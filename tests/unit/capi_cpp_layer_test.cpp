// SPDX-License-Identifier: Apache-2.0
// The C++ layer, as far as it goes without running a guest: tests/kvm/cpp_layer_test.cpp has the rest.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capi/handles.hpp"
#include "glint/glint.hpp"
#include "unit/elf_builder.hpp"
#include "unit/fake_host_call.hpp"

namespace {

using glint::Type;
using glint::detail::Fit;

template <class T>
Fit fits(const T& from, Type declared) {
  glint_value to{};
  return glint::detail::fit(from, declared, to);
}

glint::Engine engine_without_hypervisor() { return glint::Engine({.backend = glint::Backend::kNone}); }

TEST(CppArguments, IntegersFitWhatCanHoldThem) {
  EXPECT_EQ(fits(1, Type::kI64), Fit::kOk);
  EXPECT_EQ(fits(1, Type::kU32), Fit::kOk);
  EXPECT_EQ(fits(-1, Type::kI64), Fit::kOk);
  EXPECT_EQ(fits(-1, Type::kU32), Fit::kOutOfRange);
  EXPECT_EQ(fits(-1, Type::kU64), Fit::kOutOfRange);
  EXPECT_EQ(fits(2147483648LL, Type::kI32), Fit::kOutOfRange);
  EXPECT_EQ(fits(2147483648LL, Type::kU32), Fit::kOk);
  EXPECT_EQ(fits(std::numeric_limits<uint64_t>::max(), Type::kI64), Fit::kOutOfRange);
  EXPECT_EQ(fits(std::numeric_limits<uint64_t>::max(), Type::kU64), Fit::kOk);
  EXPECT_EQ(fits(short{7}, Type::kI32), Fit::kOk);
  EXPECT_EQ(fits(uint8_t{7}, Type::kI32), Fit::kOk);
  EXPECT_EQ(fits(7LL, Type::kI64), Fit::kOk);
}

TEST(CppArguments, NothingTurnsIntoAnotherKind) {
  EXPECT_EQ(fits(1, Type::kBool), Fit::kOtherType);
  EXPECT_EQ(fits(1, Type::kF64), Fit::kOtherType);
  EXPECT_EQ(fits(true, Type::kI32), Fit::kOtherType);
  EXPECT_EQ(fits(true, Type::kBool), Fit::kOk);
  EXPECT_EQ(fits(1.0, Type::kI32), Fit::kOtherType);
  EXPECT_EQ(fits("text", Type::kBytes), Fit::kOtherType);
  EXPECT_EQ(fits("text", Type::kString), Fit::kOk);
  EXPECT_EQ(fits(std::vector<std::byte>(3), Type::kString), Fit::kOtherType);
}

TEST(CppArguments, FloatsRoundButDoNotOverflow) {
  EXPECT_EQ(fits(0.1, Type::kF32), Fit::kOk);
  EXPECT_EQ(fits(0.1f, Type::kF64), Fit::kOk);
  EXPECT_EQ(fits(1e300, Type::kF32), Fit::kOutOfRange);
  EXPECT_EQ(fits(std::numeric_limits<double>::infinity(), Type::kF32), Fit::kOk);
}

TEST(CppArguments, TakesStringsAndBytesInAllTheirForms) {
  glint_value to{};
  const std::string text = "hello";
  ASSERT_EQ(glint::detail::fit(text, Type::kString, to), Fit::kOk);
  EXPECT_EQ(to.as.bytes.data, text.data());
  EXPECT_EQ(to.as.bytes.size, 5u);
  EXPECT_EQ(fits(std::string_view(text), Type::kString), Fit::kOk);
  EXPECT_EQ(fits(text.c_str(), Type::kString), Fit::kOk);
  const char* const none = nullptr;
  EXPECT_EQ(fits(none, Type::kString), Fit::kNullText);

  EXPECT_EQ(fits(std::vector<std::byte>(3), Type::kBytes), Fit::kOk);
  EXPECT_EQ(fits(std::vector<uint8_t>(3), Type::kBytes), Fit::kOk);
  EXPECT_EQ(fits(std::array<std::byte, 3>{}, Type::kBytes), Fit::kOk);
  EXPECT_EQ(fits(std::span<const std::byte>(), Type::kBytes), Fit::kOk);
}

TEST(CppArguments, TypesHaveOneExactCounterpart) {
  using glint::detail::exact_type;
  static_assert(exact_type<bool>() == Type::kBool);
  static_assert(exact_type<int32_t>() == Type::kI32);
  static_assert(exact_type<unsigned>() == Type::kU32);
  static_assert(exact_type<long>() == Type::kI64);
  static_assert(exact_type<long long>() == Type::kI64);
  static_assert(exact_type<unsigned long long>() == Type::kU64);
  static_assert(exact_type<std::string_view>() == Type::kString);
  static_assert(exact_type<std::vector<std::byte>>() == Type::kBytes);
  static_assert(exact_type<void>() == Type::kVoid);
  static_assert(exact_type<char>() == glint::detail::kUnsupported);
  static_assert(exact_type<short>() == glint::detail::kUnsupported);
  static_assert(exact_type<const char*>() == glint::detail::kUnsupported);
  EXPECT_EQ(glint::type_name(Type::kBytes), "bytes");
  EXPECT_EQ(glint::type_name(static_cast<Type>(77)), "unknown");
}

TEST(CppError, IsThrownWithCodeAndMessage) {
  try {
    const auto image = engine_without_hypervisor().load("no/such/guest");
    FAIL() << "loaded";
  } catch (const glint::Error& error) {
    EXPECT_NE(error.code(), GLINT_OK);
    EXPECT_NE(error.code_name(), "GLINT_E_UNKNOWN");
    EXPECT_NE(error.message().find("no/such/guest"), std::string_view::npos);
    EXPECT_EQ(error.guest_code(), 0);
    EXPECT_FALSE(error.fault());
  }
}

TEST(CppError, CarriesFaultAndGuestCode) {
  glint::core::Error from = glint::core::error(GLINT_E_GUEST_FAULT, "page fault");
  from.guest_code = 5;
  auto fault = std::make_shared<glint::core::Fault>();
  fault->vector = 14;
  fault->symbol = "crash";
  from.fault = std::move(fault);
  glint_error* c_error = nullptr;
  const glint_status status = glint::capi::report(&c_error, from);
  const glint::Error error = glint::Error::take(status, c_error);
  EXPECT_EQ(error.code(), GLINT_E_GUEST_FAULT);
  EXPECT_EQ(error.guest_code(), 5);
  ASSERT_TRUE(error.fault());
  EXPECT_EQ(error.fault()->vector, 14u);
  EXPECT_EQ(error.fault()->symbol, "crash");
}

TEST(CppExpected, HoldsAValueOrThrowsTheError) {
  glint::Expected<int> good = 7;
  EXPECT_TRUE(good);
  EXPECT_EQ(good.value(), 7);
  glint::Expected<int> bad = glint::Error(GLINT_E_BUSY, "busy");
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), GLINT_E_BUSY);
  EXPECT_THROW(static_cast<void>(bad.value()), glint::Error);
  glint::Expected<void> failed = glint::Error(GLINT_E_BUSY, "busy");
  EXPECT_THROW(failed.value(), glint::Error);
  glint::Expected<void>().value();
  // The exception of a callback comes out as it was.
  glint::Expected<int> caused =
      glint::Error::caused_by(std::make_exception_ptr(std::out_of_range("original")), "a callback threw");
  EXPECT_THROW(static_cast<void>(caused.value()), std::out_of_range);
}

TEST(CppImage, ShowsFunctionsAndLayout) {
  const glint::Engine engine = engine_without_hypervisor();
  EXPECT_EQ(engine.backend(), "none");
  EXPECT_EQ(engine.counters().vms_created, 0u);
  const glint::Image image = engine.load_bytes(glint::test::sample_elf().build().bytes,
                                               {.memory_size = 8u << 20, .files = {{"/data/x", {}}}});
  ASSERT_EQ(image.functions().size(), 3u);
  EXPECT_EQ(image.functions()[0].signature(), "(i64, i64) -> i64");
  EXPECT_EQ(image.functions()[1].kind, glint::FunctionInfo::Kind::kImport);
  ASSERT_NE(image.find_export("shrink"), nullptr);
  EXPECT_EQ(image.find_export("shrink")->index, 3u);
  EXPECT_EQ(image.find_export("progress"), nullptr);
  EXPECT_EQ(image.find_export(""), nullptr);
  const glint::ImageInfo info = image.info();
  EXPECT_EQ(info.memory_size, 8u << 20);
  EXPECT_FALSE(info.segments.empty());
  EXPECT_FALSE(engine.try_load_bytes({}).has_value());
}

TEST(CppSandbox, CannotBeMadeWithoutAHypervisor) {
  const glint::Image image = engine_without_hypervisor().load_bytes(glint::test::sample_elf().build().bytes);
  EXPECT_THROW(glint::Sandbox sandbox(image), glint::Error);
  glint::HostFunctions host;
  host.add("progress", [](uint32_t) {});
  const auto without_kvm = glint::Sandbox::try_create(image, host);
  ASSERT_FALSE(without_kvm);
  EXPECT_EQ(without_kvm.error().code(), GLINT_E_NO_HYPERVISOR);
}

TEST(CppDoctor, SaysWhatTheCLayerSays) {
  const glint::DoctorReport report = glint::doctor();
  EXPECT_GE(report.items.size(), 5u);
  EXPECT_EQ(report.items.front().name, "kernel");
}

// Host functions, called as the library calls them.
class CppHost : public testing::Test {
 protected:
  int32_t call(std::string_view name) {
    const auto* entry = host_.handle()->functions->find(name);
    EXPECT_NE(entry, nullptr);
    signature_ = glint::core::signature_text(entry->signature);
    return entry->callback(with_);
  }

  glint::HostFunctions host_;
  glint::test::FakeHostCall with_;
  std::string signature_;
};

int64_t free_function(int64_t a) noexcept { return a + 1; }

TEST_F(CppHost, DeducesTheSignature) {
  host_.add(
      "f",
      [](bool, int32_t, uint32_t, int64_t, uint64_t, float, double, std::string_view, const std::string&,
         std::span<const std::byte>) -> std::vector<std::byte> { return {std::byte{'x'}}; });
  with_.add_scalar(GLINT_ABI_BOOL, 1);
  with_.add_scalar(GLINT_ABI_I32, 1);
  with_.add_scalar(GLINT_ABI_U32, 1);
  with_.add_scalar(GLINT_ABI_I64, 1);
  with_.add_scalar(GLINT_ABI_U64, 1);
  with_.add_scalar(GLINT_ABI_F32, 1);
  with_.add_scalar(GLINT_ABI_F64, 1);
  with_.add_string("a");
  with_.add_string("b");
  with_.add_string("c", GLINT_ABI_BYTES);
  EXPECT_EQ(call("f"), GLINT_OK);
  EXPECT_EQ(signature_, "(bool, i32, u32, i64, u64, f32, f64, string, string, bytes) -> bytes");
  EXPECT_EQ(with_.result_text, "x");
}

TEST_F(CppHost, TakesFunctionsAndObjectsThatKeepState) {
  host_.add("free", free_function);
  host_.add("counter", [count = 0]() mutable { return ++count; });
  with_.add_scalar(GLINT_ABI_I64, 41);
  EXPECT_EQ(call("free"), GLINT_OK);
  EXPECT_EQ(with_.result_bits, 42u);
  EXPECT_EQ(signature_, "(i64) -> i64");
  EXPECT_EQ(call("counter"), GLINT_OK);
  EXPECT_EQ(call("counter"), GLINT_OK);
  EXPECT_EQ(with_.result_bits, 2u);
}

TEST_F(CppHost, PassesStringsBothWays) {
  host_.add("twice", [](std::string_view text) { return std::string(text) + std::string(text); });
  with_.add_string("ab");
  EXPECT_EQ(call("twice"), GLINT_OK);
  EXPECT_EQ(with_.result_text, "abab");
}

TEST_F(CppHost, AHostErrorReachesTheGuest) {
  host_.add("f", []() { throw glint::HostError(404, "no such record"); });
  EXPECT_EQ(call("f"), 404);
  EXPECT_EQ(with_.failure_text, "no such record");
}

TEST_F(CppHost, AHostErrorIsAnErrorWhateverItsCode) {
  host_.add("f", []() { throw glint::HostError(0, "odd"); });
  EXPECT_EQ(call("f"), GLINT_E_HOST_FUNCTION);
}

TEST_F(CppHost, OtherExceptionsDoNotShowTheirTextToTheGuest) {
  host_.add("f", []() -> int32_t { throw std::runtime_error("password: swordfish"); });
  host_.add("g", []() -> int32_t { throw 7; });
  EXPECT_EQ(call("f"), GLINT_E_HOST_FUNCTION);
  EXPECT_EQ(with_.failure_text, "the host function failed");
  EXPECT_EQ(call("g"), GLINT_E_HOST_FUNCTION);
}

TEST_F(CppHost, AResultThatCannotBePassedIsAnError) {
  host_.add("f", []() { return std::string("\xff"); });
  with_.refuse_result = true;
  EXPECT_EQ(call("f"), GLINT_E_SIGNATURE);
  EXPECT_FALSE(with_.failure_text.empty());
}

TEST(CppHostFunctions, OwnWhatWasAddedAlsoWhenAddingFails) {
  const auto alive = std::make_shared<int>(0);
  {
    glint::HostFunctions host;
    host.add("f", [alive]() {});
    EXPECT_EQ(alive.use_count(), 2);
    EXPECT_THROW(host.add("f", [alive]() {}), glint::Error);
    EXPECT_EQ(alive.use_count(), 2);
    EXPECT_FALSE(host.try_add("", [alive]() {}));
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
