/* SPDX-License-Identifier: Apache-2.0 */
/* Outside Glint, a guest is a command line over its own exports, and its imports are stubs. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "native_values.h"
#include "sdk.h"

/* ---- imports ------------------------------------------------------------------------------------------ */

static bool same_signature(const struct glint_sdk_function *a, const struct glint_sdk_function *b) {
  return a->result == b->result && a->param_count == b->param_count &&
         memcmp(a->params, b->params, sizeof a->params) == 0;
}

static const struct glint_sdk_function *find_stub(const struct glint_sdk_function *import) {
  for (const struct glint_sdk_function *stub = __start_glint_stubs; stub < __stop_glint_stubs; ++stub) {
    if (strcmp(stub->name, import->name) != 0) continue;
    if (same_signature(stub, import)) return stub;
    fprintf(stderr, "glint: the stub of %s has another signature than the import\n", import->name);
    exit(125);
  }
  return NULL;
}

struct glint_abi_value native_call(const struct glint_sdk_function *function,
                                   const struct glint_abi_value *arguments) {
  const struct glint_sdk_function *stub = find_stub(function);
  if (stub != NULL) {
    /* An error that the stub "returns" is the host's, as the caller sees it. */
    const struct sdk_error before = sdk.call_error;
    char before_text[GLINT_TEXT_MOST];
    if (before.set) strcpy(before_text, before.error.text);
    sdk.call_error.set = false;
    struct glint_abi_value result = stub->thunk(arguments + function->param_count);
    if (sdk.call_error.set) {
      sdk_set_error(&sdk.host_error, sdk.call_error.error.code, sdk.call_error.error.text,
                    strlen(sdk.call_error.error.text));
      result = (struct glint_abi_value){0};
    }
    sdk.call_error.set = false;
    if (before.set) sdk_set_error(&sdk.call_error, before.error.code, before_text, strlen(before_text));
    return result;
  }
  fprintf(stderr, "%s(", function->name);
  for (uint32_t i = 0; i < function->param_count; ++i) {
    if (i != 0) fputs(", ", stderr);
    native_print_quoted(stderr, &arguments[i]);
  }
  fputs(")\n", stderr);
  return (struct glint_abi_value){0};
}

/* ---- exports ------------------------------------------------------------------------------------------- */

static void list_exports(const char *program) {
  printf("usage: %s FUNCTION [ARGUMENT]…\n\nfunctions:\n", program);
  for (const struct glint_sdk_function *f = __start_glint_functions; f < __stop_glint_functions; ++f) {
    if (f->kind != GLINT_ABI_EXPORT) continue;
    printf("  %s(", f->name);
    for (uint32_t i = 0; i < f->param_count; ++i)
      printf("%s%s", i != 0 ? ", " : "", native_type_name(f->params[i]));
    printf(") -> %s\n", native_type_name(f->result));
  }
  puts("\nbytes may be given as @FILE");
}

static const struct glint_sdk_function *find_export(const char *name) {
  for (const struct glint_sdk_function *f = __start_glint_functions; f < __stop_glint_functions; ++f)
    if (f->kind == GLINT_ABI_EXPORT && strcmp(f->name, name) == 0) return f;
  return NULL;
}

/* Calls a function with arguments from the command line; the exit status. */
static int call_export(const struct glint_sdk_function *function, char **words) {
  struct glint_abi_value arguments[GLINT_ABI_MAX_PARAMS + 1];
  for (uint32_t i = 0; i < function->param_count; ++i) {
    if (native_parse(function->params[i], words[i], &arguments[i])) continue;
    fprintf(stderr, "%s: argument %u: not a valid %s: %s\n", function->name, i + 1,
            native_type_name(function->params[i]), words[i]);
    return 2;
  }
  sdk.call_error.set = false;
  struct glint_abi_value result = function->thunk(arguments + function->param_count);
  fflush(stdout);
  if (sdk.call_error.set) {
    fprintf(stderr, "%s: error %d: %s\n", function->name, sdk.call_error.error.code,
            sdk.call_error.error.text);
    return 1;
  }
  native_print(&result);
  return 0;
}

/* ---- the command line -------------------------------------------------------------------------------------
 */

/* The words of this process's command line, ended by NULL. glint_serve() is not given them, and has no other
 * way to get at them that musl also knows. They live until the process ends. */
static char **command_line(int *count) {
  size_t size = 0, room = 4096;
  char *text = malloc(room + 1);
  FILE *file = fopen("/proc/self/cmdline", "rb");
  while (text != NULL && file != NULL) {
    size += fread(text + size, 1, room - size, file);
    if (size < room) break;
    room *= 2;
    char *larger = realloc(text, room + 1);
    if (larger == NULL) free(text);
    text = larger;
  }
  if (file != NULL) fclose(file);
  *count = 0;
  if (text == NULL) return NULL;
  text[size] = '\0';
  for (size_t i = 0; i < size; ++i) *count += text[i] == '\0';
  char **words = calloc((size_t)*count + 1, sizeof *words);
  for (int i = 0; words != NULL && i < *count; ++i, text += strlen(text) + 1) words[i] = text;
  return words;
}

int native_main(void) {
  int count = 0;
  char **words = command_line(&count);
  if (words == NULL) sdk_broken("cannot read /proc/self/cmdline");
  if (count < 2) {
    list_exports(count > 0 ? words[0] : "guest");
    return 0;
  }
  const struct glint_sdk_function *function = find_export(words[1]);
  if (function == NULL) {
    fprintf(stderr, "%s: no function %s; run it without arguments for a list\n", words[0], words[1]);
    return 2;
  }
  if (count - 2 != function->param_count) {
    fprintf(stderr, "%s: takes %d arguments, not %d\n", words[1], function->param_count, count - 2);
    return 2;
  }
  return call_export(function, words + 2);
}
