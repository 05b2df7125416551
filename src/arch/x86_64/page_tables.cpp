// SPDX-License-Identifier: Apache-2.0
#include "arch/x86_64/page_tables.hpp"

#include <cstring>

#include "base/check.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

constexpr uint64_t kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40, kLarge = 0x80;
constexpr uint64_t kNoExecute = 1ull << 63;
constexpr uint64_t kAddressMask = 0x000ffffffffff000ull;

// Bits of an address that a table of each level is chosen by: 39 for the root, then 30, 21, 12.
constexpr unsigned kRootShift = 39, kLargeShift = 21, kPageShift = 12, kLevelBits = 9;

bool large_page_fits(const Mapping& m, uint64_t offset) {
  return m.large && (m.gva + offset) % kLargePageSize == 0 && (m.gpa + offset) % kLargePageSize == 0 &&
         m.size - offset >= kLargePageSize;
}

// Calls visit(offset, large) for each page of the mapping.
template <class Visit>
void for_each_page(const Mapping& m, Visit visit) {
  for (uint64_t offset = 0; offset < m.size;) {
    const bool large = large_page_fits(m, offset);
    visit(offset, large);
    offset += large ? kLargePageSize : kPageSize;
  }
}

class Writer {
 public:
  Writer(std::span<std::byte> memory, uint64_t gpa) : memory_(memory), gpa_(gpa) {}

  void map(uint64_t gva, uint64_t entry, bool large) {
    uint64_t table = 0;  // offset of the table in memory_
    const unsigned last = large ? kLargeShift : kPageShift;
    for (unsigned shift = kRootShift; shift > last; shift -= kLevelBits)
      table = descend(table, index(gva, shift));
    store(table, index(gva, last), entry);
  }

 private:
  static uint64_t index(uint64_t gva, unsigned shift) { return gva >> shift & 511; }

  uint64_t load(uint64_t table, uint64_t i) const {
    uint64_t entry = 0;
    std::memcpy(&entry, memory_.data() + table + i * sizeof entry, sizeof entry);
    return entry;
  }
  void store(uint64_t table, uint64_t i, uint64_t entry) {
    std::memcpy(memory_.data() + table + i * sizeof entry, &entry, sizeof entry);
  }

  // The table behind entry i, made if need be. Permissions are decided by the last level only.
  uint64_t descend(uint64_t table, uint64_t i) {
    const uint64_t entry = load(table, i);
    if ((entry & kPresent) != 0) return (entry & kAddressMask) - gpa_;
    const uint64_t fresh = used_;
    used_ += kPageSize;
    require(used_ <= memory_.size(), "page tables larger than planned");
    store(table, i, (gpa_ + fresh) | kPresent | kWritable | kUser | kAccessed);
    return fresh;
  }

  std::span<std::byte> memory_;
  uint64_t gpa_;
  uint64_t used_ = kPageSize;  // the root
};

}  // namespace

void write_page_tables(std::span<const Mapping> mappings, std::span<std::byte> memory, uint64_t gpa) {
  Writer writer(memory, gpa);
  for (const Mapping& m : mappings) {
    const uint64_t permissions = kPresent | kAccessed | kDirty | (m.writable ? kWritable : 0) |
                                 (m.user ? kUser : 0) | (m.executable ? 0 : kNoExecute);
    for_each_page(m, [&](uint64_t offset, bool large) {
      writer.map(m.gva + offset, (m.gpa + offset) | permissions | (large ? kLarge : 0), large);
    });
  }
}

}  // namespace glint::core
