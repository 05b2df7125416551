// SPDX-License-Identifier: Apache-2.0
// error: this type cannot be an argument of a guest function
#include <glint/glint.hpp>

void bad(glint::Sandbox& sandbox) { sandbox.call("put", 'c'); }
