// SPDX-License-Identifier: Apache-2.0
// make_png DIR: writes the PNG files that the example is shown and tested with: good ones of every kind,
// corrupt ones, and one that attacks the decoder.
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/example.hpp"
#include "thumbnail/pictures.hpp"

namespace {

using Bytes = std::vector<std::byte>;

struct Format {
  int colour_type = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
};

// A tool may simply end. (An exception must not cross the frames of libpng.)
[[noreturn]] void on_error(png_structp, png_const_charp message) {
  std::cerr << "make_png: libpng: " << message << '\n';
  std::exit(EXIT_FAILURE);
}

void on_write(png_structp png, png_bytep data, size_t size) {
  auto& file = *static_cast<Bytes*>(png_get_io_ptr(png));
  for (size_t i = 0; i < size; ++i) file.push_back(static_cast<std::byte>(data[i]));
}

void on_flush(png_structp) {}

// A palette of 6 × 6 × 6 colours; the entry behind them is transparent.
constexpr int kLevels = 6;
constexpr int kTransparent = kLevels * kLevels * kLevels;

void set_palette(png_structp png, png_infop info) {
  std::array<png_color, kTransparent + 1> colours{};
  std::array<png_byte, kTransparent + 1> alphas{};
  const auto level = [](int i) { return static_cast<png_byte>(i * 255 / (kLevels - 1)); };
  for (int i = 0; i < kTransparent; ++i) {
    colours.at(static_cast<size_t>(i)) = {level(i / (kLevels * kLevels)), level(i / kLevels % kLevels),
                                          level(i % kLevels)};
    alphas.at(static_cast<size_t>(i)) = 255;
  }
  png_set_PLTE(png, info, colours.data(), static_cast<int>(colours.size()));
  png_set_tRNS(png, info, alphas.data(), static_cast<int>(alphas.size()), nullptr);
}

unsigned quantize(double value, unsigned most) {
  return static_cast<unsigned>(std::lround(std::clamp(value, 0.0, 1.0) * most));
}

void append(std::vector<png_byte>& row, double value, int depth) {
  const unsigned sample = quantize(value, depth == 16 ? 65535 : 255);
  if (depth == 16) row.push_back(static_cast<png_byte>(sample >> 8));
  row.push_back(static_cast<png_byte>(sample & 0xff));
}

void append(std::vector<png_byte>& row, const pictures::Colour& colour, const Format& format) {
  if (format.colour_type == PNG_COLOR_TYPE_PALETTE) {
    const unsigned index = quantize(colour.red, kLevels - 1) * kLevels * kLevels +
                           quantize(colour.green, kLevels - 1) * kLevels + quantize(colour.blue, kLevels - 1);
    row.push_back(static_cast<png_byte>(colour.alpha < 0.5 ? kTransparent : index));
    return;
  }
  append(row, colour.red, format.depth);
  if (format.colour_type == PNG_COLOR_TYPE_GRAY) return;
  append(row, colour.green, format.depth);
  append(row, colour.blue, format.depth);
  if (format.colour_type == PNG_COLOR_TYPE_RGB_ALPHA) append(row, colour.alpha, format.depth);
}

Bytes encode(uint32_t width, uint32_t height, const pictures::Picture& picture, const Format& format = {}) {
  std::vector<std::vector<png_byte>> rows(height);
  std::vector<png_bytep> row_pointers;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) append(rows[y], picture(x, y), format);
    row_pointers.push_back(rows[y].data());
  }

  Bytes file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, &on_error, nullptr);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) throw std::bad_alloc();
  png_set_write_fn(png, &file, &on_write, &on_flush);
  png_set_IHDR(png, info, width, height, format.depth, format.colour_type,
               format.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
  if (format.colour_type == PNG_COLOR_TYPE_PALETTE) set_palette(png, info);
  png_write_info(png, info);
  png_write_image(png, row_pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

// ---- files that are not what they should be ----

void append_u32(Bytes& bytes, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

uint32_t crc32(std::span<const std::byte> bytes) {
  uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

// PNG signature and IHDR chunk, and the length and type of a chunk, have these sizes.
constexpr size_t kSignature = 8;
constexpr size_t kChunkHead = 8;
constexpr size_t kBehindHeader = kSignature + kChunkHead + 13 + 4;

// A chunk of 5 bytes that the guest's decoder uses without checking: see "THE FLAW" in png_reader.c. The
// index points 2 GiB behind the decoder's table.
Bytes with_attack(Bytes file) {
  Bytes named;
  for (const char c : std::string_view("glNt")) named.push_back(static_cast<std::byte>(c));
  append_u32(named, 0x80000000);
  named.push_back(std::byte{0x41});
  Bytes chunk;
  append_u32(chunk, 5);
  chunk.insert(chunk.end(), named.begin(), named.end());
  append_u32(chunk, crc32(named));
  file.insert(file.begin() + kBehindHeader, chunk.begin(), chunk.end());
  return file;
}

Bytes cut_in_half(Bytes file) {
  file.resize(file.size() / 2);
  return file;
}

Bytes with_wrong_crc(Bytes file) {
  // The last byte of the IHDR chunk is the last of its checksum.
  file.at(kBehindHeader - 1) ^= std::byte{1};
  return file;
}

Bytes with_wrong_pixels(Bytes file) {
  file.at(file.size() / 2) ^= std::byte{0xff};
  return file;
}

// Claims to be 1,000,000 pixels wide, with a good checksum.
Bytes with_huge_size(Bytes file) {
  Bytes width;
  append_u32(width, 1'000'000);
  const size_t header = kSignature + kChunkHead;
  std::ranges::copy(width, file.begin() + static_cast<std::ptrdiff_t>(header));
  Bytes crc;
  append_u32(crc, crc32(std::span(file).subspan(header - 4, 4 + 13)));
  std::ranges::copy(crc, file.begin() + static_cast<std::ptrdiff_t>(kBehindHeader - 4));
  return file;
}

struct Example {
  std::string_view name;
  std::function<Bytes()> make;
};

int make_all(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_png DIR\n";
    return example::kUsage;
  }
  using namespace pictures;
  const auto small = [] { return encode(300, 200, gradient(300, 200)); };
  const std::vector<Example> examples = {
      {"landscape", [] { return encode(1600, 1000, landscape(1600, 1000)); }},
      {"mandelbrot", [] { return encode(1200, 900, mandelbrot(1200, 900)); }},
      {"interlaced", [] { return encode(1600, 1000, landscape(1600, 1000), {.interlaced = true}); }},
      {"palette", [] { return encode(400, 400, ring(400, 400), {.colour_type = PNG_COLOR_TYPE_PALETTE}); }},
      {"rgba", [] { return encode(512, 512, ring(512, 512), {.colour_type = PNG_COLOR_TYPE_RGB_ALPHA}); }},
      {"deep", [] { return encode(600, 400, gradient(600, 400), {.depth = 16}); }},
      {"grey", [] { return encode(800, 600, clouds(800, 600), {.colour_type = PNG_COLOR_TYPE_GRAY}); }},
      {"checks", [] { return encode(256, 64, checks(), {.colour_type = PNG_COLOR_TYPE_GRAY}); }},
      {"tiny", [] { return encode(3, 2, gradient(3, 2)); }},
      {"corrupt-cut", [=] { return cut_in_half(small()); }},
      {"corrupt-crc", [=] { return with_wrong_crc(small()); }},
      {"corrupt-pixels", [=] { return with_wrong_pixels(small()); }},
      {"corrupt-huge", [=] { return with_huge_size(small()); }},
      {"crafted", [=] { return with_attack(small()); }},
  };
  const std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  for (const Example& each : examples)
    example::write_file(directory / (std::string(each.name) + ".png"), each.make());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) { return example::run("make_png", make_all, argc, argv); }
