/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PNG_READER_H
#define PNG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture may be this wide and high, and an interlaced one, which must be held as a whole, this large. */
#define PICTURE_SIDE_MAX 16384u
#define PICTURE_INTERLACED_MAX (32u << 20)

/* Who receives the picture: its size first, then all rows: 8-bit RGBA in sRGB, straight alpha. */
struct picture_sink {
  void *user;
  bool (*begin)(void *user, uint32_t width, uint32_t height); /* false: out of memory */
  void (*row)(void *user, const uint8_t *rgba);
};

#define PNG_MESSAGE_SIZE 200

/* Decodes a PNG file of any kind. On failure returns false, and says why in `message`. */
bool png_read_picture(const uint8_t *data, size_t size, const struct picture_sink *sink,
                      char message[PNG_MESSAGE_SIZE]);

#endif
