/* SPDX-License-Identifier: Apache-2.0 */
#include "scaler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* sRGB codes as linear light, 0 to 65,535. */
static uint16_t linear_of[256];

static void make_table(void) {
  for (int code = 0; code < 256; ++code) {
    double value = code / 255.0;
    double linear = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
    linear_of[code] = (uint16_t)lround(linear * 65535);
  }
}

/* The sRGB code whose light is nearest. */
static uint8_t code_of(uint32_t linear) {
  unsigned low = 0,
           high = 255; /* linear_of[low] <= linear, and the answer is low or low + 1, or in between */
  while (high - low > 1) {
    unsigned middle = (low + high) / 2;
    if (linear_of[middle] <= linear)
      low = middle;
    else
      high = middle;
  }
  return (uint8_t)(2 * linear < (uint32_t)linear_of[low] + linear_of[high] ? low : high);
}

static uint32_t scaled(uint32_t side, uint32_t largest, uint32_t max_side) {
  uint64_t result = ((uint64_t)side * max_side + largest / 2) / largest;
  return result == 0 ? 1 : (uint32_t)result;
}

bool scaler_open(struct scaler *scaler, uint32_t width, uint32_t height, uint32_t max_side) {
  uint32_t largest = width > height ? width : height;
  bool smaller = largest > max_side;
  make_table();
  *scaler = (struct scaler){.in_width = width, .in_height = height};
  scaler->out_width = smaller ? scaled(width, largest, max_side) : width;
  scaler->out_height = smaller ? scaled(height, largest, max_side) : height;
  scaler->row_sums = calloc(scaler->out_width, 4 * sizeof(uint64_t));
  scaler->sums = calloc(scaler->out_width, 4 * sizeof(uint64_t));
  scaler->pixels = calloc(scaler->out_height, (size_t)scaler->out_width * 4);
  return scaler->row_sums != NULL && scaler->sums != NULL && scaler->pixels != NULL;
}

void scaler_close(struct scaler *scaler) {
  free(scaler->row_sums);
  free(scaler->sums);
  free(scaler->pixels);
  *scaler = (struct scaler){0};
}

static void add_pixel(uint64_t *sums, const uint8_t *rgba, uint32_t weight) {
  uint64_t cover = (uint64_t)rgba[3] * weight;
  for (int i = 0; i < 3; ++i) sums[i] += linear_of[rgba[i]] * cover;
  sums[3] += cover;
}

/* Widths are counted in 1/(in_width × out_width) of the picture: an old pixel is out_width of them, a new one
 * in_width. An old pixel is the narrower one, so it lies in one new pixel or in two. */
static void sum_row(struct scaler *scaler, const uint8_t *rgba) {
  uint64_t *sums = scaler->row_sums;
  uint32_t left = scaler->in_width; /* of the new pixel under way */
  memset(sums, 0, (size_t)scaler->out_width * 4 * sizeof *sums);
  for (uint32_t x = 0; x < scaler->in_width; ++x, rgba += 4) {
    uint32_t first = scaler->out_width < left ? scaler->out_width : left;
    add_pixel(sums, rgba, first);
    left -= first;
    if (left != 0) continue;
    sums += 4;
    left = scaler->in_width;
    if (first == scaler->out_width) continue;
    add_pixel(sums, rgba, scaler->out_width - first);
    left -= scaler->out_width - first;
  }
}

static void add_row_sums(struct scaler *scaler, uint32_t weight) {
  for (size_t i = 0; i < (size_t)scaler->out_width * 4; ++i) scaler->sums[i] += scaler->row_sums[i] * weight;
}

static void finish_row(struct scaler *scaler) {
  uint64_t area = (uint64_t)scaler->in_width * scaler->in_height;
  uint8_t *to = scaler->pixels + (size_t)scaler->out_y++ * scaler->out_width * 4;
  for (const uint64_t *sums = scaler->sums; sums < scaler->sums + (size_t)scaler->out_width * 4;
       sums += 4, to += 4) {
    uint64_t cover = sums[3];
    for (int i = 0; i < 3; ++i) to[i] = cover == 0 ? 0 : code_of((uint32_t)((sums[i] + cover / 2) / cover));
    to[3] = (uint8_t)((cover + area / 2) / area);
  }
  memset(scaler->sums, 0, (size_t)scaler->out_width * 4 * sizeof *scaler->sums);
}

/* The same as in sum_row(), downwards. */
void scaler_add_row(struct scaler *scaler, const uint8_t *rgba) {
  uint64_t above = (uint64_t)scaler->in_y++ * scaler->out_height;
  uint64_t border = ((uint64_t)scaler->out_y + 1) * scaler->in_height;
  uint32_t first = border - above < scaler->out_height ? (uint32_t)(border - above) : scaler->out_height;
  sum_row(scaler, rgba);
  add_row_sums(scaler, first);
  if (above + first != border) return;
  finish_row(scaler);
  add_row_sums(scaler, scaler->out_height - first);
}
