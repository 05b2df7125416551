/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that makes small pictures of large ones, with Debian's libpng and zlib. */
#include <glint_guest.h>
#include <stdio.h>

#include "png_reader.h"
#include "png_writer.h"
#include "scaler.h"

/* The codes of its errors. */
enum { BAD_ARGUMENT = 1, BAD_PICTURE = 2, NO_MEMORY = 3 };

/* Each report leaves the sandbox; ten are enough to see that something happens. */
#define PROGRESS_STEP 10u
/* Decoding is what takes time. */
#define PROGRESS_DECODED 90u

GLINT_IMPORT(void, progress, (uint32_t percent))

struct job {
  struct scaler scaler;
  uint32_t max_side;
  uint32_t reported; /* percent */
};

static bool begin_picture(void *user, uint32_t width, uint32_t height) {
  struct job *job = user;
  return scaler_open(&job->scaler, width, height, job->max_side);
}

static void take_row(void *user, const uint8_t *rgba) {
  struct job *job = user;
  scaler_add_row(&job->scaler, rgba);
  uint32_t percent = (uint32_t)((uint64_t)job->scaler.in_y * PROGRESS_DECODED / job->scaler.in_height);
  if (percent < job->reported + PROGRESS_STEP) return;
  job->reported = percent - percent % PROGRESS_STEP;
  progress(job->reported);
}

/* The picture is encoded where the host reads the result: no copy. */
static glint_bytes encode(const struct scaler *scaler) {
  size_t room = png_size_most(scaler->out_width, scaler->out_height);
  uint8_t *file = glint_result_buffer(room);
  size_t size =
      file != NULL ? png_write_picture(scaler->pixels, scaler->out_width, scaler->out_height, file, room) : 0;
  if (size == 0) glint_return_error(NO_MEMORY, "not enough memory to encode the thumbnail");
  return glint_bytes_of(file, size);
}

GLINT_EXPORT(glint_bytes, thumbnail, (glint_bytes png, uint32_t max_side)) {
  struct job job = {.max_side = max_side};
  const struct picture_sink sink = {&job, begin_picture, take_row};
  char message[PNG_MESSAGE_SIZE];
  glint_bytes result = glint_bytes_of(NULL, 0);
  if (max_side == 0 || max_side > PICTURE_SIDE_MAX) {
    glint_return_error(BAD_ARGUMENT, "max_side: expected 1 to 16384");
    return result;
  }
  if (png_read_picture(png.data, png.size, &sink, message)) {
    result = encode(&job.scaler);
    progress(100);
  } else {
    char text[PNG_MESSAGE_SIZE + 32];
    snprintf(text, sizeof text, "not a good PNG file: %s", message);
    glint_return_error(BAD_PICTURE, text);
  }
  scaler_close(&job.scaler);
  return result;
}
