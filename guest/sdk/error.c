/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "sdk.h"

static char call_text[GLINT_TEXT_MOST], host_text[GLINT_TEXT_MOST];

void sdk_set_error(struct sdk_error *error, int32_t code, const char *text, size_t size) {
  char *buffer = error == &sdk.call_error ? call_text : host_text;
  if (size > GLINT_TEXT_MOST - 1) {
    size = GLINT_TEXT_MOST - 1;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
      --size; /* not in the middle of a character */
  }
  if (size != 0) memmove(buffer, text, size);
  buffer[size] = '\0';
  error->error.code = code;
  error->error.text = buffer;
  error->set = true;
}

void glint_return_error(int32_t code, const char *text) {
  sdk_set_error(&sdk.call_error, code, text, text != NULL ? strlen(text) : 0);
}

const glint_error *glint_host_error(void) { return sdk.host_error.set ? &sdk.host_error.error : NULL; }

void sdk_broken(const char *what) {
  fprintf(stderr, "glint: %s\n", what);
  abort();
}
