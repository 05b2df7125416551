// SPDX-License-Identifier: Apache-2.0
//
// Deadlines, interrupts and exceptions of host functions in the C++ layer, on the fake backend.

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "glint/glint.hpp"
#include "unit/cpp_without_exceptions.hpp"
#include "unit/elf_builder.hpp"

namespace glint::test {
namespace {

using namespace std::chrono_literals;

ElfBytes program() {
  ElfBuilder builder;
  builder.functions = {
      elf_function(GLINT_ABI_EXPORT, "ask", GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_IMPORT, "host_ask", GLINT_ABI_I64, {GLINT_ABI_I64}),
      elf_function(GLINT_ABI_EXPORT, "spin", GLINT_ABI_VOID, {}),
  };
  return builder.build().bytes;
}

class CppInterrupt : public testing::Test {
 protected:
  template <class F>
  Sandbox with(F&& ask) {
    HostFunctions host;
    host.add("host_ask", std::forward<F>(ask));
    return Sandbox(image_, host);
  }

  Engine engine_{{.backend = Backend::kFake}};
  Image image_ = engine_.load_bytes(program());
};

glint_status code_of(const auto& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return GLINT_OK;
}

TEST_F(CppInterrupt, ADeadlineEndsACall) {
  Sandbox sandbox = with([](int64_t n) { return n; });
  EXPECT_EQ(code_of([&] { sandbox.call({.deadline = 2ms}, "spin"); }), GLINT_E_DEADLINE);
  EXPECT_EQ(sandbox.state(), State::kPoisoned);
}

TEST_F(CppInterrupt, ADeadlineOfAFunctionHandleAndOfAnEngineEndCalls) {
  Sandbox sandbox = with([](int64_t n) { return n; });
  const auto spin = sandbox.function<void()>("spin").with({.deadline = 2ms});
  EXPECT_EQ(code_of([&] { spin(); }), GLINT_E_DEADLINE);
  const Engine hasty({.backend = Backend::kFake, .deadline = 2ms});
  HostFunctions host;
  host.add("host_ask", [](int64_t n) { return n; });
  Sandbox other(hasty.load_bytes(program()), host);
  EXPECT_EQ(code_of([&] { other.call("spin"); }), GLINT_E_DEADLINE);
}

TEST_F(CppInterrupt, AnInterruptOfAnotherThreadEndsACall) {
  Sandbox sandbox = with([](int64_t n) { return n; });
  const Interrupt interrupt;
  std::thread other([copy = interrupt] { copy.raise(); });
  EXPECT_EQ(code_of([&] { sandbox.call({.deadline = kNoDeadline, .interrupt = interrupt}, "spin"); }),
            GLINT_E_INTERRUPTED);
  other.join();
  EXPECT_TRUE(interrupt.raised());
}

TEST_F(CppInterrupt, AHostFunctionIsTold) {
  const Interrupt interrupt;
  bool told = false;
  Sandbox sandbox = with([&](HostCall& call, int64_t n) {
    EXPECT_FALSE(call.stopping());
    EXPECT_TRUE(call.on_interrupt([&] { told = true; }));
    EXPECT_EQ(interrupt.raise(), 1u);
    EXPECT_TRUE(call.stopping());
    return n;
  });
  EXPECT_EQ(code_of([&] { sandbox.call<int64_t>({.interrupt = interrupt}, "ask", 1); }), GLINT_E_INTERRUPTED);
  EXPECT_TRUE(told);
}

TEST_F(CppInterrupt, ANotificationThatWasTakenBackDoesNotCome) {
  const Interrupt interrupt;
  int told = 0;
  Sandbox sandbox = with([&](HostCall& call, int64_t n) {
    EXPECT_TRUE(call.on_interrupt({})) << "there is nothing to take back";
    EXPECT_TRUE(call.on_interrupt([&] { told += 1; }));
    EXPECT_EQ(call.on_interrupt([&] { told += 10; }).error().code(), GLINT_E_BUSY);
    EXPECT_TRUE(call.on_interrupt({}));
    EXPECT_TRUE(call.on_interrupt([&] { told += 100; })) << "there is none any more";
    interrupt.raise();
    return n;
  });
  EXPECT_EQ(code_of([&] { sandbox.call<int64_t>({.interrupt = interrupt}, "ask", 1); }), GLINT_E_INTERRUPTED);
  EXPECT_EQ(told, 100);
}

TEST_F(CppInterrupt, AnOlderExceptionDoesNotHideThatTheCallWasStopped) {
  const Interrupt interrupt;
  Sandbox sandbox = with([&](int64_t) -> int64_t {
    interrupt.raise();
    throw std::out_of_range("forty-two");
  });
  try {
    sandbox.call<int64_t>({.interrupt = interrupt}, "ask", 1);
    FAIL() << "the call ended well";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), GLINT_E_INTERRUPTED);
    EXPECT_THROW(std::rethrow_exception(error.cause()), std::out_of_range);
  }
}

TEST_F(CppInterrupt, AnExceptionOfAHostFunctionComesOutOfTheCallAsItWas) {
  Sandbox sandbox = with([](int64_t) -> int64_t { throw std::out_of_range("forty-two"); });
  EXPECT_THROW(sandbox.call<int64_t>("ask", 1), std::out_of_range);
  const auto failed = sandbox.try_call<int64_t>("ask", 1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), GLINT_E_GUEST_ERROR);
  EXPECT_NE(failed.error().cause(), nullptr);
}

TEST_F(CppInterrupt, AnExceptionComesThroughTwoGuests) {
  Sandbox inner = with([](int64_t) -> int64_t { throw std::out_of_range("forty-two"); });
  Sandbox outer = with([&](int64_t n) { return inner.call<int64_t>("ask", n); });
  EXPECT_THROW(outer.call<int64_t>("ask", 1), std::out_of_range);
}

TEST_F(CppInterrupt, AHostErrorIsForTheGuestAlone) {
  Sandbox sandbox = with([](int64_t) -> int64_t { throw HostError(7, "no"); });
  const auto failed = sandbox.try_call<int64_t>("ask", 1);
  EXPECT_EQ(failed.error().guest_code(), 7);
  EXPECT_EQ(failed.error().cause(), nullptr);
}

TEST_F(CppInterrupt, ATokenOfACFunctionIsNotTakenForAnException) {
  HostFunctions host;
  const uint32_t i64 = GLINT_I64;
  ASSERT_EQ(glint_host_functions_add(
                host.handle(), {"host_ask", 8}, GLINT_I64, &i64, 1,
                [](void*, glint_host_call* call) -> glint_status {
                  glint_host_call_fail_with(call, call, nullptr);
                  return 3;
                },
                nullptr, nullptr, nullptr),
            GLINT_OK);
  Sandbox sandbox(image_, host);
  EXPECT_EQ(sandbox.try_call<int64_t>("ask", 1).error().cause(), nullptr);
}

TEST_F(CppInterrupt, WorksInAProgramWithoutExceptions) {
  const WithoutExceptions seen = run_without_exceptions(program());
  EXPECT_EQ(seen.answer, 42);
  EXPECT_EQ(seen.error, GLINT_E_NOT_FOUND);
  EXPECT_FALSE(seen.stopping);
}

}  // namespace
}  // namespace glint::test
