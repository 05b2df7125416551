// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace glint::core {

// For invariants that guard guest memory: also in release builds. A library that goes on after one is broken
// would write where it must not; so it ends the process, with a message that is worth reporting.
inline void require(bool invariant, const char* what) {
  if (invariant) return;
  static_cast<void>(std::fprintf(stderr, "glint: internal error: %s; please report it\n", what));
  std::abort();
}

}  // namespace glint::core
