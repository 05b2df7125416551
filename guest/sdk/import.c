/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from the guest to the host. */
#include <stdlib.h>

#include "sdk.h"

/* Behind a host call's frame, at least: room for a small answer, so that most need no growing. */
#define ANSWER_ROOM 4096
/* Arguments that are answers of the host stay where they are, and the new call goes behind them. A chain of
 * such calls would creep through the area: beyond this distance they are moved down first. */
#define CREEP_MOST (256u << 10)

struct glint_abi_value glint_sdk_import(const struct glint_abi_value *end) {
  (void)end;
  abort();
}

static const struct glint_abi_value nothing;

static struct glint_abi_value fail(int32_t code, const char *text) {
  sdk_set_error(&sdk.host_error, code, text, strlen(text));
  return nothing;
}

/* Bytes that the frame of these arguments takes at most; 0 when one is too long. */
static uint64_t frame_size(const struct glint_abi_value *arguments, uint32_t count) {
  uint64_t size = (uint64_t)count * sizeof *arguments;
  for (uint32_t i = 0; i < count; ++i) {
    if (arguments[i].length > GLINT_MAX_PAYLOAD) return 0;
    size += transfer_align(arguments[i].length);
  }
  return size + 1; /* so that it is never 0 */
}

static bool is_answer(const struct glint_abi_value *value) {
  return is_view(value) && transfer_holds(value, sdk.transfer.top, sdk.transfer.scratch);
}

/* The part of the area that holds those arguments which are answers of the host: the last call's, whose place
 * the new call would take. Empty if there are none. */
struct range {
  uint64_t begin, end; /* offsets */
};
static struct range answers_among(const struct glint_abi_value *arguments, uint32_t count) {
  struct range range = {UINT64_MAX, 0};
  for (uint32_t i = 0; i < count; ++i) {
    if (!is_answer(&arguments[i])) continue;
    uint64_t begin = arguments[i].bits - glint_sdk_base, end = begin + arguments[i].length;
    if (begin < range.begin) range.begin = begin;
    if (end > range.end) range.end = end;
  }
  return range;
}

static void move_down(struct glint_abi_value *arguments, uint32_t count, struct range range) {
  uint64_t distance = range.begin - sdk.transfer.top;
  memmove((void *)(glint_sdk_base + sdk.transfer.top), (const void *)(glint_sdk_base + range.begin),
          range.end - range.begin);
  for (uint32_t i = 0; i < count; ++i)
    if (is_answer(&arguments[i])) arguments[i].bits -= distance;
}

/* Where the frame can begin without overwriting what it is made of. */
static uint64_t frame_begin(struct glint_abi_value *arguments, uint32_t count, uint64_t size) {
  struct range range = answers_among(arguments, count);
  if (range.begin > range.end) return sdk.transfer.top;
  if (sdk.transfer.scratch - sdk.transfer.top <= CREEP_MOST + size)
    return transfer_align(sdk.transfer.scratch);
  move_down(arguments, count, range);
  return transfer_align(sdk.transfer.top + (range.end - range.begin));
}

/* Writes values and payloads at `begin`; the offset behind them. */
static uint64_t write_frame(struct glint_abi_value *arguments, uint32_t count, uint64_t begin) {
  uint64_t values = (uint64_t)count * sizeof *arguments, end = begin + values;
  for (uint32_t i = 0; i < count; ++i)
    if (is_view(&arguments[i])) transfer_place(&arguments[i], &end);
  if (values != 0) memcpy((void *)(glint_sdk_base + begin), arguments, values);
  return end;
}

static struct glint_abi_value take_answer(uint64_t reply) {
  struct glint_abi_value value;
  memcpy(&value, (const void *)(glint_sdk_base + reply), sizeof value);
  uint64_t end = reply + sizeof value;
  if (is_view(&value) && end < value.bits + value.length) end = value.bits + value.length;
  transfer_set_scratch(transfer_align(end));
  if (sdk.transfer.header->host_status == GLINT_HOST_OK) return value;
  sdk_set_error(&sdk.host_error, sdk.transfer.header->host_code, (const char *)(glint_sdk_base + value.bits),
                value.length);
  return nothing;
}

struct glint_abi_value glint_sdk_call(const struct glint_sdk_function *function,
                                      const struct glint_abi_value *given) {
  struct glint_abi_value arguments[GLINT_ABI_MAX_PARAMS];
  uint32_t count = function->param_count;
  sdk.host_error.set = false;
  if (!transfer_connected()) return native_call(function, given);
  if (count != 0) memcpy(arguments, given, count * sizeof *arguments);

  uint64_t size = frame_size(arguments, count);
  if (size == 0) return fail(GLINT_ERROR_TOO_LARGE, "an argument is longer than 64 MiB");
  uint64_t begin = frame_begin(arguments, count, size);
  if (!transfer_reserve(begin + size + ANSWER_ROOM))
    return fail(GLINT_ERROR_TOO_LARGE, "no room left in the transfer area to pass the arguments");
  uint64_t reply = write_frame(arguments, count, begin);

  volatile struct glint_abi_header *header = sdk.transfer.header;
  header->exit_function = (uint32_t)(function - __start_glint_functions);
  header->exit_count = count;
  header->exit_frame = begin;
  header->exit_reply = reply;
  sdk.transfer.libos->leave(GLINT_EXIT_HOST_CALL);
  return take_answer(reply);
}
