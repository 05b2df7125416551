/* SPDX-License-Identifier: Apache-2.0 */
/* brk, mmap and their kin. All of the arena is mapped readable and writable from the start: the guest's page
 * tables never change (design: they are shared by all sandboxes of an image). So protection is accepted
 * where it takes rights away, without effect, and refused where it would make memory executable. */
#include <linux/mman.h>

#include "libos.h"

static uint64_t page_up(uint64_t size) { return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1); }
static bool page_aligned(uint64_t address) { return address % PAGE_SIZE == 0; }

/* Nothing of the guest's lies above; a size below it can be rounded up without wrapping. */
static bool too_large(uint64_t size) { return size > GLINT_GVA_END; }

static int64_t refuse_memory(void) {
  ++HEADER->memory_refused; /* so that the host can tell "out of memory" from other aborts */
  return -ENOMEM;
}

int64_t sys_brk(const struct syscall *call) {
  uint64_t result = memory_brk(&libos.memory, call->args[0]);
  if (result < call->args[0]) refuse_memory();
  return (int64_t)result;
}

/* A mapping of a file is a private copy. */
static COLD int64_t check_file(uint64_t descriptor, uint64_t offset, const struct glint_abi_file **file) {
  struct open_file *open = file_of(descriptor);
  if (open == NULL) return -EBADF;
  if (open->kind != FILE_REGULAR) return -ENODEV;
  if (!page_aligned(offset)) return -EINVAL;
  *file = file_at(open->index);
  return 0;
}

static COLD void copy_file(uint64_t address, uint64_t size, const struct glint_abi_file *file,
                           uint64_t offset) {
  if (offset >= file->size) return;
  uint64_t rest = file->size - offset;
  memcpy((void *)address, (const void *)(file->data + offset), size < rest ? size : rest);
}

/* musl puts an inaccessible page into its brk area, to catch overruns of its neighbour. It gets that without
 * the protection; the page is not touched. */
static COLD bool is_brk_guard(uint64_t address, uint64_t size, uint64_t protection) {
  const struct memory *m = &libos.memory;
  return protection == PROT_NONE && address >= m->begin && address <= m->brk &&
         size <= page_up(m->brk) - address;
}

int64_t sys_mmap(const struct syscall *call) {
  uint64_t address = call->args[0], size = call->args[1], protection = call->args[2], flags = call->args[3];
  const struct glint_abi_file *file = NULL;
  if (size == 0) return -EINVAL;
  if (protection & PROT_EXEC) return -EACCES;
  if (!(flags & MAP_ANONYMOUS)) {
    int64_t status = check_file(call->args[4], call->args[5], &file);
    if (status < 0) return status;
    if ((flags & MAP_TYPE) == MAP_SHARED && (protection & PROT_WRITE)) return -EACCES;
  }
  if (too_large(size)) return refuse_memory();
  size = page_up(size);
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
    bool replace = (flags & MAP_FIXED_NOREPLACE) == 0;
    if (!page_aligned(address)) return -EINVAL;
    if (is_brk_guard(address, size, protection)) return (int64_t)address;
    if (!replace && !memory_is_free(&libos.memory, address, size)) return -EEXIST;
    if (!memory_map_at(&libos.memory, address, size)) return refuse_memory();
  } else {
    address = memory_map(&libos.memory, size);
    if (address == MEMORY_FAILED) return refuse_memory();
  }
  if (file != NULL) copy_file(address, call->args[1], file, call->args[5]);
  return (int64_t)address;
}

int64_t sys_munmap(const struct syscall *call) {
  uint64_t address = call->args[0], size = call->args[1];
  if (!page_aligned(address) || size == 0 || too_large(size)) return -EINVAL;
  return memory_unmap(&libos.memory, address, page_up(size)) ? 0 : -EINVAL;
}

int64_t sys_mremap(const struct syscall *call) {
  uint64_t address = call->args[0], old_size = call->args[1], new_size = call->args[2], flags = call->args[3];
  if (!page_aligned(address) || old_size == 0 || new_size == 0 || too_large(old_size)) return -EINVAL;
  if (flags & ~1ull) return -EINVAL; /* MREMAP_MAYMOVE only */
  if (too_large(new_size)) return refuse_memory();
  old_size = page_up(old_size);
  if (!memory_is_mapped(&libos.memory, address, old_size)) return -EFAULT;
  uint64_t result = memory_remap(&libos.memory, address, old_size, page_up(new_size), flags & 1);
  return result == MEMORY_FAILED ? refuse_memory() : (int64_t)result;
}

int64_t sys_mprotect(const struct syscall *call) {
  uint64_t address = call->args[0], size = call->args[1], protection = call->args[2];
  if (!page_aligned(address)) return -EINVAL;
  if (too_large(address) || too_large(size) || address + size > GLINT_GVA_END) return -ENOMEM;
  return protection & PROT_EXEC ? -EACCES : 0;
}

int64_t sys_madvise(const struct syscall *call) {
  uint64_t address = call->args[0], size = call->args[1];
  if (!page_aligned(address) || too_large(size)) return -EINVAL;
  if (call->args[2] != MADV_DONTNEED) return 0; /* advice */
  /* Programs rely on the zeroes. */
  const struct memory *m = &libos.memory;
  size = page_up(size);
  bool in_brk = address >= m->begin && address <= m->brk && size <= m->brk - address;
  if (!in_brk && !memory_is_mapped(m, address, size)) return -ENOMEM;
  memset((void *)address, 0, size);
  return 0;
}
