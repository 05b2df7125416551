// SPDX-License-Identifier: Apache-2.0
// error: this type cannot be an argument of a guest function
#include <glint/glint.hpp>

struct Point {
  int x, y;
};
void bad(glint::Sandbox& sandbox) { sandbox.call("draw", Point{1, 2}); }
