/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "sdk.h"

struct sdk_error sdk_call_error, sdk_host_error;

void sdk_set_error(struct sdk_error *error, int32_t code, const char *text, size_t size) {
  if (size > sizeof error->text - 1) {
    size = sizeof error->text - 1;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
      --size; /* not in the middle of a character */
  }
  if (size != 0) memmove(error->text, text, size);
  error->text[size] = '\0';
  error->error.code = code;
  error->error.text = error->text;
  error->set = true;
}

void glint_return_error(int32_t code, const char *text) {
  sdk_set_error(&sdk_call_error, code, text, text != NULL ? strlen(text) : 0);
}

const glint_error *glint_host_error(void) { return sdk_host_error.set ? &sdk_host_error.error : NULL; }

void sdk_broken(const char *what) {
  fprintf(stderr, "glint: %s\n", what);
  abort();
}
