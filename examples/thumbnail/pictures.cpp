// SPDX-License-Identifier: Apache-2.0
#include "thumbnail/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace pictures {
namespace {

double mix(double a, double b, double t) { return a + (b - a) * t; }

Colour mix(const Colour& a, const Colour& b, double t) {
  return {mix(a.red, b.red, t), mix(a.green, b.green, t), mix(a.blue, b.blue, t), mix(a.alpha, b.alpha, t)};
}

double smooth(double t) { return t * t * (3 - 2 * t); }

// A number from 0 to 1 that looks random, the same for each grid point at every run.
double lattice(int32_t x, int32_t y) {
  uint32_t hash = static_cast<uint32_t>(x) * 0x9e3779b1u ^ static_cast<uint32_t>(y) * 0x85ebca77u;
  hash = (hash ^ (hash >> 15)) * 0x2c1b3c6du;
  hash = (hash ^ (hash >> 12)) * 0x297a2d39u;
  return (hash ^ (hash >> 15)) / 4294967296.0;
}

double noise(double x, double y) {
  const auto column = static_cast<int32_t>(std::floor(x));
  const auto row = static_cast<int32_t>(std::floor(y));
  const double across = smooth(x - column);
  const double down = smooth(y - row);
  return mix(mix(lattice(column, row), lattice(column + 1, row), across),
             mix(lattice(column, row + 1), lattice(column + 1, row + 1), across), down);
}

// Noise of several sizes on top of each other.
double fractal_noise(double x, double y) {
  double sum = 0;
  double share = 0.5;
  for (int octave = 0; octave < 5; ++octave, share /= 2, x *= 2, y *= 2) sum += share * noise(x, y);
  return sum;
}

Colour sky(double x, double y) {
  const Colour clear = mix(Colour{0.25, 0.45, 0.80}, Colour{0.95, 0.80, 0.62}, std::min(y * 1.6, 1.0));
  const double cloud = std::clamp(3 * fractal_noise(x * 5, y * 12) - 1.3, 0.0, 1.0);
  const double sun = std::exp(-60 * ((x - 0.72) * (x - 0.72) + (y - 0.30) * (y - 0.30)));
  return mix(mix(clear, Colour{1, 0.97, 0.93}, 0.7 * cloud), Colour{1, 0.98, 0.80}, sun);
}

// The hill of a layer, from the far (0) to the near (3): farther ones are lower and bluer.
Colour hill(int layer, double x, double y) {
  const Colour near =
      mix(Colour{0.05, 0.16, 0.07}, Colour{0.20, 0.33, 0.10}, fractal_noise(x * 40, y * 60 + layer));
  return mix(Colour{0.62, 0.68, 0.78}, near, (layer + 1) / 4.0);
}

// How soon |z² + c| leaves the circle, without steps; negative inside of the set.
double escape(std::complex<double> c) {
  constexpr int kMostSteps = 200;
  constexpr double kFar = 256;
  std::complex<double> z = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    z = {z.real() * z.real() - z.imag() * z.imag() + c.real(), 2 * z.real() * z.imag() + c.imag()};
    if (std::norm(z) > kFar) return step - std::log2(std::log2(std::norm(z)) / std::log2(kFar));
  }
  return -1;
}

}  // namespace

Picture gradient(uint32_t width, uint32_t height) {
  return [=](uint32_t x, uint32_t y) { return Colour{x / (width - 1.0), y / (height - 1.0), 0.5}; };
}

Picture mandelbrot(uint32_t width, uint32_t height) {
  return [=](uint32_t x, uint32_t y) {
    const double step = 2.6 / height;
    const double speed = escape({-0.7 + (x - width / 2.0) * step, (y - height / 2.0) * step});
    if (speed < 0) return Colour{0, 0, 0};
    const double phase = 0.35 * std::sqrt(speed) * 2 * std::numbers::pi;
    return Colour{0.5 - 0.5 * std::cos(phase), 0.5 - 0.5 * std::cos(phase + 0.7),
                  0.5 - 0.5 * std::cos(phase + 1.4)};
  };
}

Picture landscape(uint32_t width, uint32_t height) {
  return [=](uint32_t pixel_x, uint32_t pixel_y) {
    const double x = pixel_x / static_cast<double>(width);
    const double y = pixel_y / static_cast<double>(height);
    Colour colour = sky(x, y);
    for (int layer = 0; layer < 4; ++layer) {
      const double top = 0.42 + 0.13 * layer - 0.3 * (fractal_noise(x * (2.5 + layer), layer * 7.3) - 0.4);
      if (y > top) colour = hill(layer, x, y);
    }
    const double grain = 0.04 * (lattice(static_cast<int32_t>(pixel_x), static_cast<int32_t>(pixel_y)) - 0.5);
    return Colour{colour.red + grain, colour.green + grain, colour.blue + grain};
  };
}

Picture clouds(uint32_t width, uint32_t height) {
  return [=](uint32_t x, uint32_t y) {
    const double grey = fractal_noise(x * 6.0 / width, y * 6.0 / height);
    return Colour{grey, grey, grey};
  };
}

Picture ring(uint32_t width, uint32_t height) {
  return [=](uint32_t x, uint32_t y) {
    const double across = (x + 0.5 - width / 2.0) / (width / 2.0);
    const double down = (y + 0.5 - height / 2.0) / (height / 2.0);
    const double from_line = std::abs(std::hypot(across, down) - 0.65);
    const double turn = std::atan2(down, across) / (2 * std::numbers::pi) + 0.5;
    Colour colour = mix(Colour{0.90, 0.15, 0.35}, Colour{0.10, 0.45, 0.95}, std::abs(2 * turn - 1));
    colour.alpha = std::clamp((0.2 - from_line) * 30, 0.0, 1.0);
    return colour;
  };
}

Picture checks() {
  return [](uint32_t x, uint32_t y) {
    const double grey = (x + y) % 2 == 0 ? 0 : 1;
    return Colour{grey, grey, grey};
  };
}

}  // namespace pictures
