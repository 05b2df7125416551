/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about files and names. */
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/stat.h>

#include "libos.h"

#define TERMINAL_DEVICE 0x8800 /* 136:0, a pseudo-terminal */

static void fill(struct stat *out, uint64_t inode, uint32_t mode, uint64_t size) {
  memset(out, 0, sizeof *out);
  out->st_dev = 1;
  out->st_ino = inode;
  out->st_nlink = 1;
  out->st_mode = mode;
  out->st_uid = 1000;
  out->st_gid = 1000;
  out->st_size = (int64_t)size;
  out->st_blksize = 4096;
  out->st_blocks = (int64_t)((size + 511) / 512);
}

static void fill_file(struct stat *out, uint32_t index) {
  fill(out, index + 16ull, S_IFREG | 0444, file_at(index)->size);
}

/* Standard output looks like a terminal here, and to TIOCGWINSZ below, though not to TCGETS: glibc and musl
 * then pass on each line when it is complete, so that what was printed before a fault is not lost in a
 * buffer. isatty() is false with glibc, which asks by TCGETS. */
static void fill_open(struct stat *out, const struct open_file *file) {
  if (file->kind == FILE_REGULAR) {
    fill_file(out, file->index);
  } else {
    fill(out, file->kind, file->kind == FILE_STDIN ? S_IFIFO | 0400 : S_IFCHR | 0620, 0);
    if (file->kind == FILE_STDOUT) out->st_rdev = TERMINAL_DEVICE;
  }
}

static int64_t stat_path(const char *path, struct stat *out) {
  uint32_t index = 0;
  int64_t kind = path_lookup(path, &index);
  if (kind < 0) return kind;
  if (kind == PATH_FILE) fill_file(out, index);
  if (kind == PATH_DIRECTORY) fill(out, 8, S_IFDIR | 0555, 0);
  if (kind == PATH_NULL || kind == PATH_RANDOM) fill(out, 9, S_IFCHR | 0666, 0);
  return 0;
}

static int64_t stat_open(uint64_t descriptor, struct stat *out) {
  const struct open_file *file = file_of(descriptor);
  if (file == NULL) return -EBADF;
  fill_open(out, file);
  return 0;
}

int64_t sys_stat(const struct syscall *call) {
  return stat_path((const char *)call->args[0], (struct stat *)call->args[1]);
}

int64_t sys_fstat(const struct syscall *call) {
  return stat_open(call->args[0], (struct stat *)call->args[1]);
}

int64_t sys_newfstatat(const struct syscall *call) {
  const char *path = (const char *)call->args[1];
  struct stat *out = (struct stat *)call->args[2];
  bool of_descriptor = (call->args[3] & AT_EMPTY_PATH_FLAG) && (path == NULL || *path == '\0');
  if (!of_descriptor) return stat_path(path, out);
  return (int32_t)call->args[0] == AT_FDCWD_VALUE ? stat_path("/", out) : stat_open(call->args[0], out);
}

static int64_t check_access(const char *path, uint64_t mode) {
  uint32_t index = 0;
  int64_t kind = path_lookup(path, &index);
  if (kind < 0) return kind;
  if ((mode & 2) && kind != PATH_NULL && kind != PATH_RANDOM) return -EROFS;
  return (mode & 1) && kind != PATH_DIRECTORY ? -EACCES : 0;
}

int64_t sys_access(const struct syscall *call) {
  return check_access((const char *)call->args[0], call->args[1]);
}
int64_t sys_faccessat(const struct syscall *call) {
  return check_access((const char *)call->args[1], call->args[2]);
}

/* The only link is /proc/self/exe, by which a program finds itself. */
static int64_t read_link(const char *path, char *out, int64_t size) {
  static const char self[] = "/proc/self/exe";
  uint32_t index = 0;
  if (size <= 0) return -EINVAL;
  if (path == NULL) return -EFAULT;
  if (strlen(path) != sizeof self - 1 || memcmp(path, self, sizeof self - 1) != 0) {
    int64_t kind = path_lookup(path, &index);
    return kind < 0 ? kind : -EINVAL;
  }
  const char *name = libos.program_name;
  uint64_t room = (uint64_t)size, length = strlen(name);
  if (name[0] != '/') {
    *out++ = '/';
    --room;
  }
  if (length > room) length = room;
  memcpy(out, name, length);
  return (int64_t)(length + (uint64_t)size - room);
}

int64_t sys_readlink(const struct syscall *call) {
  return read_link((const char *)call->args[0], (char *)call->args[1], (int32_t)call->args[2]);
}
int64_t sys_readlinkat(const struct syscall *call) {
  return read_link((const char *)call->args[1], (char *)call->args[2], (int32_t)call->args[3]);
}

int64_t sys_getcwd(const struct syscall *call) {
  if (call->args[1] < 2) return -ERANGE;
  memcpy((void *)call->args[0], "/", 2);
  return 2;
}

int64_t sys_chdir(const struct syscall *call) {
  const char *path = (const char *)call->args[0];
  uint32_t index = 0;
  int64_t kind = path_lookup(path, &index);
  if (kind < 0) return kind;
  if (kind != PATH_DIRECTORY) return -ENOTDIR;
  return strlen(path) == 1 ? 0 : -EACCES; /* "/" or ".": relative paths start at "/", always */
}

int64_t sys_ioctl(const struct syscall *call) {
  const struct open_file *file = file_of(call->args[0]);
  if (file == NULL) return -EBADF;
  if (call->args[1] == TIOCGWINSZ && file->kind == FILE_STDOUT) {
    static const uint16_t size[4] = {24, 80, 0, 0};
    memcpy((void *)call->args[2], size, sizeof size);
    return 0;
  }
  return -ENOTTY;
}

int64_t sys_read_only(const struct syscall *call) {
  (void)call;
  return -EROFS;
}
