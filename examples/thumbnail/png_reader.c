/* SPDX-License-Identifier: Apache-2.0 */
#include "png_reader.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most that libpng may allocate for one chunk, and how many ancillary chunks it looks at. */
#define CHUNK_BYTES_MAX (4u << 20)
#define CHUNKS_MAX 100

struct reader {
  const uint8_t *data;
  size_t size, position;
  const struct picture_sink *sink;
  char *message;
  png_structp png;
  png_infop info;
  uint8_t *pixels;   /* a row, or all of an interlaced picture */
  char warning[100]; /* the last one */
  jmp_buf failed;
};

/* libpng never gets control back after an error. Nothing between here and setjmp() owns anything: all that
 * must be freed is in struct reader. */
static _Noreturn void on_error(png_structp png, png_const_charp message) {
  struct reader *reader = png_get_error_ptr(png);
  const char *colon = reader->warning[0] != '\0' ? ": " : "";
  snprintf(reader->message, PNG_MESSAGE_SIZE, "%s%s%s", message, colon, reader->warning);
  longjmp(reader->failed, 1);
}

/* Warnings are about files that can be shown all the same; but some precede an error, and explain it. */
static void on_warning(png_structp png, png_const_charp message) {
  struct reader *reader = png_get_error_ptr(png);
  snprintf(reader->warning, sizeof reader->warning, "%s", message);
}

static void on_read(png_structp png, png_bytep to, size_t size) {
  struct reader *reader = png_get_io_ptr(png);
  if (size > reader->size - reader->position) png_error(png, "the file ends too early");
  memcpy(to, reader->data + reader->position, size);
  reader->position += size;
}

/* THE FLAW. This stands for the memory errors that decoders of untrusted files have had again and again: a
 * private chunk, `glNt`, holds an index and a value, and the index is not checked. Whoever makes the file
 * chooses where this writes. In a sandbox, that is the end of one sandbox. (volatile: nothing reads it, and
 * the compiler may not notice.) */
static volatile uint8_t hints[256];

static int apply_hint(png_structp png, png_unknown_chunkp chunk) {
  (void)png;
  if (strcmp((const char *)chunk->name, "glNt") != 0 || chunk->size != 5) return 0;
  hints[png_get_uint_32(chunk->data)] = chunk->data[4];
  return 1;
}

static void open_png(struct reader *reader) {
  png_set_read_fn(reader->png, reader, on_read);
  png_set_user_limits(reader->png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
  png_set_chunk_malloc_max(reader->png, CHUNK_BYTES_MAX);
  png_set_chunk_cache_max(reader->png, CHUNKS_MAX);
  png_set_read_user_chunk_fn(reader->png, NULL, apply_hint);
  png_read_info(reader->png, reader->info);
}

/* Palettes, grey, 16 bits, transparent colours, gamma: all becomes 8-bit RGBA in sRGB. */
static void convert_to_rgba(png_structp png) {
  png_set_alpha_mode(png, PNG_ALPHA_PNG, PNG_DEFAULT_sRGB);
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
}

static void read_rows(struct reader *reader, uint32_t width, uint32_t height) {
  reader->pixels = malloc((size_t)width * 4);
  if (reader->pixels == NULL) png_error(reader->png, "not enough memory for a row");
  for (uint32_t y = 0; y < height; ++y) {
    png_read_row(reader->png, reader->pixels, NULL);
    reader->sink->row(reader->sink->user, reader->pixels);
  }
}

/* The rows of an interlaced picture are complete only after the last pass. */
static void read_interlaced(struct reader *reader, uint32_t width, uint32_t height, int passes) {
  size_t row_size = (size_t)width * 4;
  if (row_size * height > PICTURE_INTERLACED_MAX)
    png_error(reader->png, "the picture is too large to be interlaced");
  reader->pixels = calloc(height, row_size);
  if (reader->pixels == NULL) png_error(reader->png, "not enough memory for the picture");
  for (int pass = 0; pass < passes; ++pass)
    for (uint32_t y = 0; y < height; ++y) png_read_row(reader->png, reader->pixels + y * row_size, NULL);
  for (uint32_t y = 0; y < height; ++y) reader->sink->row(reader->sink->user, reader->pixels + y * row_size);
}

static void read_all(struct reader *reader) {
  open_png(reader);
  convert_to_rgba(reader->png);
  int passes = png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  uint32_t width = png_get_image_width(reader->png, reader->info);
  uint32_t height = png_get_image_height(reader->png, reader->info);
  if (png_get_rowbytes(reader->png, reader->info) != (size_t)width * 4)
    png_error(reader->png, "libpng made no RGBA of the picture");
  if (!reader->sink->begin(reader->sink->user, width, height))
    png_error(reader->png, "not enough memory for the picture");
  if (passes > 1)
    read_interlaced(reader, width, height, passes);
  else
    read_rows(reader, width, height);
  png_read_end(reader->png, NULL);
}

/* Apart from its caller, so that no local variable is changed between setjmp() and longjmp(). */
static bool try_read(struct reader *reader) {
  if (setjmp(reader->failed) != 0) return false;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
  if (reader->png != NULL) reader->info = png_create_info_struct(reader->png);
  if (reader->info == NULL) {
    snprintf(reader->message, PNG_MESSAGE_SIZE, "not enough memory for libpng");
    return false;
  }
  read_all(reader);
  return true;
}

bool png_read_picture(const uint8_t *data, size_t size, const struct picture_sink *sink,
                      char message[PNG_MESSAGE_SIZE]) {
  struct reader reader = {.data = data, .size = size, .sink = sink, .message = message};
  bool ok = try_read(&reader);
  png_destroy_read_struct(&reader.png, &reader.info, NULL);
  free(reader.pixels);
  return ok;
}
