// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "sandbox/image.hpp"
#include "shell/shell_pool.hpp"

namespace glint::core {

// A sandbox at a moment when it waited for calls. Immutable and thread-safe; independent of the sandbox that
// it was taken of.
struct Snapshot {
  std::shared_ptr<Image> image;
  FrozenSandbox frozen;
  uint32_t time_epoch = 0;  // the one that the guest's memory knows (glint_abi_header)
};

}  // namespace glint::core
