/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_LIBOS_PATHS_H
#define GLINT_LIBOS_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PATH_SIZE 4096u /* as in Linux, with the terminating NUL */

/* Writes `path` as an absolute path without ".", ".." and double slashes; a relative one starts at "/". The
 * length without the NUL, or -1 when it is longer than `size` allows. ".." is taken by its text: there are no
 * links. */
int64_t path_normalize(const char *path, char *out, uint64_t size);

/* Does `file`, a normalized path, lie somewhere below directory `directory`, another one? */
bool path_is_below(const char *file, const char *directory, uint64_t directory_length);

#ifdef __cplusplus
}
#endif
#endif
