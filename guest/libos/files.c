/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, and the read-only files that the host gave the guest. */
#include <asm/fcntl.h>

#include "libos.h"
#include "paths.h"

#define DESCRIPTORS 64

/* A descriptor is the number of an open file plus 1, so that a zero is a closed one. */
static uint8_t descriptors[DESCRIPTORS] = {1, 2, 3};
static struct open_file open_files[DESCRIPTORS] = {{.kind = FILE_STDIN, .references = 1},
                                                   {.kind = FILE_STDOUT, .references = 1},
                                                   {.kind = FILE_STDERR, .references = 1}};

struct open_file *file_of(uint64_t descriptor) {
  descriptor = (uint32_t)descriptor; /* an int of the program */
  if (descriptor >= DESCRIPTORS || descriptors[descriptor] == 0) return NULL;
  return &open_files[descriptors[descriptor] - 1];
}

const struct glint_abi_file *file_at(uint32_t index) {
  return (const struct glint_abi_file *)libos.boot.files + index;
}

static bool same_text(const char *a, const char *b, uint64_t size) { return memcmp(a, b, size) == 0; }

int64_t path_lookup(const char *path, uint32_t *index) {
  char name[PATH_SIZE];
  if (path == NULL) return -EFAULT;
  if (*path == '\0') return -ENOENT;
  int64_t length = path_normalize(path, name, sizeof name);
  if (length < 0) return -ENAMETOOLONG;
  uint64_t size = (uint64_t)length;
  bool is_directory = size == 1;
  for (uint32_t i = 0; i < libos.boot.file_count; ++i) {
    const struct glint_abi_file *file = file_at(i);
    if (file->name_size == size && same_text((const char *)file->name, name, size)) {
      *index = i;
      return PATH_FILE;
    }
    is_directory = is_directory || path_is_below((const char *)file->name, name, size);
  }
  if (is_directory) return PATH_DIRECTORY;
  if (size == 9 && same_text(name, "/dev/null", 9)) return PATH_NULL;
  if (size == 12 && same_text(name, "/dev/urandom", 12)) return PATH_RANDOM;
  if (size == 11 && same_text(name, "/dev/random", 11)) return PATH_RANDOM;
  return -ENOENT;
}

/* ---- descriptors ------------------------------------------------------------------- */

static int64_t free_descriptor(uint64_t from) {
  for (uint64_t i = from; i < DESCRIPTORS; ++i)
    if (descriptors[i] == 0) return (int64_t)i;
  return -EMFILE;
}

static int64_t new_file(uint8_t kind, uint32_t index) {
  int64_t descriptor = free_descriptor(0);
  if (descriptor < 0) return descriptor;
  /* There are as many open files as descriptors, so one is free. */
  uint8_t number = 0;
  while (open_files[number].kind != FILE_CLOSED) ++number;
  open_files[number] = (struct open_file){.kind = kind, .references = 1, .index = index};
  descriptors[descriptor] = number + 1;
  return descriptor;
}

static void close_descriptor(uint64_t descriptor) {
  struct open_file *file = file_of(descriptor);
  descriptors[descriptor] = 0;
  if (--file->references == 0) file->kind = FILE_CLOSED;
}

static int64_t duplicate(uint64_t from, uint64_t to) {
  ++file_of(from)->references;
  descriptors[to] = descriptors[from];
  return (int64_t)to;
}

static int64_t open_path(const char *path, uint64_t flags) {
  uint32_t index = 0;
  int64_t kind = path_lookup(path, &index);
  if (kind == PATH_NULL) return new_file(FILE_NULL, 0);
  if (kind == PATH_RANDOM) return new_file(FILE_RANDOM, 0);
  bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
  if (kind == -ENOENT && (flags & O_CREAT)) return -EROFS;
  if (kind < 0) return kind;
  if (kind == PATH_DIRECTORY) return writes ? -EISDIR : -EACCES; /* directories cannot be listed */
  if (writes) return -EROFS;
  if (flags & O_DIRECTORY) return -ENOTDIR;
  if ((flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
  return new_file(FILE_REGULAR, index);
}

/* ---- system calls --------------------------------------------------------------------- */

int64_t sys_open(const struct syscall *call) { return open_path((const char *)call->args[0], call->args[1]); }

/* The only directory is "/", so the directory descriptor does not matter. */
int64_t sys_openat(const struct syscall *call) {
  return open_path((const char *)call->args[1], call->args[2]);
}

int64_t sys_close(const struct syscall *call) {
  if (file_of(call->args[0]) == NULL) return -EBADF;
  close_descriptor((uint32_t)call->args[0]);
  return 0;
}

int64_t sys_lseek(const struct syscall *call) {
  struct open_file *file = file_of(call->args[0]);
  if (file == NULL) return -EBADF;
  if (file->kind == FILE_NULL || file->kind == FILE_RANDOM) return 0;
  if (file->kind != FILE_REGULAR) return -ESPIPE;
  int64_t base = 0, target;
  if (call->args[2] == 1) base = (int64_t)file->offset;
  if (call->args[2] == 2) base = (int64_t)file_at(file->index)->size;
  if (call->args[2] > 2) return -EINVAL;
  if (__builtin_add_overflow(base, (int64_t)call->args[1], &target)) return -EOVERFLOW;
  if (target < 0) return -EINVAL;
  file->offset = (uint64_t)target;
  return target;
}

int64_t sys_dup(const struct syscall *call) {
  if (file_of(call->args[0]) == NULL) return -EBADF;
  int64_t to = free_descriptor(0);
  return to < 0 ? to : duplicate((uint32_t)call->args[0], (uint64_t)to);
}

int64_t sys_dup2(const struct syscall *call) {
  uint64_t from = (uint32_t)call->args[0], to = (uint32_t)call->args[1];
  if (file_of(from) == NULL || to >= DESCRIPTORS) return -EBADF;
  if (from == to) return (int64_t)to;
  if (file_of(to) != NULL) close_descriptor(to);
  return duplicate(from, to);
}

int64_t sys_dup3(const struct syscall *call) {
  if (call->args[0] == call->args[1]) return -EINVAL;
  return sys_dup2(call);
}

int64_t sys_fcntl(const struct syscall *call) {
  struct open_file *file = file_of(call->args[0]);
  if (file == NULL) return -EBADF;
  switch (call->args[1]) {
    case F_DUPFD:
    case 1030: { /* F_DUPFD_CLOEXEC; there is no exec */
      if (call->args[2] >= DESCRIPTORS) return -EINVAL;
      int64_t to = free_descriptor(call->args[2]);
      return to < 0 ? to : duplicate((uint32_t)call->args[0], (uint64_t)to);
    }
    case F_GETFD:
    case F_SETFD:
    case F_SETFL:
      return 0;
    case F_GETFL:
      if (file->kind == FILE_STDOUT || file->kind == FILE_STDERR) return O_WRONLY;
      return file->kind == FILE_NULL ? O_RDWR : O_RDONLY;
    default:
      return -EINVAL;
  }
}
