// SPDX-License-Identifier: Apache-2.0
// Calls through the C++ layer, into a guest that is played by the fake hypervisor.
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capi/handles.hpp"
#include "glint/glint.hpp"
#include "unit/fake_guest.hpp"

namespace {

using glint::test::FakeGuest;

class CppCall : public testing::Test {
 protected:
  CppCall() : image_(load()) {
    host_.add("progress", [this](uint32_t percent) { return on_progress ? on_progress(percent) : 0; });
  }

  glint::Sandbox make(glint::SandboxOptions options = {}) {
    return glint::Sandbox(image_, host_, std::move(options));
  }

  // The code of the Error that `body` throws.
  template <class Body>
  glint_status code_of(const Body& body) {
    try {
      body();
    } catch (const glint::Error& error) {
      message_ = error.message();
      return error.code();
    }
    return GLINT_OK;
  }

  std::function<int32_t(uint32_t)> on_progress;
  std::string message_;

 private:
  glint::Image load() {
    glint_engine engine{guest_.engine()};
    return glint::detail::load_image(
               {},
               [&](const glint_image_options& o, glint_image** image, glint_error** error) {
                 const auto program = FakeGuest::program();
                 const glint_status status =
                     glint_image_load_bytes(&engine, program.data(), program.size(), &o, image, error);
                 if (status == GLINT_OK) guest_.transfer_gpa = (*image)->image->layout().transfer_gpa;
                 return status;
               })
        .value();
  }

  FakeGuest guest_;
  glint::Image image_;
  glint::HostFunctions host_;
};

TEST_F(CppCall, ByNameConvertsWhatFits) {
  glint::Sandbox sandbox = make();
  EXPECT_EQ(sandbox.state(), glint::State::kNew);
  EXPECT_EQ(sandbox.call<int64_t>("add", 1, 2), 3);
  EXPECT_EQ(sandbox.call<int64_t>("add", int64_t{-5}, uint8_t{2}), -3);
  EXPECT_EQ(sandbox.call<long long>("add", 1u, 2LL), 3);
  EXPECT_EQ(sandbox.call<std::string>("echo", "literal"), "literal");
  EXPECT_EQ(sandbox.call<std::string>("echo", std::string("string")), "string");
  EXPECT_EQ(sandbox.call<std::string>("echo", std::string_view()), "");
  const std::vector<std::byte> bytes{std::byte{1}, std::byte{0}, std::byte{255}};
  EXPECT_EQ(sandbox.call<std::vector<std::byte>>("echo_bytes", bytes), bytes);
  EXPECT_EQ(sandbox.call<std::vector<uint8_t>>("echo_bytes", std::span(bytes)),
            (std::vector<uint8_t>{1, 0, 255}));
  EXPECT_TRUE(sandbox.call<bool>("negate", false));
  EXPECT_EQ(sandbox.call<float>("half", 5.0), 2.5f);
  sandbox.call("add", 1, 2);  // the result is dropped
  EXPECT_EQ(sandbox.state(), glint::State::kReady);
}

TEST_F(CppCall, ByNameRefusesWhatDoesNotFitAndSaysWhat) {
  glint::Sandbox sandbox = make();
  EXPECT_EQ(code_of([&] { sandbox.call<int64_t>("add", 1, ~0ull); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(message_,
            "add, argument 2: expected i64, given the integer 18446744073709551615, which does not fit");
  EXPECT_EQ(code_of([&] { sandbox.call<int64_t>("add", "one", 2); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(message_, "add, argument 1: expected i64, given string");
  EXPECT_EQ(code_of([&] { sandbox.call<int64_t>("add", 1); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(message_, "add(i64, i64) -> i64: expected 2 arguments, given 1");
  EXPECT_EQ(code_of([&] { sandbox.call<int32_t>("add", 1, 2); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(message_, "add, result: expected i64, asked for i32");
  EXPECT_EQ(code_of([&] { sandbox.call("sub", 1, 2); }), GLINT_E_NOT_FOUND);
  EXPECT_NE(message_.find("add"), std::string::npos) << message_;
  const char* const none = nullptr;
  EXPECT_EQ(code_of([&] { sandbox.call("echo", none); }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(sandbox.state(), glint::State::kNew) << "nothing has run";
}

TEST_F(CppCall, ErrorsOfTheGuestAreThrownOrReturned) {
  glint::Sandbox sandbox = make();
  try {
    sandbox.call("fail");
    FAIL();
  } catch (const glint::Error& error) {
    EXPECT_EQ(error.code(), GLINT_E_GUEST_ERROR);
    EXPECT_EQ(error.guest_code(), 7);
  }
  const auto returned = sandbox.try_call("fail");
  ASSERT_FALSE(returned);
  EXPECT_EQ(returned.error().guest_code(), 7);
  EXPECT_EQ(sandbox.try_call<int64_t>("add", 1, 2).value(), 3);
}

TEST_F(CppCall, AFunctionIsCheckedOnce) {
  glint::Sandbox sandbox = make();
  const auto add = sandbox.function<int64_t(int64_t, int64_t)>("add");
  EXPECT_EQ(add(1, 2), 3);
  EXPECT_EQ(add.try_call(3, 4).value(), 7);
  const auto echo = sandbox.function<std::string(std::string_view)>("echo");
  EXPECT_EQ(echo("abc"), "abc");
  const auto view = sandbox.function<glint::Result(std::string_view)>("echo");
  EXPECT_EQ(view("xyz").as<std::string>(), "xyz");
  EXPECT_EQ(code_of([&] { sandbox.function<int64_t(int64_t)>("add"); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(code_of([&] { sandbox.function<int64_t(int64_t, int32_t)>("add"); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(message_, "add, argument 2: expected i64, given i32");
  EXPECT_EQ(code_of([&] { sandbox.function<double(int64_t, int64_t)>("add"); }), GLINT_E_SIGNATURE);
  EXPECT_EQ(code_of([&] { sandbox.function<void()>("nothing"); }), GLINT_E_NOT_FOUND);
}

TEST_F(CppCall, AResultIsAViewUntilTheSandboxGoesOn) {
  glint::Sandbox sandbox = make();
  glint::Result first = sandbox.call_view("echo", "first");
  EXPECT_EQ(first.type(), glint::Type::kString);
  EXPECT_EQ(first.as<std::string_view>(), "first");
  EXPECT_EQ(code_of([&] { static_cast<void>(first.as<std::span<const std::byte>>()); }), GLINT_E_TYPE);
  EXPECT_EQ(code_of([&] { static_cast<void>(first.as<int64_t>()); }), GLINT_E_TYPE);

  glint::Result second = sandbox.call_view("echo", "second");
  EXPECT_FALSE(first.valid());
  EXPECT_EQ(code_of([&] { static_cast<void>(first.as<std::string_view>()); }), GLINT_E_INVALID_ARGUMENT);
  first.release();  // must not touch the second
  EXPECT_EQ(second.as<std::string_view>(), "second");
  second = sandbox.call_view("echo", "third");  // the old one must not release the new one
  EXPECT_EQ(second.as<std::string_view>(), "third");
  const glint::Result moved = std::move(second);
  EXPECT_EQ(moved.as<std::string>(), "third");
  EXPECT_EQ(sandbox.call_view("add", 1, 2).as<int64_t>(), 3);
}

TEST_F(CppCall, WhatComesFromASandboxThatIsGoneSaysSo) {
  std::optional<glint::Sandbox> sandbox(make());
  const auto add = sandbox->function<int64_t(int64_t, int64_t)>("add");
  const glint::Result result = sandbox->call_view("echo", "text");
  glint::Sandbox moved = std::move(*sandbox);
  sandbox.reset();
  EXPECT_EQ(add(1, 2), 3) << "moving a sandbox changes nothing";
  moved = make();
  EXPECT_EQ(code_of([&] { add(1, 2); }), GLINT_E_INVALID_ARGUMENT);
  EXPECT_FALSE(result.valid());
  EXPECT_EQ(code_of([&] { static_cast<void>(result.as<std::string_view>()); }), GLINT_E_INVALID_ARGUMENT);
}

TEST_F(CppCall, HostFunctionsAreCalledBack) {
  uint32_t seen = 0;
  on_progress = [&](uint32_t percent) {
    seen = percent;
    return -1;
  };
  glint::Sandbox sandbox = make();
  EXPECT_EQ(sandbox.call<int32_t>("notify", 50), -1);
  EXPECT_EQ(seen, 50u);
  EXPECT_EQ(sandbox.counters().host_calls, 1u);
}

TEST_F(CppCall, AnExceptionOfAHostFunctionIsAnErrorOfTheGuest) {
  glint::Sandbox sandbox = make();
  on_progress = [](uint32_t) -> int32_t { throw glint::HostError(28, "disk full"); };
  auto result = sandbox.try_call<int32_t>("notify", 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().guest_code(), 28);
  EXPECT_NE(result.error().message().find("disk full"), std::string_view::npos);

  on_progress = [](uint32_t) -> int32_t { throw std::runtime_error("secret"); };
  result = sandbox.try_call<int32_t>("notify", 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().guest_code(), GLINT_E_HOST_FUNCTION);
  EXPECT_EQ(result.error().message().find("secret"), std::string_view::npos);
  EXPECT_EQ(sandbox.state(), glint::State::kReady);
}

TEST_F(CppCall, NestedCallsReachOtherSandboxesOnly) {
  glint::Sandbox inner = make();
  glint::Sandbox outer = make();
  on_progress = [&](uint32_t percent) {
    EXPECT_EQ(outer.try_call<int64_t>("add", 1, 2).error().code(), GLINT_E_BUSY);
    return static_cast<int32_t>(inner.call<int64_t>("add", percent, 1));
  };
  EXPECT_EQ(outer.call<int32_t>("notify", 41), 42);
}

TEST_F(CppCall, PrintedTextReachesTheCallback) {
  std::string heard;
  glint::Sandbox sandbox = make({.output = [&](int stream, std::string_view text) {
    EXPECT_EQ(stream, 1);
    heard += text;
  }});
  glint::Sandbox moved = std::move(sandbox);  // the callback stays where it is
  moved.call("say", "hello");
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(moved.counters().output_bytes, 5u);
}

TEST_F(CppCall, AnExceptionOfACallbackLeavesTheCallThatWasRunning) {
  bool angry = true;
  glint::Sandbox sandbox = make({.output = [&](int, std::string_view) {
    if (angry) throw std::out_of_range("callback");
  }});
  EXPECT_THROW(sandbox.call("say", "hello"), std::out_of_range);
  const auto returned = sandbox.try_call("say", "hello");
  ASSERT_FALSE(returned);
  EXPECT_EQ(returned.error().code(), GLINT_E_HOST_FUNCTION);
  EXPECT_THROW(std::rethrow_exception(returned.error().cause()), std::out_of_range);
  angry = false;
  sandbox.call("say", "hello");  // it was not kept for the next one
  EXPECT_EQ(sandbox.state(), glint::State::kReady);
}

TEST_F(CppCall, RunStopsWhereTheGuestWaits) {
  glint::Sandbox sandbox = make();
  EXPECT_EQ(sandbox.run(), std::nullopt);
  EXPECT_EQ(sandbox.state(), glint::State::kReady);
  EXPECT_EQ(sandbox.image().functions().size(), 10u);
}

}  // namespace
