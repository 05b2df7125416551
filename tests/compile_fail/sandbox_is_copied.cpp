// SPDX-License-Identifier: Apache-2.0
// error: deleted
#include <glint/glint.hpp>

glint::Sandbox bad(glint::Sandbox& sandbox) { return sandbox; }
