// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes give an error of the GLINT_E_IMAGE_* group, or a program that keeps its
// promises; and such a program either does not fit its memory, or gets a layout and page tables that keep
// theirs.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "elf_invariants.hpp"
#include "image/elf.hpp"
#include "image/layout.hpp"
#include "image/libos.hpp"
#include "layout_invariants.hpp"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

void check_layout(const glint::core::Program& program, size_t file_size) {
  static const glint::core::Program& libos = *glint::core::libos_program().value();
  const auto layout = glint::core::plan_layout(program, libos, {});
  if (!layout) {
    if (layout.error().code != GLINT_E_IMAGE_TOO_LARGE)
      fail("the only thing wrong with a layout is its size");
    return;
  }
  const std::string broken =
      glint::test::broken_promise(*layout, file_size, glint::core::libos_file().size());
  if (!broken.empty()) fail(broken);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto program = glint::core::parse_program(std::as_bytes(std::span(data, size)));
  if (program) {
    const std::string broken = glint::test::broken_promise(*program, size);
    if (!broken.empty()) fail(broken);
    check_layout(*program, size);
    return 0;
  }
  const glint::core::Error& error = program.error();
  if (error.code > GLINT_E_IMAGE_NOT_ELF || error.code < GLINT_E_IMAGE_ABI)
    fail("an error of the image group");
  if (error.message.empty()) fail("an error says what is wrong");
  return 0;
}
