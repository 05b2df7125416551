// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capi/handles.hpp"

namespace glint::capi {

// The options as the library takes them; null: the defaults. The callbacks' user data is owned by what this
// returns, or has been destroyed if it fails: unless struct_size is no size of the struct.
Result<core::SandboxOptions> read_options(const glint_sandbox_options* from);
Result<core::CallOptions> read_options(const glint_call_options* from);

}  // namespace glint::capi
