// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures computed from formulas, so that the repository holds no binary files.

#include <cstdint>
#include <functional>

namespace pictures {

// A colour in sRGB, 0 to 1; alpha is not multiplied in.
struct Colour {
  double red, green, blue;
  double alpha = 1;
};

// The colour at a pixel.
using Picture = std::function<Colour(uint32_t x, uint32_t y)>;

Picture gradient(uint32_t width, uint32_t height);
Picture mandelbrot(uint32_t width, uint32_t height);
Picture landscape(uint32_t width, uint32_t height);  // hills, haze and grain, like a photograph
Picture clouds(uint32_t width, uint32_t height);     // grey
Picture ring(uint32_t width, uint32_t height);       // on a transparent ground, with soft edges
Picture checks();                                    // single black and white pixels

}  // namespace pictures
