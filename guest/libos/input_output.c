/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing. */
#include "libos.h"

/* What one call moves at most, as in Linux. */
#define MOST 0x7ffff000ull
#define VECTORS_MOST 1024

struct io_vector {
  uint8_t *base;
  uint64_t size;
};

static uint64_t at_most(uint64_t size, uint64_t most) { return size < most ? size : most; }

/* ---- reading ------------------------------------------------------------------------- */

static uint64_t input_offset(void) {
  uint64_t offset = GLINT_TRANSFER_PAYLOAD;
  if (offset < HEADER->call_end) offset = HEADER->call_end;
  if (offset < libos_table.in_use) offset = libos_table.in_use;
  return (offset + GLINT_TRANSFER_ALIGN - 1) & ~(uint64_t)(GLINT_TRANSFER_ALIGN - 1);
}

/* Standard input: the host puts the bytes behind what is in use of the transfer area. */
static COLD int64_t read_input(uint8_t *to, uint64_t size) {
  const uint64_t piece = 65536;
  uint64_t offset = input_offset();
  if (size == 0) return 0;
  size = at_most(size, piece);
  if (offset + size > HEADER->size && grow(offset + size) != 0) {
    if (offset >= HEADER->size) return -ENOMEM;
    size = HEADER->size - offset;
  }
  HEADER->exit_count = (uint32_t)size;
  HEADER->exit_reply = offset;
  leave(GLINT_EXIT_INPUT);
  int64_t answer = HEADER->host_code;
  if (answer < 0) return -EIO;
  size = at_most((uint64_t)answer, size);
  memcpy(to, TRANSFER + offset, size);
  return (int64_t)size;
}

static int64_t read_file(const struct glint_abi_file *file, uint8_t *to, uint64_t size, uint64_t offset) {
  if (offset >= file->size) return 0;
  size = at_most(size, file->size - offset);
  memcpy(to, (const void *)(file->data + offset), size);
  return (int64_t)size;
}

static int64_t read_some(struct open_file *file, uint8_t *to, uint64_t size) {
  size = at_most(size, MOST);
  switch (file->kind) {
    case FILE_STDIN:
      return read_input(to, size);
    case FILE_REGULAR: {
      int64_t count = read_file(file_at(file->index), to, size, file->offset);
      file->offset += (uint64_t)count;
      return count;
    }
    case FILE_RANDOM:
      random_bytes(to, size);
      return (int64_t)size;
    case FILE_NULL:
      return 0;
    default:
      return -EBADF;
  }
}

int64_t sys_read(const struct syscall *call) {
  struct open_file *file = file_of(call->args[0]);
  return file == NULL ? -EBADF : read_some(file, (uint8_t *)call->args[1], call->args[2]);
}

int64_t sys_pread64(const struct syscall *call) {
  struct open_file *file = file_of(call->args[0]);
  if (file == NULL) return -EBADF;
  if (file->kind != FILE_REGULAR) return -ESPIPE;
  if ((int64_t)call->args[3] < 0) return -EINVAL;
  return read_file(file_at(file->index), (uint8_t *)call->args[1], at_most(call->args[2], MOST),
                   call->args[3]);
}

int64_t sys_readv(const struct syscall *call) {
  struct open_file *file = file_of(call->args[0]);
  const struct io_vector *vectors = (const struct io_vector *)call->args[1];
  int64_t total = 0;
  if (file == NULL) return -EBADF;
  if (call->args[2] > VECTORS_MOST) return -EINVAL;
  for (uint64_t i = 0; i < call->args[2]; ++i) {
    if (vectors[i].size == 0) continue;
    int64_t count = read_some(file, vectors[i].base, vectors[i].size);
    if (count < 0) return total > 0 ? total : count;
    total += count;
    if ((uint64_t)count < vectors[i].size) break;
  }
  return total;
}

/* ---- writing --------------------------------------------------------------------------- */

static int64_t write_some(const struct open_file *file, const uint8_t *from, uint64_t size) {
  size = at_most(size, MOST);
  switch (file->kind) {
    case FILE_STDOUT:
      text_append(GLINT_TEXT_STDOUT, from, size);
      return (int64_t)size;
    case FILE_STDERR:
      text_append(GLINT_TEXT_STDERR, from, size);
      return (int64_t)size;
    case FILE_NULL:
      return (int64_t)size;
    default:
      return -EBADF; /* not open for writing */
  }
}

int64_t sys_write(const struct syscall *call) {
  const struct open_file *file = file_of(call->args[0]);
  return file == NULL ? -EBADF : write_some(file, (const uint8_t *)call->args[1], call->args[2]);
}

int64_t sys_pwrite64(const struct syscall *call) {
  const struct open_file *file = file_of(call->args[0]);
  if (file == NULL || file->kind == FILE_REGULAR) return -EBADF;
  return file->kind == FILE_NULL ? (int64_t)at_most(call->args[2], MOST) : -ESPIPE;
}

int64_t sys_writev(const struct syscall *call) {
  const struct open_file *file = file_of(call->args[0]);
  const struct io_vector *vectors = (const struct io_vector *)call->args[1];
  int64_t total = 0;
  if (file == NULL) return -EBADF;
  if (call->args[2] > VECTORS_MOST) return -EINVAL;
  for (uint64_t i = 0; i < call->args[2]; ++i) {
    int64_t count = write_some(file, vectors[i].base, vectors[i].size);
    if (count < 0) return count;
    total += count;
  }
  return total;
}
