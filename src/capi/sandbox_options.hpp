// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capi/handles.hpp"

namespace glint::capi {

// The options as the library takes them; null: the defaults. The callbacks' user data is owned by `options`,
// or has been destroyed if this fails: unless struct_size is no size of the struct.
Result<void> read_options(const glint_sandbox_options* from, core::SandboxOptions& options);
Result<core::CallOptions> read_options(const glint_call_options* from);

}  // namespace glint::capi
