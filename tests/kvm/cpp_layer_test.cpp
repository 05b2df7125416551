// SPDX-License-Identifier: Apache-2.0
// The C++ layer with real guests. What each kind of fault looks like, and the limits of calls, are tested
// beside this file; here it is what a user of glint.hpp sees.
#include "glint/glint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kvm/guests.hpp"

namespace {

using glint::test::guest_path;

// The host functions that tests/guests/callbacks.c imports.
struct Callbacks {
  Callbacks() {
    host.add("host_add", [](int64_t a, int64_t b) { return a + b; })
        .add("host_echo_bool", [](bool value) { return value; })
        .add("host_echo_i32", [](int32_t value) { return value; })
        .add("host_echo_u32", [](uint32_t value) { return value; })
        .add("host_echo_i64", [](int64_t value) { return value; })
        .add("host_echo_u64", [](uint64_t value) { return value; })
        .add("host_echo_f32", [](float value) { return value; })
        .add("host_echo_f64", [](double value) { return value; })
        .add("host_echo_string", [](std::string_view value) { return value; })  // a view of the argument
        .add("host_echo_bytes", [](std::span<const std::byte> value) { return value; })
        .add("host_join",
             [](std::span<const std::byte> a, std::span<const std::byte> b) {
               std::vector<std::byte> joined(a.begin(), a.end());
               joined.insert(joined.end(), b.begin(), b.end());
               return joined;
             })
        .add("host_fail", [](int32_t code) -> int64_t { throw glint::HostError(code, "failed as asked"); })
        .add("host_nested", [this](int64_t depth) { return on_nested ? on_nested(depth) : 0; })
        .add("progress", [this](uint32_t percent) { last_percent = percent; });
  }

  glint::HostFunctions host;
  std::function<int64_t(int64_t)> on_nested;
  uint32_t last_percent = 0;
};

std::vector<std::byte> pattern(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

class CppLayer : public testing::Test {
 protected:
  glint::Image load(std::string_view name, const glint::ImageOptions& options = {}) {
    return engine_.load(guest_path(name), options);
  }

  glint::Engine engine_;
};

TEST_F(CppLayer, ReadsAsInTheReadme) {
  Callbacks callbacks;
  glint::Sandbox sandbox(load("callbacks"), callbacks.host);
  EXPECT_EQ(sandbox.call<int64_t>("call_add", 1, 2), 3);
  sandbox.call("call_progress", 50);
  EXPECT_EQ(callbacks.last_percent, 50u);
  EXPECT_EQ(engine_.backend(), "kvm");
}

TEST_F(CppLayer, EveryTypeGoesInAndComesOut) {
  glint::Sandbox sandbox(load("echo"));
  EXPECT_TRUE(sandbox.call<bool>("echo_bool", true));
  EXPECT_EQ(sandbox.call<int32_t>("echo_i32", INT32_MIN), INT32_MIN);
  EXPECT_EQ(sandbox.call<uint32_t>("echo_u32", UINT32_MAX), UINT32_MAX);
  EXPECT_EQ(sandbox.call<int64_t>("echo_i64", INT64_MIN), INT64_MIN);
  EXPECT_EQ(sandbox.call<uint64_t>("echo_u64", UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(sandbox.call<float>("echo_f32", 0.1f), 0.1f);
  EXPECT_EQ(sandbox.call<double>("echo_f64", 0.1), 0.1);
  EXPECT_EQ(sandbox.call<std::string>("echo_string", "größer"), "größer");
  EXPECT_EQ(sandbox.call<std::string>("concat", "ab", std::string("cd")), "abcd");
  const std::vector<std::byte> bytes = pattern(100'000);
  EXPECT_EQ(sandbox.call<std::vector<std::byte>>("echo_bytes", bytes), bytes);
  EXPECT_EQ(sandbox.call<std::vector<std::byte>>("echo_bytes", std::span<const std::byte>()).size(), 0u);
  sandbox.call("nothing");
}

TEST_F(CppLayer, EveryTypeGoesToTheHostAndBack) {
  Callbacks callbacks;
  glint::Sandbox sandbox(load("callbacks"), callbacks.host);
  EXPECT_TRUE(sandbox.call<bool>("call_echo_bool", true));
  EXPECT_EQ(sandbox.call<int32_t>("call_echo_i32", -1), -1);
  EXPECT_EQ(sandbox.call<uint32_t>("call_echo_u32", UINT32_MAX), UINT32_MAX);
  EXPECT_EQ(sandbox.call<int64_t>("call_echo_i64", INT64_MIN), INT64_MIN);
  EXPECT_EQ(sandbox.call<uint64_t>("call_echo_u64", UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(sandbox.call<float>("call_echo_f32", -0.5f), -0.5f);
  EXPECT_EQ(sandbox.call<double>("call_echo_f64", 1e-300), 1e-300);
  EXPECT_EQ(sandbox.call<std::string>("call_echo_string", "text"), "text");
  const std::vector<std::byte> bytes = pattern(300'000);
  EXPECT_EQ(sandbox.call<std::vector<std::byte>>("call_echo_bytes", bytes), bytes);
  EXPECT_EQ(sandbox.call<std::vector<uint8_t>>("call_swap_halves", std::vector<uint8_t>{1, 2, 3, 4}),
            (std::vector<uint8_t>{3, 4, 1, 2}));
}

TEST_F(CppLayer, AFunctionTakesOneExitPerCall) {
  glint::Sandbox sandbox(load("echo"));
  const auto add = sandbox.function<int64_t(int64_t, int64_t)>("add");
  EXPECT_EQ(add(1, 2), 3);
  const glint::SandboxCounters before = sandbox.counters();
  for (int64_t i = 0; i < 10; ++i) ASSERT_EQ(add(i, -i), 0);
  const glint::SandboxCounters after = sandbox.counters();
  EXPECT_EQ(after.calls - before.calls, 10u);
  EXPECT_EQ(after.exits - before.exits, 10u);
  EXPECT_EQ(after.ioctls - before.ioctls, 10u);
}

TEST_F(CppLayer, AViewShowsTheGuestsMemoryAndHoldsItsVm) {
  glint::Sandbox sandbox(load("echo"));
  const std::vector<std::byte> expected = pattern(1'000'000);
  glint::Result view = sandbox.call_view("make_bytes", expected.size());
  const auto bytes = view.as<std::span<const std::byte>>();
  ASSERT_EQ(bytes.size(), expected.size());
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin()));
  view.release();
  EXPECT_FALSE(view.valid());
  EXPECT_EQ(sandbox.call<int64_t>("add", 1, 2), 3);
}

TEST_F(CppLayer, WrongCallsAreRefusedBeforeTheGuestRuns) {
  glint::Sandbox sandbox(load("echo"));
  EXPECT_EQ(sandbox.try_call<int64_t>("add", 1).error().code(), GLINT_E_SIGNATURE);
  EXPECT_EQ(sandbox.try_call<int64_t>("add", 1, "two").error().code(), GLINT_E_SIGNATURE);
  EXPECT_EQ(sandbox.try_call<int64_t>("no_such_function").error().code(), GLINT_E_NOT_FOUND);
  EXPECT_EQ(sandbox.try_call("echo_string", "\xff").error().code(), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(sandbox.state(), glint::State::kNew);
  EXPECT_EQ(sandbox.counters().exits, 0u);
}

TEST_F(CppLayer, AFailureOfTheHostIsAValueThatTheGuestHandles) {
  Callbacks callbacks;
  glint::Sandbox sandbox(load("callbacks"), callbacks.host);
  EXPECT_TRUE(sandbox.call<bool>("handle_failure", 404));
  const auto passed_on = sandbox.try_call<int64_t>("pass_on_failure", 405);
  ASSERT_FALSE(passed_on);
  EXPECT_EQ(passed_on.error().code(), GLINT_E_GUEST_ERROR);
  EXPECT_EQ(passed_on.error().guest_code(), 405);
  EXPECT_NE(passed_on.error().message().find("failed as asked"), std::string_view::npos);
  EXPECT_EQ(sandbox.state(), glint::State::kReady);
}

TEST_F(CppLayer, NestedCallsReachOtherSandboxesOnly) {
  Callbacks inner_callbacks;
  glint::Sandbox inner(load("callbacks"), inner_callbacks.host);
  Callbacks outer_callbacks;
  glint::Sandbox outer(load("callbacks"), outer_callbacks.host);
  outer_callbacks.on_nested = [&](int64_t depth) {
    EXPECT_EQ(outer.try_call<int64_t>("call_add", 1, 2).error().code(), GLINT_E_BUSY);
    return inner.call<int64_t>("call_add", depth, 1);
  };
  EXPECT_EQ(outer.call<int64_t>("call_nested", 41), 42);
}

TEST_F(CppLayer, AFaultIsAnErrorWithDetailsAndOthersDoNotNotice) {
  const glint::Image image = load("faults");
  glint::Sandbox victim(image);
  glint::Sandbox other(image);
  EXPECT_EQ(other.call<int32_t>("fine"), 42);
  const auto failed = victim.try_call("null_write");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), GLINT_E_GUEST_FAULT);
  const std::optional<glint::Fault> fault = failed.error().fault();
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->vector, 14u);
  EXPECT_EQ(fault->signal, 11);
  EXPECT_EQ(fault->name, "page fault");
  EXPECT_EQ(fault->access, "write");
  EXPECT_EQ(fault->address, 0u);
  EXPECT_NE(fault->symbol.find("write"), std::string::npos) << fault->symbol;
  EXPECT_EQ(victim.state(), glint::State::kPoisoned);
  EXPECT_EQ(victim.try_call<int32_t>("fine").error().code(), GLINT_E_POISONED);
  EXPECT_EQ(other.call<int32_t>("fine"), 42);
}

TEST_F(CppLayer, AProgramWithoutArgumentsIsCalledGuest) {
  std::string printed;
  glint::Sandbox sandbox(load("exits"), {.output = [&](int, std::string_view text) { printed += text; }});
  EXPECT_EQ(sandbox.run(), 0);
  EXPECT_EQ(printed, "argv[0]=guest\ndone\n");
}

TEST_F(CppLayer, AProgramGetsArgumentsEnvironmentFilesAndInput) {
  const std::string contents = "from the host\n";
  glint::GuestFile file{"/data/note.txt", {}};
  for (const char c : contents) file.data.push_back(static_cast<std::byte>(c));
  std::string input = "first line\n";
  std::string printed;
  glint::Sandbox sandbox(load("libc", {.files = {file}}),
                         {.args = {"guest", "one"},
                          .env = {"COLOR=blue"},
                          .output =
                              [&](int stream, std::string_view text) {
                                if (stream == 1) printed += text;
                              },
                          .input =
                              [&](std::span<std::byte> buffer) {
                                const size_t count = std::min(buffer.size(), input.size());
                                for (size_t i = 0; i < count; ++i)
                                  buffer[i] = static_cast<std::byte>(input[i]);
                                input.erase(0, count);
                                return count;
                              }});
  EXPECT_EQ(sandbox.call<std::string>("argument", 1), "one");
  EXPECT_EQ(sandbox.call<std::string>("environment", "COLOR"), "blue");
  EXPECT_EQ(sandbox.call<std::string>("read_file", "/data/note.txt"), contents);
  EXPECT_NE(sandbox.call<std::string>("read_line").find("first line"), std::string::npos);
  sandbox.call("print_lines", 3);
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 3);
}

TEST_F(CppLayer, SystemCallsCanBeTraced) {
  std::map<std::string, int> seen;
  bool unknown = false;
  glint::Sandbox sandbox(load("libc"), {.trace =
                                            [&](const glint::SyscallReport& call) {
                                              ++seen[std::string(call.name)];
                                              if (call.unknown) {
                                                unknown = true;
                                                EXPECT_EQ(call.result, -38);
                                              }
                                            },
                                        .trace_all = true});
  constexpr int kReboot = 169;  // nothing that the libos would ever serve
  EXPECT_EQ(sandbox.call<int64_t>("raw_syscall", kReboot, 0, 0), -38);
  EXPECT_TRUE(unknown);
  EXPECT_EQ(seen["reboot"], 1);
  EXPECT_GT(seen.size(), 1u) << "start-up makes system calls";
  EXPECT_EQ(sandbox.counters().unknown_syscalls, 1u);
}

TEST_F(CppLayer, EachLoanOfAPoolHasATraceOfItsOwn) {
  glint::Sandbox first(load("libc"));
  const glint::Pool pool(first.snapshot(), {.size = 1});
  constexpr int kReboot = 169;
  int traced = 0, elsewhere = 0;
  const auto use = [&](glint::SandboxOptions options) {
    glint::Sandbox loan = pool.acquire(glint::kWaitForever, {}, std::move(options));
    EXPECT_EQ(loan.call<int64_t>("raw_syscall", kReboot, 0, 0), -38);
  };
  use({.trace = [&](const glint::SyscallReport& call) { traced += call.name == "reboot"; }});
  EXPECT_EQ(traced, 1);
  use({});
  use({.trace = [&](const glint::SyscallReport&) { ++elsewhere; }});
  EXPECT_EQ(traced, 1) << "it ended with its loan";
  EXPECT_EQ(elsewhere, 1);
}

TEST_F(CppLayer, AnExceptionOfACallbackLeavesTheCall) {
  glint::Sandbox sandbox(load("libc"),
                         {.output = [](int, std::string_view) { throw std::out_of_range("no more paper"); }});
  EXPECT_THROW(sandbox.call("print_lines", 1), std::out_of_range);
  EXPECT_EQ(sandbox.state(), glint::State::kReady) << "the guest has done no wrong";
}

TEST_F(CppLayer, AProgramThatEndsGivesItsExitStatus) {
  glint::Sandbox sandbox(load("faults"));
  EXPECT_EQ(sandbox.try_call("call_exit", 3).error().code(), GLINT_E_ENDED);
  EXPECT_EQ(sandbox.state(), glint::State::kEnded);
  EXPECT_EQ(sandbox.run(), 3);
}

TEST_F(CppLayer, AllMissingImportsAreListed) {
  glint::HostFunctions host;
  host.add("host_add", [](int32_t a, int32_t b) { return a + b; });  // not the signature that is wanted
  const auto made = glint::Sandbox::try_create(load("callbacks"), host);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), GLINT_E_MISSING_IMPORT);
  for (const char* name : {"host_add", "host_join", "progress", "host_nested"}) {
    EXPECT_NE(made.error().message().find(name), std::string_view::npos) << name;
  }
}

TEST_F(CppLayer, SandboxesOfOneImageRunOnSeveralThreads) {
  const glint::Image image = load("echo");
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::array<int64_t, 4> sums{};
  for (int64_t& sum : sums) {
    threads.emplace_back([&image, &sum] {
      glint::Sandbox sandbox(image);
      const auto add = sandbox.function<int64_t(int64_t, int64_t)>("add");
      for (int64_t i = 1; i <= 100; ++i) sum = add(sum, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int64_t sum : sums) EXPECT_EQ(sum, 5050);
  EXPECT_EQ(engine_.counters().sandboxes_live, 0u);
  EXPECT_EQ(engine_.counters().sandboxes_created, 4u);
}

TEST_F(CppLayer, AMovedSandboxIsTheSame) {
  Callbacks callbacks;
  std::vector<glint::Sandbox> sandboxes;
  sandboxes.reserve(2);  // growing moves them
  for (int i = 0; i < 5; ++i) sandboxes.emplace_back(load("callbacks"), callbacks.host);
  for (glint::Sandbox& sandbox : sandboxes) EXPECT_EQ(sandbox.call<int64_t>("call_many", 10), 45);
  EXPECT_EQ(engine_.counters().sandboxes_live, 5u);
  sandboxes.clear();
  EXPECT_EQ(engine_.counters().sandboxes_live, 0u);
}

TEST_F(CppLayer, TheDoctorFindsThisMachineUsable) {
  const glint::DoctorReport report = glint::doctor();
  EXPECT_TRUE(report.usable);
  std::map<std::string, std::string> details;
  for (const glint::DoctorItem& item : report.items) details[item.name] = item.detail;
  EXPECT_TRUE(details.contains("hypervisor"));
  EXPECT_TRUE(details.contains("syscall_entry"));
  EXPECT_TRUE(details.contains("port_access"));
}

}  // namespace
