// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/result.hpp"

namespace glint::core {

// What the kernel says of this process's pages: /proc/self/pagemap
// (Documentation/admin-guide/mm/pagemap.rst). Thread-safe.
class Pagemap {
 public:
  // Without /proc nothing can be told, and each function says so by GLINT_E_UNSUPPORTED.
  static Pagemap open();

  // The pages of `range`, a private mapping, that are not a file's: everything that anybody wrote to since it
  // was mapped, by whatever way; without a file, what anybody looked at as well. Their numbers, ascending.
  // `range` is page aligned and has less than 2^32 pages.
  Result<std::vector<uint32_t>> find_own(std::span<const std::byte> range) const;

 private:
  explicit Pagemap(Fd fd) : fd_(std::move(fd)) {}
  Result<void> check() const;
  // Calls visit(number, entry) for each page of `range`.
  template <class Visit>
  Result<void> for_each_entry(std::span<const std::byte> range, Visit visit) const;
  Result<bool> scan_own(std::span<const std::byte> range, std::vector<uint32_t>& pages) const;
  Result<void> read_own(std::span<const std::byte> range, std::vector<uint32_t>& pages) const;

  Fd fd_;
  pid_t owner_ = current_process();  // after fork, it would still show the parent's pages
};

}  // namespace glint::core
