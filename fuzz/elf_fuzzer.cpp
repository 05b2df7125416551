// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes give an error of the GLINT_E_IMAGE_* group, or a program that keeps its
// promises.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "elf_invariants.hpp"
#include "image/elf.hpp"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto program = glint::core::parse_program(std::as_bytes(std::span(data, size)));
  if (program) {
    const std::string broken = glint::test::broken_promise(*program, size);
    if (!broken.empty()) fail(broken);
    return 0;
  }
  const glint::core::Error& error = program.error();
  if (error.code > GLINT_E_IMAGE_NOT_ELF || error.code < GLINT_E_IMAGE_ABI)
    fail("an error of the image group");
  if (error.message.empty()) fail("an error says what is wrong");
  return 0;
}
