/* SPDX-License-Identifier: Apache-2.0 */
/* The same calls from C, in a library that the C# benchmarks load: what C# is held against. */
#include <glint/glint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct loop {
  glint_engine *engine;
  glint_image *image;
  glint_host_functions *functions;
  glint_sandbox *sandbox;
};

static glint_status echo(void *user_data, glint_host_call *call) {
  (void)user_data;
  return glint_host_call_return(call, glint_host_call_arguments(call, NULL), NULL);
}

static glint_status refuse(void *user_data, glint_host_call *call) {
  (void)user_data;
  (void)call;
  return GLINT_E_HOST_FUNCTION;
}

/* All that the guest imports, of which one is used. */
static int add_imports(const struct loop *loop) {
  for (uint32_t i = 0; i < glint_image_function_count(loop->image); ++i) {
    glint_function_info info = {.struct_size = sizeof info};
    if (glint_image_get_function(loop->image, i, &info, NULL) != GLINT_OK) return 0;
    if (info.kind != GLINT_IMPORTED) continue;
    const char used[] = "host_echo_i64";
    int is_used = info.name.size == sizeof used - 1 && memcmp(info.name.data, used, sizeof used - 1) == 0;
    if (glint_host_functions_add(loop->functions, info.name, info.result, info.params, info.param_count,
                                 is_used ? echo : refuse, NULL, NULL, NULL) != GLINT_OK)
      return 0;
  }
  return 1;
}

void glint_bench_loop_close(struct loop *loop) {
  if (!loop) return;
  glint_sandbox_free(loop->sandbox);
  glint_host_functions_free(loop->functions);
  glint_image_free(loop->image);
  glint_engine_free(loop->engine);
  free(loop);
}

/* NULL when it cannot be made. */
struct loop *glint_bench_loop_open(const char *guest, uint32_t backend) {
  struct loop *loop = calloc(1, sizeof *loop);
  glint_engine_options options;
  glint_engine_options_init(&options, sizeof options);
  options.backend = backend;
  glint_str path = {guest, strlen(guest)};
  if (loop && glint_engine_create(&options, &loop->engine, NULL) == GLINT_OK &&
      glint_image_load_file(loop->engine, path, NULL, &loop->image, NULL) == GLINT_OK &&
      glint_host_functions_create(&loop->functions, NULL) == GLINT_OK && add_imports(loop) &&
      glint_sandbox_create(loop->image, loop->functions, NULL, &loop->sandbox, NULL) == GLINT_OK)
    return loop;
  glint_bench_loop_close(loop);
  return NULL;
}

/* Nanoseconds for which this thread had a processor. Calls do not wait, so on a quiet machine it is the time
 * that passes; what other programs take is not in it. */
double glint_bench_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds that a call of an export, i64 … → i64, takes on average; negative when one fails. */
double glint_bench_loop_run(struct loop *loop, const char *name, uint32_t argument_count, uint32_t calls) {
  uint32_t function = 0;
  glint_str text = {name, strlen(name)};
  if (glint_image_find_export(loop->image, text, &function, NULL) != GLINT_OK) return -1;
  glint_value arguments[2] = {{.type = GLINT_I64, .as.i64 = 1}, {.type = GLINT_I64, .as.i64 = 2}};
  double begin = glint_bench_now();
  for (uint32_t i = 0; i < calls; ++i) {
    glint_value result;
    if (glint_call(loop->sandbox, function, arguments, argument_count, NULL, &result, NULL) != GLINT_OK)
      return -1;
    if (result.as.i64 != 1) return -1;
  }
  return (glint_bench_now() - begin) / calls;
}
