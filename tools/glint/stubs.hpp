// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "glint/glint.hpp"

namespace glint::cli {

// What an import answers: a value, or a failure.
struct StubAnswer {
  bool fails = false;
  int32_t code = 0;
  std::string text;
  Value value;
};

// VALUE of `--stub NAME=VALUE`: a value of the import's result type, or !CODE:TEXT for a failure.
StubAnswer parse_stub(const FunctionInfo& import, std::string_view text);

// Host functions that stand in for all imports of an image. Must outlive the sandboxes made with them.
class Stubs {
 public:
  // `specs` are texts NAME=VALUE. An import without one answers zero or nothing, and standard error names it:
  // at its first call, or at each call when `verbose`.
  Stubs(const Image& image, std::span<const std::string> specs, bool verbose);

  const HostFunctions& functions() const { return functions_; }

 private:
  struct Stub {
    std::string name;
    StubAnswer answer;
    bool given = false;  // by a spec
    bool verbose = false;
    bool reported = false;
  };

  static glint_status answer(void* user_data, glint_host_call* call) noexcept;
  static void report(Stub& stub, glint_host_call* call);
  void add(const FunctionInfo& import, Stub& stub);

  std::vector<std::unique_ptr<Stub>> stubs_;
  HostFunctions functions_;
};

}  // namespace glint::cli
