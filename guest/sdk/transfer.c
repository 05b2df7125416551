/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's part of the transfer area: who may use which bytes of it during a call.
 *
 *   call_end  slot      top                    scratch              header.size
 *   | … args  | result  | result buffers       | the last host      | free …
 *             | value   |                      | call and answer    |
 */
#include <stdlib.h>
#include <sys/auxv.h>

#include "sdk.h"

uintptr_t glint_sdk_base;
struct sdk_transfer sdk_transfer;

bool transfer_connected(void) {
  static bool asked;
  if (asked) return sdk_transfer.libos != NULL;
  asked = true;
  struct glint_abi_libos *libos = (struct glint_abi_libos *)getauxval(GLINT_AT_LIBOS);
  if (libos == NULL) return false;
  if (libos->version != GLINT_ABI_VERSION)
    sdk_broken("this program and the host are of different versions of Glint");
  sdk_transfer.libos = libos;
  sdk_transfer.header = (volatile struct glint_abi_header *)libos->transfer;
  glint_sdk_base = (uintptr_t)libos->transfer;
  transfer_begin_call();
  return true;
}

void transfer_set_scratch(uint64_t end) {
  sdk_transfer.scratch = end;
  sdk_transfer.libos->in_use = (uint32_t)end; /* the area is below 4 GiB */
}

void transfer_begin_call(void) {
  uint64_t begin = sdk_transfer.header->call_end;
  if (begin < GLINT_TRANSFER_PAYLOAD) begin = GLINT_TRANSFER_PAYLOAD;
  sdk_transfer.slot = transfer_align(begin);
  sdk_transfer.top = sdk_transfer.slot + sizeof(struct glint_abi_value);
  transfer_set_scratch(sdk_transfer.top);
}

bool transfer_reserve(uint64_t end) {
  return end <= sdk_transfer.header->size || sdk_transfer.libos->grow(end) == 0;
}

bool transfer_holds(const struct glint_abi_value *view, uint64_t begin, uint64_t end) {
  uint64_t offset = view->bits - glint_sdk_base; /* wraps to a large number for lower addresses */
  return offset >= begin && offset <= end && view->length <= end - offset;
}

void transfer_place(struct glint_abi_value *view, uint64_t *offset) {
  if (view->length != 0 && transfer_holds(view, sdk_transfer.slot, sdk_transfer.header->size)) {
    view->bits -= glint_sdk_base;
    return;
  }
  if (view->length != 0) memcpy((void *)(glint_sdk_base + *offset), (const void *)view->bits, view->length);
  view->bits = *offset;
  *offset = transfer_align(*offset + view->length);
}

void *glint_result_buffer(size_t size) {
  if (size > GLINT_MAX_PAYLOAD) return NULL;
  /* Natively the process ends after one call, which frees it. */
  if (!transfer_connected()) return malloc(size != 0 ? size : 1);
  uint64_t begin = sdk_transfer.scratch; /* behind the last answer, which stays valid */
  uint64_t end = transfer_align(begin + size);
  if (!transfer_reserve(end)) return NULL;
  sdk_transfer.top = end;
  transfer_set_scratch(end);
  return (void *)(glint_sdk_base + begin);
}
