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

/* In one page: a sandbox that comes into a VM pays a page fault, 7 us on a software KVM, for each page that
 * its call looks at. Together they are smaller than their alignment, so no page's end lies between them. */
#define SDK_STATE_ALIGN 256
#define SDK_STATE __attribute__((section(".bss.glint_sdk")))
_Static_assert(sizeof(struct sdk_state) + sizeof(uintptr_t) <= SDK_STATE_ALIGN, "they lie in one page");
SDK_STATE __attribute__((aligned(SDK_STATE_ALIGN))) struct sdk_state sdk;
SDK_STATE uintptr_t glint_sdk_base;

bool transfer_connected(void) {
  if (sdk.transfer.asked) return sdk.transfer.libos != NULL;
  sdk.transfer.asked = true;
  struct glint_abi_libos *libos = (struct glint_abi_libos *)getauxval(GLINT_AT_LIBOS);
  if (libos == NULL) return false;
  if (libos->version != GLINT_ABI_VERSION)
    sdk_broken("this program and the host are of different versions of Glint");
  sdk.transfer.libos = libos;
  sdk.transfer.header = (volatile struct glint_abi_header *)libos->transfer;
  glint_sdk_base = (uintptr_t)libos->transfer;
  transfer_begin_call();
  return true;
}

void transfer_set_scratch(uint64_t end) {
  sdk.transfer.scratch = end;
  sdk.transfer.libos->in_use = (uint32_t)end; /* the area is below 4 GiB */
}

void transfer_begin_call(void) {
  uint64_t begin = sdk.transfer.header->call_end;
  if (begin < GLINT_TRANSFER_PAYLOAD) begin = GLINT_TRANSFER_PAYLOAD;
  sdk.transfer.slot = transfer_align(begin);
  sdk.transfer.top = sdk.transfer.slot + sizeof(struct glint_abi_value);
  transfer_set_scratch(sdk.transfer.top);
}

bool transfer_reserve(uint64_t end) {
  return end <= sdk.transfer.header->size || sdk.transfer.libos->grow(end) == 0;
}

bool transfer_holds(const struct glint_abi_value *view, uint64_t begin, uint64_t end) {
  uint64_t offset = view->bits - glint_sdk_base; /* wraps to a large number for lower addresses */
  return offset >= begin && offset <= end && view->length <= end - offset;
}

void transfer_place(struct glint_abi_value *view, uint64_t *offset) {
  if (view->length != 0 && transfer_holds(view, sdk.transfer.slot, sdk.transfer.header->size)) {
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
  uint64_t begin = sdk.transfer.scratch; /* behind the last answer, which stays valid */
  uint64_t end = transfer_align(begin + size);
  if (!transfer_reserve(end)) return NULL;
  sdk.transfer.top = end;
  transfer_set_scratch(end);
  return (void *)(glint_sdk_base + begin);
}
