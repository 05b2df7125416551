// SPDX-License-Identifier: Apache-2.0
// error: a view would end before it could be used
#include <glint/glint.hpp>
#include <string_view>

void bad(glint::Sandbox& sandbox) { static_cast<void>(sandbox.call<std::string_view>("name")); }
