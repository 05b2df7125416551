// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "glint/glint.hpp"

namespace glint::cli {

// What the tool ends with, beside the exit status of a program that it ran; see docs/cli.md. 125 and 128 +
// signal are what env(1), timeout(1) and shells use.
inline constexpr int kSuccess = 0;
inline constexpr int kNegativeAnswer =
    1;  // it worked, and the answer is no: a guest's error, a bad image, no KVM
inline constexpr int kGlintFailed = 125;
inline constexpr int kSignalBase = 128;

inline int exit_code_for(const Error& error) {
  if (const auto fault = error.fault(); fault && fault->signal > 0) return kSignalBase + fault->signal;
  if (error.code() == GLINT_E_GUEST_ERROR || error.code() == GLINT_E_ENDED) return kNegativeAnswer;
  return kGlintFailed;
}

}  // namespace glint::cli
