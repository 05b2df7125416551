// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <tuple>

#include "image/elf_internal.hpp"

namespace glint::core::elf {
namespace {

// Linkers make 2 to 6. A bound keeps whatever is done for each segment, or pair of them, cheap.
constexpr size_t kMaxSegments = 64;

// A PT_LOAD header with its place in guest memory, to the byte.
struct Load {
  size_t index = 0;
  Elf64_Phdr header{};
  uint64_t begin = 0;
  uint64_t end = 0;  // exclusive

  bool writable() const { return (header.p_flags & PF_W) != 0; }
  bool executable() const { return (header.p_flags & PF_X) != 0; }
  std::string label() const { return segment_label(index) + " (" + hex(begin) + " to " + hex(end) + ")"; }
};

Error malformed(size_t index, const std::string& what) {
  return error(GLINT_E_IMAGE_SEGMENTS, segment_label(index) + " " + what);
}

Result<void> check_shape(size_t index, const Elf64_Phdr& header) {
  if (header.p_filesz > header.p_memsz) {
    return malformed(index, "has more bytes in the file (" + hex(header.p_filesz) + ") than in memory (" +
                                hex(header.p_memsz) + ")");
  }
  if (!checked_add<uint64_t>(header.p_vaddr, header.p_memsz)) {
    return malformed(index, "at " + hex(header.p_vaddr) + " with " + hex(header.p_memsz) +
                                " bytes wraps around the end of the address space");
  }
  if (header.p_align > 1 && !std::has_single_bit(header.p_align)) {
    return malformed(index, "has an alignment of " + hex(header.p_align) + ", which is no power of two");
  }
  // Without bytes in the file its offset has no meaning, and some linkers leave any value there.
  if (header.p_filesz != 0 && header.p_vaddr % kPageSize != header.p_offset % kPageSize) {
    return malformed(index, "stands at address " + hex(header.p_vaddr) + " but at file offset " +
                                hex(header.p_offset) + "; both must be equal modulo the page size " +
                                hex(kPageSize));
  }
  return {};
}

Result<void> check_permissions(size_t index, uint32_t flags) {
  if ((flags & PF_W) != 0 && (flags & PF_X) != 0) {
    return error(GLINT_E_IMAGE_WX, segment_label(index) +
                                       " is both writable and executable; link without -N, and look for a "
                                       "section with the flags \"awx\"");
  }
  if ((flags & (PF_R | PF_W | PF_X)) == 0) {
    return malformed(index, "may be neither read, written nor executed");
  }
  return {};
}

Result<void> check_file_bytes(Bytes file, size_t index, const Elf64_Phdr& header) {
  if (header.p_filesz == 0 || in_range(header.p_offset, header.p_filesz, file.size())) return {};
  return error(GLINT_E_IMAGE_TRUNCATED, "the bytes of " + segment_label(index) + " (" + hex(header.p_filesz) +
                                            " at offset " + hex(header.p_offset) +
                                            ") go beyond the end of the file (" + hex(file.size()) + ")");
}

Result<Load> place(size_t index, const Elf64_Phdr& header, uint64_t base, const ProgramRange& range) {
  // The base is 0 or that of PIEs, and the linker counts on its being aligned like the segments.
  if (header.p_align > 1 && base % header.p_align != 0) {
    return malformed(index, "asks for an alignment of " + hex(header.p_align) +
                                ", but static PIEs are put at " + hex(base) +
                                "; link with -Wl,-z,max-page-size=0x1000");
  }
  const auto begin = checked_add<uint64_t>(base, header.p_vaddr);
  const auto end = begin ? checked_add<uint64_t>(*begin, header.p_memsz) : std::nullopt;
  if (!begin || !end) {
    return malformed(index, "at " + hex(header.p_vaddr) + " with " + hex(header.p_memsz) +
                                " bytes wraps around the end of the address space when loaded at " +
                                hex(base));
  }
  Load placed{index, header, *begin, *end};
  if (*begin < range.begin || *end > range.end) {
    return error(GLINT_E_IMAGE_RANGE,
                 placed.label() + " lies outside the addresses " + hex(range.begin) + " to " +
                     hex(range.end) +
                     " of guest programs; do not move it by -Ttext or a linker script, or "
                     "link with -static-pie");
  }
  return placed;
}

Result<std::vector<Load>> collect(Bytes file, const Headers& headers, uint64_t base,
                                  const ProgramRange& range) {
  std::vector<Load> loads;
  for (size_t i = 0; i < headers.programs.size(); ++i) {
    // Ignored on purpose: PT_TLS and PT_GNU_EH_FRAME, which are for the program's own libc; PT_GNU_STACK,
    // since a guest's stack is never executable, whatever it says; PT_GNU_RELRO, since these pages must be
    // writable until the program has relocated itself, and page tables are complete before it starts.
    const Elf64_Phdr& header = headers.programs[i];
    if (header.p_type != PT_LOAD) continue;
    GLINT_TRY(check_shape(i, header));
    if (header.p_memsz == 0) continue;
    GLINT_TRY(check_permissions(i, header.p_flags));
    GLINT_TRY(check_file_bytes(file, i, header));
    GLINT_TRY_ASSIGN(placed, place(i, header, base, range));
    if (loads.size() == kMaxSegments) {
      return error(GLINT_E_IMAGE_SEGMENTS,
                   "the program has more than " + std::to_string(kMaxSegments) + " loadable segments");
    }
    loads.push_back(placed);
  }
  if (loads.empty()) {
    return error(GLINT_E_IMAGE_SEGMENTS, "the program has no loadable segment: there is nothing to run");
  }
  return loads;
}

// `lower` begins at or below `upper`. Two segments never share a page, even with the same permissions: the
// linkers in use give each its own, and so no rule is needed for whose bytes a page gets.
Result<void> check_apart(const Load& lower, const Load& upper) {
  if (upper.begin < lower.end) {
    return error(GLINT_E_IMAGE_SEGMENTS, upper.label() + " overlaps " + lower.label());
  }
  const uint64_t page = align_down(upper.begin, kPageSize);
  if (page >= lower.end) return {};
  const bool mixes_wx = (lower.writable() || upper.writable()) && (lower.executable() || upper.executable());
  return error(mixes_wx ? GLINT_E_IMAGE_WX : GLINT_E_IMAGE_SEGMENTS,
               lower.label() + " and " + upper.label() + " share the page " + hex(page) +
                   (mixes_wx ? ", which would be both writable and executable" : "") +
                   "; link with -Wl,-z,separate-code");
}

// Segments that show the same bytes of the file again and again would let a small file fill the host's
// memory.
Result<void> check_file_bytes(const std::vector<Load>& loads, uint64_t file_size) {
  uint64_t sum = 0;
  for (const Load& load : loads)
    sum += load.header.p_filesz;  // each at most file_size, and at most 64 of them
  if (sum <= file_size) return {};
  return error(GLINT_E_IMAGE_SEGMENTS, "the segments take " + hex(sum) +
                                           " bytes of the file, which has only " + hex(file_size) +
                                           ": they overlap in it");
}

Segment to_segment(const Load& source) {
  Segment segment;
  segment.gva = align_down(source.begin, kPageSize);
  // Cannot wrap: the end is at most that of the range, which is a multiple of the page size.
  segment.size = align_up(source.end, kPageSize) - segment.gva;
  segment.writable = source.writable();
  segment.executable = source.executable();
  segment.file_size = source.header.p_filesz;
  segment.file_offset = segment.file_size == 0 ? 0 : source.header.p_offset;
  segment.data_offset = source.begin - segment.gva;
  return segment;
}

}  // namespace

Result<std::vector<Segment>> read_segments(Bytes file, const Headers& headers, uint64_t base,
                                           const ProgramRange& range) {
  GLINT_TRY_ASSIGN(loads, collect(file, headers, base, range));
  // The specification wants them in ascending order already; Linux does not insist, nor do we.
  std::sort(loads.begin(), loads.end(), [](const Load& a, const Load& b) {
    return std::tie(a.begin, a.index) < std::tie(b.begin, b.index);
  });
  for (size_t i = 1; i < loads.size(); ++i) GLINT_TRY(check_apart(loads[i - 1], loads[i]));
  GLINT_TRY(check_file_bytes(loads, file.size()));
  std::vector<Segment> segments;
  segments.reserve(loads.size());
  for (const Load& placed : loads) segments.push_back(to_segment(placed));
  return segments;
}

}  // namespace glint::core::elf
