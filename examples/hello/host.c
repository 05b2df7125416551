/* SPDX-License-Identifier: Apache-2.0 */
/* host.cpp over the C ABI: each call is checked, and everything is given back on every path. */
#include <glint/glint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the program holds. All of it may be NULL, and the functions that free accept NULL. */
struct host {
  glint_engine *engine;
  glint_host_functions *functions;
  glint_image *image;
  glint_sandbox *sandbox;
};

static glint_str text(const char *string) {
  const glint_str view = {string, strlen(string)};
  return view;
}

/* The library calls this only with the arguments that were declared: one u32. */
static glint_status progress(void *user_data, glint_host_call *call) {
  FILE *out = user_data;
  const glint_value *arguments = glint_host_call_arguments(call, NULL);
  if (fprintf(out, "%" PRIu32 "%%\n", arguments[0].as.u32) >= 0) return GLINT_OK;
  glint_host_call_fail(call, text("standard output is closed"));
  return GLINT_E_HOST_FUNCTION;
}

static glint_status open_sandbox(struct host *host, const char *path, glint_error **error) {
  static const uint32_t progress_params[] = {GLINT_U32};
  glint_status status = glint_engine_create(NULL, &host->engine, error);
  if (status == GLINT_OK) status = glint_host_functions_create(&host->functions, error);
  if (status == GLINT_OK)
    status = glint_host_functions_add(host->functions, text("progress"), GLINT_VOID, progress_params, 1,
                                      progress, stdout, NULL, error);
  if (status == GLINT_OK) status = glint_image_load_file(host->engine, text(path), NULL, &host->image, error);
  if (status == GLINT_OK)
    status = glint_sandbox_create(host->image, host->functions, NULL, &host->sandbox, error);
  return status;
}

static glint_status call_add(struct host *host, int64_t a, int64_t b, int64_t *sum, glint_error **error) {
  glint_value arguments[2] = {{.type = GLINT_I64, .as.i64 = a}, {.type = GLINT_I64, .as.i64 = b}};
  glint_value result;
  uint32_t add;
  glint_status status = glint_image_find_export(host->image, text("add"), &add, error);
  if (status == GLINT_OK) status = glint_call(host->sandbox, add, arguments, 2, NULL, &result, error);
  if (status != GLINT_OK) return status;
  /* The guest is not trusted to be the one that was meant: its `add` may return something else. */
  if (result.type != GLINT_I64) return GLINT_E_TYPE;
  *sum = result.as.i64;
  return GLINT_OK;
}

static void print_error(glint_status status, const glint_error *error) {
  const glint_str name = glint_status_name(status);
  const glint_str message = error != NULL ? glint_error_message(error) : name;
  glint_fault fault = {.struct_size = sizeof fault};
  fprintf(stderr, "host: %.*s (%.*s)\n", (int)message.size, message.data, (int)name.size, name.data);
  if (error != NULL && glint_error_fault(error, &fault) == GLINT_OK)
    fprintf(stderr, "host: the guest was at 0x%" PRIx64 ", in %.*s\n", fault.instruction,
            (int)fault.symbol.size, fault.symbol.data);
}

static void close_all(struct host *host) {
  glint_sandbox_free(host->sandbox);
  glint_image_free(host->image);
  glint_host_functions_free(host->functions);
  glint_engine_free(host->engine);
}

int main(int argc, char **argv) {
  struct host host = {NULL, NULL, NULL, NULL};
  glint_error *error = NULL;
  int64_t sum = 0;
  glint_status status = open_sandbox(&host, argc > 1 ? argv[1] : "adder", &error);
  if (status == GLINT_OK) status = call_add(&host, 1, 2, &sum, &error);
  if (status == GLINT_OK) printf("%" PRId64 "\n", sum);
  if (status != GLINT_OK) print_error(status, error);
  glint_error_free(error);
  close_all(&host);
  return status == GLINT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
