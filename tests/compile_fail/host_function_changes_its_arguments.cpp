// SPDX-License-Identifier: Apache-2.0
// error: a host function takes its parameters by value or by const reference
#include <glint/glint.hpp>

void bad(glint::HostFunctions& host) {
  host.add("f", [](int32_t& value) { value = 1; });
}
