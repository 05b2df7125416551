// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests with real guests share: an engine, images by the name of a guest in tests/guests, calls with
// C++ values.

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hypervisor/kvm/kvm.hpp"
#include "kvm/guests.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/host_functions.hpp"
#include "sandbox/image.hpp"
#include "sandbox/sandbox.hpp"

namespace glint::test {

using namespace glint::core;

using Bytes = std::vector<std::byte>;

// `count` loops, or the share of them that GLINT_TEST_SCALE (percent) leaves: under an emulated processor
// everything is fifty times slower. At least one.
inline uint32_t scaled(uint32_t count) {
  const char* percent = std::getenv("GLINT_TEST_SCALE");
  const unsigned long scale = percent == nullptr ? 100 : std::strtoul(percent, nullptr, 10);
  return static_cast<uint32_t>(std::max<unsigned long>(1, count * scale / 100));
}

// ---- values ----

inline Value to_value(bool v) { return Value::scalar(GLINT_ABI_BOOL, v ? 1 : 0); }
inline Value to_value(int32_t v) { return Value::scalar(GLINT_ABI_I32, static_cast<uint32_t>(v)); }
inline Value to_value(uint32_t v) { return Value::scalar(GLINT_ABI_U32, v); }
inline Value to_value(int64_t v) { return Value::scalar(GLINT_ABI_I64, static_cast<uint64_t>(v)); }
inline Value to_value(uint64_t v) { return Value::scalar(GLINT_ABI_U64, v); }
inline Value to_value(float v) { return Value::scalar(GLINT_ABI_F32, std::bit_cast<uint32_t>(v)); }
inline Value to_value(double v) { return Value::scalar(GLINT_ABI_F64, std::bit_cast<uint64_t>(v)); }
inline Value to_value(std::string_view v) {
  return Value::of_bytes(GLINT_ABI_STRING, std::as_bytes(std::span(v.data(), v.size())));
}
inline Value to_value(const char* v) { return to_value(std::string_view(v)); }
inline Value to_value(const std::string& v) { return to_value(std::string_view(v)); }
inline Value to_value(std::span<const std::byte> v) { return Value::of_bytes(GLINT_ABI_BYTES, v); }
inline Value to_value(const Bytes& v) { return to_value(std::span(v)); }

template <class T>
T from_value(const Value& v) {
  if constexpr (std::same_as<T, std::string>) {
    return {reinterpret_cast<const char*>(v.bytes.data()), v.bytes.size()};
  } else if constexpr (std::same_as<T, Bytes>) {
    return {v.bytes.begin(), v.bytes.end()};
  } else if constexpr (std::same_as<T, float>) {
    return std::bit_cast<float>(static_cast<uint32_t>(v.bits));
  } else if constexpr (std::same_as<T, double>) {
    return std::bit_cast<double>(v.bits);
  } else {
    return static_cast<T>(v.bits);
  }
}

// Byte i is a function of i and `seed`, so that bytes in a wrong place show.
inline Bytes pattern_bytes(size_t size, uint32_t seed = 1) {
  Bytes bytes(size);
  uint32_t state = seed;
  for (size_t i = 0; i < size; ++i) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

// ---- calls ----

// The result is a view, as the library gives it.
template <class... Arguments>
Result<Value> call_view(Sandbox& sandbox, std::string_view function, const Arguments&... arguments) {
  GLINT_TRY_ASSIGN(index, sandbox.image().find_export(function));
  const std::vector<Value> values = {to_value(arguments)...};
  return sandbox.call(index, values);
}

// The result is a copy, and the sandbox gives its shell back.
template <class T, class... Arguments>
Result<T> call(Sandbox& sandbox, std::string_view function, const Arguments&... arguments) {
  auto value = call_view(sandbox, function, arguments...);
  if (!value) return std::move(value).error();
  T copy = from_value<T>(*value);
  sandbox.release_result();
  return copy;
}

template <class... Arguments>
Result<void> call_void(Sandbox& sandbox, std::string_view function, const Arguments&... arguments) {
  auto value = call_view(sandbox, function, arguments...);
  if (!value) return std::move(value).error();
  return {};
}

// ---- what is expected ----

template <class T>
::testing::AssertionResult succeeded(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "error " << result.error().code << ": " << result.error().message;
}
template <class T, class U>
::testing::AssertionResult gave(const Result<T>& result, const U& expected) {
  if (!result) return succeeded(result);
  if (*result == expected) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "gave " << ::testing::PrintToString(*result) << ", not " << ::testing::PrintToString(expected);
}
template <class T>
::testing::AssertionResult failed_with(const Result<T>& result, glint_status code,
                                       std::string_view text = {}) {
  if (result) return ::testing::AssertionFailure() << "succeeded; expected error " << code;
  const Error& e = result.error();
  if (e.code != code) {
    return ::testing::AssertionFailure() << "error " << e.code << " instead of " << code << ": " << e.message;
  }
  if (e.message.find(text) == std::string::npos) {
    return ::testing::AssertionFailure() << "the message lacks '" << text << "': " << e.message;
  }
  return ::testing::AssertionSuccess();
}

// ---- the fixture ----

inline std::shared_ptr<Engine> make_engine(uint32_t max_shells, uint32_t max_vms = 0) {
  EngineOptions options;
  options.max_shells = max_shells;
  options.max_vms = max_vms;
  // Under an emulated processor, what takes a tenth of a second here may take the usual five.
  options.deadline_ns = 60'000'000'000;
  auto engine = Engine::create(options);
  if (!engine) throw std::runtime_error(engine.error().message);
  return *engine;
}

inline std::shared_ptr<Image> load_image(const std::shared_ptr<Engine>& engine, std::string_view guest,
                                         const LayoutOptions& options = {}) {
  auto image = Image::load_file(engine, guest_path(guest), options);
  if (!image) throw std::runtime_error(image.error().message);
  return *image;
}

inline std::unique_ptr<Sandbox> make_sandbox(const std::shared_ptr<Image>& image,
                                             const std::shared_ptr<const HostFunctions>& functions = nullptr,
                                             SandboxOptions options = {}) {
  auto sandbox = Sandbox::create(image, functions, std::move(options));
  if (!sandbox) throw std::runtime_error(sandbox.error().message);
  return std::move(*sandbox);
}

// Skips only where there is no KVM at all; a KVM that is there and does not work is a failure.
class KvmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_kvm();
    if (!opened && opened.error().code == GLINT_E_NO_HYPERVISOR) GTEST_SKIP() << opened.error().message;
    ASSERT_TRUE(succeeded(opened));
    if (!s_engine) s_engine = make_engine(0);
    engine = s_engine;
  }

  std::shared_ptr<Engine> engine;  // one for all tests of the process

 private:
  static inline std::shared_ptr<Engine> s_engine;
};

// Adds a host function, or throws.
inline void add_host(HostFunctions& functions, std::string name, glint_abi_type result,
                     std::vector<glint_abi_type> params, HostFunctions::Callback callback) {
  auto added = functions.add(std::move(name), result, std::move(params), std::move(callback));
  if (!added) throw std::runtime_error(added.error().message);
}

// Gives a host call its result.
inline int32_t answer(HostCall& call, const Value& value) {
  auto set = call.set_result(value);
  return set ? GLINT_OK : set.error().code;
}

// What a guest prints.
struct Output {
  std::string all, out, err;
  auto callback() {
    return [this](uint32_t stream, std::span<const std::byte> bytes) {
      const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      all += text;
      (stream == 1 ? out : err) += text;
    };
  }
};

// ---- fork ----
inline int exit_status_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace glint::test
