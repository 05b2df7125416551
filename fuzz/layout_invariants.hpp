// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "arch/x86_64/page_tables.hpp"
#include "base/checked.hpp"
#include "image/layout.hpp"

namespace glint::test {

// Ranges of `layout.mappings`, by guest-virtual or by guest-physical address.
inline bool apart(const core::Layout& layout, uint64_t core::Mapping::* address) {
  std::vector<core::Mapping> sorted = layout.mappings;
  std::sort(sorted.begin(), sorted.end(),
            [&](const core::Mapping& a, const core::Mapping& b) { return a.*address < b.*address; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].*address < sorted[i - 1].*address + sorted[i - 1].size) return false;
  }
  return true;
}

inline std::string broken_mapping_promise(const core::Mapping& mapping, const core::Layout& layout) {
  using core::kPageSize;
  if (mapping.gva % kPageSize != 0 || mapping.gpa % kPageSize != 0 || mapping.size % kPageSize != 0)
    return "mapping alignment";
  if (mapping.size == 0) return "empty mapping";
  if (!core::in_range(mapping.gva, mapping.size, GLINT_GVA_END)) return "mapping in the guest's addresses";
  if (!core::in_range(mapping.gpa, mapping.size, layout.total_size)) return "mapping in the VM's memory";
  if (mapping.gpa < layout.page_tables_gpa + layout.page_tables_size) return "page tables are not mapped";
  if (mapping.writable && mapping.executable) return "W^X of mappings";
  // What many sandboxes share must be what none of them can write to. (The exception stack is a system page,
  // and only ring 0 writes to it.)
  if (mapping.writable && mapping.user && mapping.gpa < layout.window_gpa)
    return "shared memory is read-only";
  return {};
}

inline std::string broken_placement_promise(const core::Placement& placement, const core::Layout& layout,
                                            uint64_t program_size, uint64_t libos_size) {
  using Source = core::Placement::Source;
  const uint64_t source_size = placement.source == Source::kProgram ? program_size
                               : placement.source == Source::kLibos ? libos_size
                                                                    : layout.files_blob.size();
  if (!core::in_range(placement.offset, placement.size, source_size)) return "placement in its source";
  if (placement.gpa < layout.readonly_gpa ||
      !core::in_range(placement.gpa, placement.size, layout.transfer_gpa))
    return "placement in the image's memory";
  return {};
}

// The last-level entry for `gva` as a hardware walk finds it (SDM vol. 3, 4.5.4), with `size` of its page; 0
// where nothing is mapped or a table lies outside `tables`.
inline uint64_t walk(std::span<const std::byte> tables, uint64_t gva, uint64_t& size) {
  constexpr uint64_t kPresent = 1, kLarge = 0x80, kAddress = 0x000ffffffffff000ull;
  uint64_t table = 0;
  for (unsigned shift = 39;; shift -= 9) {
    if (!core::in_range(table, core::kPageSize, tables.size())) return 0;
    uint64_t entry = 0;
    std::memcpy(&entry, tables.data() + table + (gva >> shift & 511) * sizeof entry, sizeof entry);
    if ((entry & kPresent) == 0) return 0;
    size = uint64_t{1} << shift;
    if (shift == 12 || (entry & kLarge) != 0) return entry;
    table = entry & kAddress;
  }
}

inline std::string broken_table_promise(const core::Layout& layout) {
  constexpr uint64_t kWritable = 2, kUser = 4, kNoExecute = 1ull << 63, kAddress = 0x000ffffffffff000ull;
  // As large as planned and no larger: a write behind it is AddressSanitizer's to find.
  std::vector<std::byte> tables(layout.page_tables_size);
  core::write_page_tables(layout.mappings, tables, layout.page_tables_gpa);
  for (const core::Mapping& mapping : layout.mappings) {
    for (const uint64_t offset : {uint64_t{0}, mapping.size - core::kPageSize}) {
      uint64_t page = 0;
      const uint64_t entry = walk(tables, mapping.gva + offset, page);
      if (entry == 0) return "a mapping is in the page tables";
      if ((entry & kAddress) + (mapping.gva + offset) % page != mapping.gpa + offset) return "page address";
      if (((entry & kWritable) != 0) != mapping.writable) return "page writable";
      if (((entry & kUser) != 0) != mapping.user) return "page of ring 3";
      if (((entry & kNoExecute) == 0) != mapping.executable) return "page executable";
    }
  }
  return {};
}

// What holds for every layout that plan_layout returns: the first promise that is broken, or "".
inline std::string broken_promise(const core::Layout& layout, uint64_t program_size, uint64_t libos_size) {
  if (layout.system_pages_gpa < layout.page_tables_gpa + layout.page_tables_size ||
      layout.readonly_gpa < layout.system_pages_gpa + layout.system_pages_size ||
      layout.window_gpa < layout.readonly_gpa + layout.readonly_size ||
      layout.transfer_gpa < layout.window_gpa + layout.window_size ||
      layout.slot_size < layout.transfer_gpa || layout.total_size < layout.slot_size)
    return "the parts of the VM's memory ascend";
  if (layout.window_gpa % core::kLargePageSize != 0 || layout.window_size % core::kLargePageSize != 0)
    return "window alignment";
  for (const core::Mapping& mapping : layout.mappings) {
    if (auto broken = broken_mapping_promise(mapping, layout); !broken.empty()) return broken;
  }
  if (!apart(layout, &core::Mapping::gva)) return "mappings are apart in the guest's addresses";
  if (!apart(layout, &core::Mapping::gpa)) return "mappings are apart in the VM's memory";
  for (const core::Placement& placement : layout.placements) {
    if (auto broken = broken_placement_promise(placement, layout, program_size, libos_size); !broken.empty())
      return broken;
  }
  return broken_table_promise(layout);
}

}  // namespace glint::test
