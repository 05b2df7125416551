// SPDX-License-Identifier: Apache-2.0
#include "shell/fault_groups.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace glint::core {
namespace {

constexpr uint64_t kGroup = 8;

// A mapping of the window, in pages: its first one's number, and its guest-virtual address.
struct Run {
  uint64_t first = 0, count = 0, gva = 0;
  bool holds(uint64_t page) const { return page >= first && page - first < count; }
};

Run run_of(uint64_t page, const Layout& layout) {
  for (const Mapping& m : layout.mappings) {
    if (m.gpa < layout.window_gpa || m.gpa - layout.window_gpa >= layout.window_size) continue;
    const Run run{(m.gpa - layout.window_gpa) / kPageSize, m.size / kPageSize, m.gva / kPageSize};
    if (run.holds(page)) return run;
  }
  return {page, 1, 0};  // what is not mapped cannot be written to
}

}  // namespace

std::vector<uint32_t> fill_fault_groups(std::span<const uint32_t> pages, const Layout& layout) {
  std::vector<uint32_t> filled;
  filled.reserve(pages.size() + kMostFilledPages);
  size_t room = kMostFilledPages;
  for (size_t at = 0; at < pages.size();) {
    const Run run = run_of(pages[at], layout);
    const uint64_t position = (run.gva + (pages[at] - run.first)) % kGroup;
    // In pages of the window; where it begins before the mapping, nothing is mapped with the page.
    const bool whole = pages[at] - run.first >= position;
    const uint64_t begin = whole ? pages[at] - position : pages[at];
    const uint64_t next_group = pages[at] + kGroup - position;
    size_t end = at, together = 0;
    while (end < pages.size() && run.holds(pages[end]) && pages[end] < next_group) {
      if (pages[end] == begin + (end - at)) ++together;  // no gap before it
      ++end;
    }
    const uint64_t last = pages[end - 1];
    const size_t count = end - at;
    const size_t missing = static_cast<size_t>(last + 1 - begin) - count;
    const size_t saved = count - std::max<size_t>(together, 1);
    // More than a fault each: they cost memory, and a copy at each restore.
    if (whole && missing != 0 && missing <= room && saved > missing) {
      room -= missing;
      for (uint64_t page = begin; page <= last; ++page) filled.push_back(static_cast<uint32_t>(page));
    } else {
      filled.insert(filled.end(), pages.begin() + static_cast<ptrdiff_t>(at),
                    pages.begin() + static_cast<ptrdiff_t>(end));
    }
    at = end;
  }
  return filled;
}

}  // namespace glint::core
