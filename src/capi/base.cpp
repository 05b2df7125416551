// SPDX-License-Identifier: Apache-2.0
#include "glint/base.h"

#include <string_view>

#include "capi/handles.hpp"

using namespace glint::capi;

// The build defines GLINT_VERSION from the project's version; the header says it to those who compile against
// it.
static_assert(std::string_view(GLINT_VERSION) == GLINT_VERSION_STRING,
              "include/glint/base.h has another version");

glint_str glint_version_string(void) noexcept { return as_str(GLINT_VERSION_STRING); }

uint32_t glint_abi_version(void) noexcept { return GLINT_C_ABI_MAJOR << 16 | GLINT_C_ABI_MINOR; }
