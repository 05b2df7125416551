// SPDX-License-Identifier: Apache-2.0
#include "image/libos.hpp"

// The blob, from libos_blob.S.in.
extern "C" const std::byte glint_libos_begin[];
extern "C" const std::byte glint_libos_end[];

namespace glint::core {

std::span<const std::byte> libos_file() { return {glint_libos_begin, glint_libos_end}; }

Result<const Program*> libos_program() {
  static const Result<Program> program =
      parse_program(libos_file(), {GLINT_GVA_LIBOS, GLINT_GVA_LIBOS_END, GLINT_GVA_LIBOS});
  if (!program) return error(GLINT_E_INTERNAL, "the embedded libos is damaged: " + program.error().message);
  return &*program;
}

}  // namespace glint::core
