// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/process.hpp"
#include "base/result.hpp"

namespace glint::core {

// An owned range of the host's address space; unmapped as a whole when it dies. In a child of fork, which
// does not inherit it, its death does nothing: the addresses may be somebody else's there.
class MappedRange {
 public:
  MappedRange() = default;
  MappedRange(MappedRange&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        owner_(other.owner_) {}
  MappedRange& operator=(MappedRange&& other) noexcept;
  ~MappedRange();

  // Address space without memory: nothing may be touched until something is mapped into it. `alignment` is a
  // power of two, at least a page. Left out of children of fork.
  static Result<MappedRange> reserve(uint64_t size, uint64_t alignment);

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  MappedRange(std::byte* data, uint64_t size) : data_(data), size_(size), owner_(current_process()) {}

  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
  pid_t owner_ = -1;
};

// Replaces [at, at + size) by memory of its own, zero, readable and writable.
Result<void> map_anonymous(std::byte* at, uint64_t size);

// The same, to be backed by large pages where the kernel has any to give (Documentation/admin-guide/mm/
// transhuge.rst); a whole large page is there as soon as one byte is touched. Otherwise small pages do.
Result<void> map_anonymous_large(std::byte* at, uint64_t size);

// Replaces [at, at + size) by a view of a file: copy on write, or read-only.
Result<void> map_file_private(std::byte* at, uint64_t size, int fd, uint64_t offset);
Result<void> map_file_readonly(std::byte* at, uint64_t size, int fd, uint64_t offset);

// Drops what was written to whole pages: they are again those of the file, or zero.
Result<void> discard(std::span<std::byte> pages);

}  // namespace glint::core
