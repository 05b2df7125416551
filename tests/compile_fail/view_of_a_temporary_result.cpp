// SPDX-License-Identifier: Apache-2.0
// error: the view would end with this temporary
#include <glint/glint.hpp>
#include <string_view>

std::string_view bad(glint::Sandbox& sandbox) { return sandbox.call_view("name").as<std::string_view>(); }
