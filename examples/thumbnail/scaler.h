/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCALER_H
#define SCALER_H

#include <stdbool.h>
#include <stdint.h>

/* Makes a picture smaller: each new pixel is the mean of the area that it covers, in linear light, weighted
 * with alpha. Takes one row after the other, so large pictures take no more memory than small ones. */
struct scaler {
  uint32_t in_width, in_height, out_width, out_height;
  uint32_t in_y, out_y; /* the next row of each */
  uint64_t *row_sums;   /* of the row at hand: 4 for each new pixel */
  uint64_t *sums;       /* of the new row under way */
  uint8_t *pixels;      /* the thumbnail, RGBA */
};

/* Fits the larger side into `max_side`; never enlarges. Sides are at most 16,384, so that the sums fit 64
 * bits. False: out of memory. */
bool scaler_open(struct scaler *scaler, uint32_t width, uint32_t height, uint32_t max_side);
void scaler_add_row(struct scaler *scaler, const uint8_t *rgba);
void scaler_close(struct scaler *scaler);

#endif
