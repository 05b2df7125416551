/* SPDX-License-Identifier: Apache-2.0 */
#include "native_values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

const char *native_type_name(uint8_t type) {
  static const char *const names[GLINT_ABI_TYPE_COUNT] = {"void", "bool", "i32", "u32",    "i64",
                                                          "u64",  "f32",  "f64", "string", "bytes"};
  return type < GLINT_ABI_TYPE_COUNT ? names[type] : "unknown";
}

/* ---- parsing
 * ------------------------------------------------------------------------------------------------ */

static bool parse_signed(const char *text, int64_t least, int64_t most, int64_t *value) {
  char *end;
  errno = 0;
  long long parsed = strtoll(text, &end, 0);
  *value = parsed;
  return *text != '\0' && *end == '\0' && errno == 0 && parsed >= least && parsed <= most;
}

static bool parse_unsigned(const char *text, uint64_t most, uint64_t *value) {
  char *end;
  errno = 0;
  unsigned long long parsed = strtoull(text, &end, 0);
  *value = parsed;
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && parsed <= most;
}

static bool parse_real(const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  return *text != '\0' && *end == '\0';
}

static bool parse_bool(const char *text, bool *value) {
  *value = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
  return *value || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool read_file(const char *path, glint_bytes *bytes) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = file != NULL ? malloc(GLINT_MAX_PAYLOAD) : NULL; /* untouched pages cost nothing */
  size_t size = data != NULL ? fread(data, 1, GLINT_MAX_PAYLOAD, file) : 0;
  bool good = data != NULL && ferror(file) == 0 && fgetc(file) == EOF;
  if (file != NULL) fclose(file);
  *bytes = glint_bytes_of(data, size);
  return good;
}

bool native_parse(uint8_t type, const char *text, struct glint_abi_value *value) {
  int64_t number = 0;
  uint64_t natural = 0;
  double real = 0;
  bool truth = false, good = false;
  glint_bytes bytes = glint_bytes_of(text, strlen(text));
  switch (type) {
    case GLINT_ABI_BOOL:
      good = parse_bool(text, &truth);
      *value = glint_bool_put(truth);
      return good;
    case GLINT_ABI_I32:
      good = parse_signed(text, INT32_MIN, INT32_MAX, &number);
      *value = glint_i32_put((int32_t)number);
      return good;
    case GLINT_ABI_U32:
      good = parse_unsigned(text, UINT32_MAX, &natural);
      *value = glint_u32_put((uint32_t)natural);
      return good;
    case GLINT_ABI_I64:
      good = parse_signed(text, INT64_MIN, INT64_MAX, &number);
      *value = glint_i64_put(number);
      return good;
    case GLINT_ABI_U64:
      good = parse_unsigned(text, UINT64_MAX, &natural);
      *value = glint_u64_put(natural);
      return good;
    case GLINT_ABI_F32:
      good = parse_real(text, &real);
      *value = glint_f32_put((float)real);
      return good;
    case GLINT_ABI_F64:
      good = parse_real(text, &real);
      *value = glint_f64_put(real);
      return good;
    case GLINT_ABI_STRING:
      *value = glint_text_put(glint_string_of(text));
      return true;
    case GLINT_ABI_BYTES:
      good = text[0] != '@' || read_file(text + 1, &bytes);
      *value = glint_blob_put(bytes);
      return good;
    default:
      return false;
  }
}

/* ---- printing
 * -------------------------------------------------------------------------------------------------- */

static void print_hex(FILE *out, const struct glint_abi_value *value) {
  const uint8_t *bytes = (const uint8_t *)(glint_sdk_base + value->bits);
  for (uint32_t i = 0; i < value->length; ++i) fprintf(out, "%02x", bytes[i]);
}

static void print_scalar(FILE *out, const struct glint_abi_value *value) {
  switch (value->type) {
    case GLINT_ABI_BOOL:
      fputs(glint_bool_get(value) ? "true" : "false", out);
      break;
    case GLINT_ABI_I32:
      fprintf(out, "%" PRId32, glint_i32_get(value));
      break;
    case GLINT_ABI_I64:
      fprintf(out, "%" PRId64, glint_i64_get(value));
      break;
    case GLINT_ABI_F32:
      fprintf(out, "%.9g", (double)glint_f32_get(value)); /* enough digits to read it back exactly */
      break;
    case GLINT_ABI_F64:
      fprintf(out, "%.17g", glint_f64_get(value));
      break;
    default:
      fprintf(out, "%" PRIu64, value->bits);
      break;
  }
}

void native_print(const struct glint_abi_value *value) {
  if (value->type == GLINT_ABI_VOID) return;
  if (value->type == GLINT_ABI_BYTES && isatty(STDOUT_FILENO))
    print_hex(stdout, value);
  else if (is_view(value))
    fwrite((const void *)(glint_sdk_base + value->bits), 1, value->length, stdout);
  else
    print_scalar(stdout, value);
  if (value->type != GLINT_ABI_BYTES || isatty(STDOUT_FILENO)) putchar('\n');
}

void native_print_quoted(FILE *out, const struct glint_abi_value *value) {
  if (value->type == GLINT_ABI_STRING)
    fprintf(out, "\"%.*s\"", (int)value->length, (const char *)(glint_sdk_base + value->bits));
  else if (value->type == GLINT_ABI_BYTES)
    fprintf(out, "%" PRIu32 " bytes", value->length);
  else
    print_scalar(out, value);
}
