// SPDX-License-Identifier: Apache-2.0
//
// The C++ layer in a program that is compiled without exceptions: it must compile, and its try_ functions
// work.

#include "cpp_without_exceptions.hpp"

#include "glint/glint.hpp"

#ifdef __cpp_exceptions
#error "this file is to be compiled with -fno-exceptions"
#endif

namespace glint::test {

WithoutExceptions run_without_exceptions(std::span<const std::byte> program) {
  WithoutExceptions seen;
  auto engine = Engine::try_create({.backend = Backend::kFake});
  if (!engine) return seen;
  auto image = engine->try_load_bytes(program);
  if (!image) return seen;
  HostFunctions host;
  const auto added = host.try_add("host_ask", [&](HostCall& call, int64_t n) {
    seen.stopping = call.stopping();
    return n + 1;
  });
  auto sandbox = Sandbox::try_create(*image, host);
  if (!added || !sandbox) return seen;
  const auto answer = sandbox->try_call<int64_t>("ask", 41);
  seen.answer = answer ? *answer : 0;
  seen.error = sandbox->try_call<int64_t>("no such function").error().code();
  return seen;
}

}  // namespace glint::test
