// SPDX-License-Identifier: Apache-2.0
#include "base/mapping.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "base/checked.hpp"

namespace glint::core {
namespace {

constexpr const char* kMapAdvice =
    "is vm.max_map_count or the process's address-space limit (ulimit -v) reached?";

std::byte* address(void* pointer) { return static_cast<std::byte*>(pointer); }

Result<void> map_fixed(std::byte* at, uint64_t size, int protection, int flags, int fd, uint64_t offset) {
  void* mapped = ::mmap(at, size, protection, flags | MAP_FIXED, fd, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return system_error("mmap", errno, kMapAdvice);
  // A host that forks must not copy the page tables of its sandboxes, nor share their memory with the child.
  if (::madvise(at, size, MADV_DONTFORK) != 0) return system_error("madvise(MADV_DONTFORK)", errno);
  return {};
}

}  // namespace

MappedRange& MappedRange::operator=(MappedRange&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(owner_, other.owner_);
  return *this;
}

MappedRange::~MappedRange() {
  if (data_ != nullptr && owner_ == current_process()) ::munmap(data_, size_);
}

Result<MappedRange> MappedRange::reserve(uint64_t size, uint64_t alignment) {
  auto rounded = checked_align_up(size, kPageSize);
  auto padded = rounded ? checked_add(*rounded, alignment - kPageSize) : std::nullopt;
  if (!padded || size == 0) return error(GLINT_E_TOO_LARGE, "cannot reserve address space of that size");

  void* mapped = ::mmap(nullptr, *padded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return system_error("mmap of reserved address space", errno, kMapAdvice);
  std::byte* begin = address(mapped);
  // The padding on both sides is given back at once.
  const uint64_t front =
      align_up(reinterpret_cast<uintptr_t>(begin), alignment) - reinterpret_cast<uintptr_t>(begin);
  const uint64_t back = *padded - front - *rounded;
  if (front != 0) ::munmap(begin, front);
  if (back != 0) ::munmap(begin + front + *rounded, back);
  MappedRange range(begin + front, *rounded);
  if (::madvise(range.data(), range.size(), MADV_DONTFORK) != 0) {
    return system_error("madvise(MADV_DONTFORK)", errno);
  }
  return range;
}

Result<void> map_anonymous(std::byte* at, uint64_t size) {
  return map_fixed(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

Result<void> map_anonymous_large(std::byte* at, uint64_t size) {
  GLINT_TRY(map_anonymous(at, size));
  ::madvise(at, size, MADV_HUGEPAGE);  // fails in a kernel that has none: then small ones do
  return {};
}

Result<void> map_file_private(std::byte* at, uint64_t size, int fd, uint64_t offset) {
  return map_fixed(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, offset);
}

Result<void> map_file_readonly(std::byte* at, uint64_t size, int fd, uint64_t offset) {
  // Private, although nothing can be written: before Linux 6.7 a write-sealed memfd refuses shared mappings.
  return map_fixed(at, size, PROT_READ, MAP_PRIVATE, fd, offset);
}

Result<void> discard(std::span<std::byte> pages) {
  if (::madvise(pages.data(), pages.size(), MADV_DONTNEED) != 0)
    return system_error("madvise(MADV_DONTNEED)", errno);
  return {};
}

}  // namespace glint::core
