/* SPDX-License-Identifier: Apache-2.0 */
/* A C host as a user writes it: `host GUEST` prints "50%" and "3". */
#include <glint/glint.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static glint_str text(const char *string) {
  glint_str result = {string, strlen(string)};
  return result;
}

static glint_status progress(void *user_data, glint_host_call *call) {
  uint32_t count;
  const glint_value *arguments = glint_host_call_arguments(call, &count);
  (void)user_data;
  printf("%" PRIu32 "%%\n", arguments[0].as.u32);
  return GLINT_OK;
}

static int call_add(glint_sandbox *sandbox, glint_image *image, glint_error **error) {
  uint32_t add;
  glint_value arguments[2], result;
  memset(arguments, 0, sizeof arguments);
  arguments[0].type = arguments[1].type = GLINT_I64;
  arguments[0].as.i64 = 1;
  arguments[1].as.i64 = 2;
  if (glint_image_find_export(image, text("add"), &add, error) != GLINT_OK ||
      glint_call(sandbox, add, arguments, 2, NULL, &result, error) != GLINT_OK)
    return 1;
  printf("%" PRId64 "\n", result.as.i64);
  return 0;
}

int main(int argc, char **argv) {
  static const uint32_t params[] = {GLINT_U32};
  glint_error *error = NULL;
  glint_engine *engine = NULL;
  glint_host_functions *functions = NULL;
  glint_image *image = NULL;
  glint_sandbox *sandbox = NULL;
  int failed;
  if (argc != 2) return 2;
  failed = glint_engine_create(NULL, &engine, &error) != GLINT_OK ||
           glint_host_functions_create(&functions, &error) != GLINT_OK ||
           glint_host_functions_add(functions, text("progress"), GLINT_VOID, params, 1, progress, NULL, NULL,
                                    &error) != GLINT_OK ||
           glint_image_load_file(engine, text(argv[1]), NULL, &image, &error) != GLINT_OK ||
           glint_sandbox_create(image, functions, NULL, &sandbox, &error) != GLINT_OK ||
           call_add(sandbox, image, &error);
  if (failed && error != NULL)
    fprintf(stderr, "%.*s\n", (int)glint_error_message(error).size, glint_error_message(error).data);
  glint_error_free(error);
  glint_sandbox_free(sandbox);
  glint_image_free(image);
  glint_host_functions_free(functions);
  glint_engine_free(engine);
  return failed;
}
