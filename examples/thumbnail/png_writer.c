/* SPDX-License-Identifier: Apache-2.0 */
#include "png_writer.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

struct writer {
  const uint8_t *rgba;
  uint32_t width, height;
  uint8_t *to;
  size_t room, size;
  png_structp png;
  png_infop info;
  jmp_buf failed;
};

static _Noreturn void on_error(png_structp png, png_const_charp message) {
  struct writer *writer = png_get_error_ptr(png);
  (void)message;
  longjmp(writer->failed, 1);
}

static void on_write(png_structp png, png_bytep from, size_t size) {
  struct writer *writer = png_get_io_ptr(png);
  if (size > writer->room - writer->size) png_error(png, "no room");
  memcpy(writer->to + writer->size, from, size);
  writer->size += size;
}

static void on_flush(png_structp png) { (void)png; }

static bool is_opaque(const struct writer *writer) {
  size_t count = (size_t)writer->width * writer->height;
  for (size_t i = 0; i < count; ++i)
    if (writer->rgba[i * 4 + 3] != 0xff) return false;
  return true;
}

static void write_all(struct writer *writer) {
  bool opaque = is_opaque(writer);
  png_set_write_fn(writer->png, writer, on_write, on_flush);
  png_set_IHDR(writer->png, writer->info, writer->width, writer->height, 8,
               opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_sRGB(writer->png, writer->info, PNG_sRGB_INTENT_PERCEPTUAL);
  png_write_info(writer->png, writer->info);
  if (opaque) png_set_filler(writer->png, 0, PNG_FILLER_AFTER);
  for (uint32_t y = 0; y < writer->height; ++y)
    png_write_row(writer->png, writer->rgba + (size_t)y * writer->width * 4);
  png_write_end(writer->png, NULL);
}

/* Apart from its caller, so that no local variable is changed between setjmp() and longjmp(). */
static bool try_write(struct writer *writer) {
  if (setjmp(writer->failed) != 0) return false;
  writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, NULL);
  if (writer->png != NULL) writer->info = png_create_info_struct(writer->png);
  if (writer->info == NULL) return false;
  write_all(writer);
  return true;
}

size_t png_size_most(uint32_t width, uint32_t height) {
  /* A filter byte a row; what deflate cannot compress grows by less than 1/64; 4 KiB for other chunks. */
  size_t raw = ((size_t)width * 4 + 1) * height;
  return raw + raw / 64 + 4096;
}

size_t png_write_picture(const uint8_t *rgba, uint32_t width, uint32_t height, uint8_t *to, size_t room) {
  struct writer writer = {.rgba = rgba, .width = width, .height = height, .to = to, .room = room};
  bool ok = try_write(&writer);
  png_destroy_write_struct(&writer.png, &writer.info);
  return ok ? writer.size : 0;
}
