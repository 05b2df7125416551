// SPDX-License-Identifier: Apache-2.0
// error: this type cannot cross between host and guest
#include <glint/glint.hpp>

void bad(glint::HostFunctions& host) {
  host.add("f", [](const char*) {});
}
