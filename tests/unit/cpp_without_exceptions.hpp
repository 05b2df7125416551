// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace glint::test {

// What a program that is compiled without exceptions saw of the C++ layer.
struct WithoutExceptions {
  int64_t answer = 0;
  int32_t error = 0;
  bool stopping = true;
};

// `program` exports "ask", i64 → i64, and imports "host_ask".
WithoutExceptions run_without_exceptions(std::span<const std::byte> program);

}  // namespace glint::test
