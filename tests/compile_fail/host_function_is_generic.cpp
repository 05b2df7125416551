// SPDX-License-Identifier: Apache-2.0
// error: a host function is a function, or an object with one operator() that is no template
#include <glint/glint.hpp>

void bad(glint::HostFunctions& host) {
  host.add("f", [](auto value) { return value; });
}
