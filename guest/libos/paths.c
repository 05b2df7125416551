/* SPDX-License-Identifier: Apache-2.0 */
#include "paths.h"

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

int64_t path_normalize(const char *path, char *out, uint64_t size) {
  uint64_t length = 0; /* of the components so far, each with its slash before it */
  while (*path != '\0') {
    const char *begin = path;
    while (*path != '\0' && *path != '/') ++path;
    uint64_t part = (uint64_t)(path - begin);
    if (*path == '/') ++path;
    if (part == 0 || (part == 1 && begin[0] == '.')) continue;
    if (part == 2 && begin[0] == '.' && begin[1] == '.') {
      while (length > 0 && out[--length] != '/') {
      }
      continue;
    }
    if (part + 2 > size - length) return -1; /* its slash, and the NUL at last */
    out[length++] = '/';
    memcpy(out + length, begin, part);
    length += part;
  }
  if (length == 0) {
    if (size < 2) return -1;
    out[length++] = '/';
  }
  out[length] = '\0';
  return (int64_t)length;
}

bool path_is_below(const char *file, const char *directory, uint64_t directory_length) {
  if (directory_length == 1) return true; /* "/" */
  for (uint64_t i = 0; i < directory_length; ++i)
    if (file[i] != directory[i]) return false; /* also at the end of `file` */
  return file[directory_length] == '/';
}
