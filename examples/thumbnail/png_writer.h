/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PNG_WRITER_H
#define PNG_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that the PNG file of an RGBA picture of this size takes at most. */
size_t png_size_most(uint32_t width, uint32_t height);

/* Writes a picture of 8-bit RGBA (as RGB where all is opaque) to `to`. The size of the file; 0 when it did
 * not work: out of memory, or `room` was too small. */
size_t png_write_picture(const uint8_t *rgba, uint32_t width, uint32_t height, uint8_t *to, size_t room);

#endif
