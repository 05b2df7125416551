// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace glint::core {

// Reads as much of `to` as the file has from `offset` on; how many bytes that is.
Result<size_t> read_at(int fd, std::span<std::byte> to, uint64_t offset, const std::string& what);

// Writes all of it.
Result<void> write_at(int fd, std::span<const std::byte> bytes, uint64_t offset, const std::string& what);

// Where the next bytes are that may not be zero, in [begin, end): a hole of a file is known to be zeros
// without being read. Both are `end` when there are none.
struct Extent {
  uint64_t begin = 0, end = 0;
};
Result<Extent> next_data(int fd, uint64_t begin, uint64_t end, const std::string& what);

// A file that appears under its name at once and whole, or not at all. Until then it has another name in the
// same directory.
class NewFile {
 public:
  static Result<NewFile> create(std::string path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();  // takes away what was not put in its place

  int fd() const { return fd_.get(); }

  // Waits until it is on the disk, gives it that mode, and replaces whatever has the name.
  Result<void> put_in_place(unsigned mode);

 private:
  NewFile(Fd fd, std::string path, std::string temporary)
      : fd_(std::move(fd)), path_(std::move(path)), temporary_(std::move(temporary)) {}

  Fd fd_;
  std::string path_;
  std::string temporary_;  // empty when there is nothing to take away
};

}  // namespace glint::core
