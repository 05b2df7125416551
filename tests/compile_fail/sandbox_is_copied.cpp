// SPDX-License-Identifier: Apache-2.0
// error: Sandbox
#include <glint/glint.hpp>

glint::Sandbox bad(glint::Sandbox& sandbox) { return sandbox; }
