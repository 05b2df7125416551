/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of the guest, and the text that travels with each exit. */
#include "libos.h"

void leave(uint32_t kind) {
  HEADER->exit_kind = kind;
  /* The host keeps all registers; "memory" because it writes the transfer area meanwhile. */
  __asm__ volatile("outl %%eax, %0" : : "N"(GLINT_EXIT_PORT), "a"(0) : "memory", "cc");
  if (HEADER->time_epoch != libos.time_epoch) {
    time_pair();
    random_stir();
  }
  /* A refusal that a call survived explains no fault of the next one. */
  if (kind == GLINT_EXIT_READY || kind == GLINT_EXIT_RESULT || kind == GLINT_EXIT_ERROR)
    HEADER->memory_refused = 0;
}

int grow(uint64_t size) {
  if (size <= HEADER->size) return 0;
  if (size > GLINT_TRANSFER_MAX) return -1;
  HEADER->exit_frame = size;
  leave(GLINT_EXIT_GROW);
  return size <= HEADER->size ? 0 : -1;
}

struct glint_abi_libos libos_table = {GLINT_ABI_VERSION, 0, TRANSFER, leave, grow};

/* A record becomes the host's by the store to text_size, which comes last: what stands before it is complete
 * even if the guest faults at the next instruction. */
static void append_record(uint32_t kind, const uint8_t *data, uint32_t length) {
  uint32_t position = HEADER->text_size;
  struct glint_abi_text_record *record = (void *)(TRANSFER + GLINT_TRANSFER_TEXT + position);
  record->kind = kind;
  record->length = length;
  memcpy(record + 1, data, length);
  __asm__ volatile("" : : : "memory");
  HEADER->text_size = position + (uint32_t)sizeof *record + ((length + 7) & ~7u);
}

void text_append(uint32_t kind, const void *data, uint64_t size) {
  const uint8_t *bytes = data;
  const uint32_t overhead = sizeof(struct glint_abi_text_record);
  const uint64_t most = GLINT_TRANSFER_TEXT_SIZE - overhead;
  bool whole = kind != GLINT_TEXT_STDOUT && kind != GLINT_TEXT_STDERR;
  while (size > 0) {
    uint32_t used = HEADER->text_size;
    uint64_t room = used + overhead < GLINT_TRANSFER_TEXT_SIZE ? most - used : 0;
    if (room == 0 || (whole && room < size)) {
      leave(GLINT_EXIT_TEXT); /* the host sets text_size to 0 */
      continue;
    }
    uint32_t length = (uint32_t)(size < room ? size : room);
    append_record(kind, bytes, length);
    bytes += length;
    size -= length;
  }
}

void give_up(const char *why, uint64_t address) {
  text_append(GLINT_TEXT_STDERR, why, strlen(why));
  end_by_signal(6 /* SIGABRT */, address);
}

void end_by_signal(int32_t signal, uint64_t address) {
  HEADER->exit_code = signal;
  HEADER->exit_address = address;
  for (;;) leave(GLINT_EXIT_SIGNAL); /* the host does not come back */
}
