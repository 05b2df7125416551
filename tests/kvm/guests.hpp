// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace glint::test {

// Where the guest program `name` of tests/guests is: in the directory that the environment variable
// GLINT_TEST_GUESTS names (the nested lane puts them elsewhere), or where the build put them.
inline std::string guest_path(std::string_view name) {
  const char* directory = std::getenv("GLINT_TEST_GUESTS");
  std::string path = directory != nullptr ? directory : GLINT_TEST_GUESTS;
  return path.append("/").append(name);
}

}  // namespace glint::test
