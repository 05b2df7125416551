// SPDX-License-Identifier: Apache-2.0
#include "image/layout.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/checked.hpp"

namespace glint::core {
namespace {

// One page of stack top holds argv, environment and auxiliary vector; less than this is no stack.
constexpr uint64_t kMinStack = 16 * kPageSize;
constexpr uint64_t kMaxStack = GLINT_GVA_TRANSFER - GLINT_GVA_STACK_AREA - 2 * kPageSize;
// A heap smaller than this lets hardly any program start.
constexpr uint64_t kMinArena = 32 * kPageSize;

std::string mib(uint64_t bytes) {
  const uint64_t tenths = (bytes * 10 + (1u << 20) - 1) >> 20;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

uint64_t total_size(const Program& program, bool writable) {
  uint64_t sum = 0;
  for (const Segment& s : program.segments) {
    if (s.writable == writable) sum += s.size;  // bounded by the program's address range: cannot wrap
  }
  return sum;
}

Result<void> check_files(const std::vector<GuestFile>& files) {
  std::set<std::string_view> seen;
  for (const GuestFile& file : files) {
    if (file.path.size() < 2 || file.path.front() != '/' || file.path.find('\0') != std::string::npos) {
      return error(GLINT_E_INVALID_ARGUMENT, "file path '" + file.path + "' is not an absolute path");
    }
    if (!seen.insert(file.path).second) {
      return error(GLINT_E_INVALID_ARGUMENT, "two files have the path '" + file.path + "'");
    }
  }
  return {};
}

// [glint_abi_file …][paths, NUL-terminated][contents, each on a page of its own so that it can be mapped]
std::vector<std::byte> make_files_blob(const std::vector<GuestFile>& files) {
  std::vector<std::byte> blob(files.size() * sizeof(glint_abi_file));
  std::vector<glint_abi_file> table(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    table[i].name = GLINT_GVA_FILES + blob.size();
    table[i].name_size = files[i].path.size();
    const auto* path = reinterpret_cast<const std::byte*>(files[i].path.c_str());
    blob.insert(blob.end(), path, path + files[i].path.size() + 1);
  }
  for (size_t i = 0; i < files.size(); ++i) {
    blob.resize(align_up(blob.size(), kPageSize));
    table[i].data = GLINT_GVA_FILES + blob.size();
    table[i].size = files[i].data.size();
    blob.insert(blob.end(), files[i].data.begin(), files[i].data.end());
  }
  blob.resize(align_up(blob.size(), kPageSize));
  std::memcpy(blob.data(), table.data(), table.size() * sizeof(glint_abi_file));
  return blob;
}

// Hands out guest-physical memory upwards, and records what lies where.
class Planner {
 public:
  explicit Planner(Layout& layout) : layout_(layout) {}

  void map(Region region, uint64_t gva, uint64_t gpa, uint64_t size, bool user, bool writable,
           bool executable) {
    layout_.mappings.push_back({region, gva, gpa, size, user, writable, executable, false});
  }

  // Maps the program's writable or read-only segments from `gpa` on; returns the end.
  uint64_t map_segments(const Program& program, Region region, Placement::Source source, bool writable,
                        uint64_t gpa) {
    for (const Segment& s : program.segments) {
      if (s.writable != writable) continue;
      map(region, s.gva, gpa, s.size, true, s.writable, s.executable);
      if (s.file_size != 0)
        layout_.placements.push_back({source, gpa + s.data_offset, s.file_offset, s.file_size});
      gpa += s.size;
    }
    return gpa;
  }

 private:
  Layout& layout_;
};

const Symbol* find_symbol(const Program& program, std::string_view name) {
  auto found = std::find_if(program.symbols.begin(), program.symbols.end(),
                            [&](const Symbol& symbol) { return symbol.name == name; });
  return found == program.symbols.end() ? nullptr : &*found;
}

constexpr uint64_t kSystemPages = 3 * kPageSize;

// Bytes of the page tables that the mappings need: the root and one level-3 table (all gvas lie below 512
// GiB), a level-2 table for each GiB, and a level-1 table for each 2 MiB that is not wholly a large page.
uint64_t page_tables_size(const std::vector<Mapping>& mappings) {
  std::set<uint64_t> level1, level2;
  for (const Mapping& m : mappings) {
    const uint64_t first = m.gva >> 21, last = (m.gva + m.size - 1) >> 21;
    for (uint64_t table = first; table <= last; ++table) {
      const bool whole = (table << 21) >= m.gva && ((table + 1) << 21) <= m.gva + m.size;
      if (!m.large || !whole) level1.insert(table);
      level2.insert(table >> 9);
    }
  }
  return (2 + level2.size() + level1.size()) * kPageSize;
}

}  // namespace

std::string_view region_name(Region region) {
  switch (region) {
    case Region::kSystem:
      return "system";
    case Region::kProgram:
      return "program";
    case Region::kLibos:
      return "libos";
    case Region::kFiles:
      return "files";
    case Region::kTransfer:
      return "transfer";
    case Region::kStack:
      return "stack";
    case Region::kArena:
      return "heap";
  }
  return "unknown";
}

namespace {

// Sizes, once the options were checked.
struct Sizes {
  uint64_t memory, stack, data, arena;
};

Result<Sizes> check_sizes(const Program& program, const Program& libos, const LayoutOptions& options) {
  if (options.memory_size < kMinMemory || options.memory_size > kMaxMemory) {
    return error(GLINT_E_INVALID_ARGUMENT, "a memory size of " + std::to_string(options.memory_size) +
                                               " bytes is not between 1 MiB and 16 GiB");
  }
  if (options.stack_size < kMinStack || options.stack_size > kMaxStack) {
    return error(GLINT_E_INVALID_ARGUMENT, "a stack size of " + std::to_string(options.stack_size) +
                                               " bytes is not between " + std::to_string(kMinStack) +
                                               " and " + std::to_string(kMaxStack));
  }
  Sizes s{};
  s.memory = align_up(options.memory_size, kLargePageSize);
  s.stack = align_up(options.stack_size, kPageSize);
  s.data = total_size(program, true) + total_size(libos, true);
  const uint64_t needed = s.data + s.stack + kMinArena;
  if (needed > s.memory) {
    return error(GLINT_E_IMAGE_TOO_LARGE, "the program's data (" + mib(s.data) + ") and stack (" +
                                              mib(s.stack) + ") leave no heap in " + mib(s.memory) +
                                              " of memory; give it at least " +
                                              mib(align_up(needed, kLargePageSize)));
  }
  s.arena = s.memory - s.data - s.stack;
  // Code and constants are shared by all sandboxes of the image, and not part of their memory; but they too
  // are committed by the host, and so have the same limit.
  const uint64_t readonly = total_size(program, false);
  if (readonly > s.memory) {
    return error(GLINT_E_IMAGE_TOO_LARGE,
                 "the program's code and constants (" + mib(readonly) + ") are over the memory limit (" +
                     mib(s.memory) + "); give it at least " + mib(align_up(readonly, kLargePageSize)));
  }
  return s;
}

}  // namespace

Result<Layout> plan_layout(const Program& program, const Program& libos, const LayoutOptions& options) {
  GLINT_TRY_ASSIGN(sizes, check_sizes(program, libos, options));
  GLINT_TRY(check_files(options.files));
  const Symbol* syscall_entry = find_symbol(libos, "glint_syscall_entry");
  if (syscall_entry == nullptr) return error(GLINT_E_INTERNAL, "the libos has no symbol glint_syscall_entry");

  Layout layout;
  Planner planner(layout);
  layout.memory_size = sizes.memory;
  layout.stack_size = sizes.stack;
  layout.libos_entry = libos.entry;
  layout.syscall_entry = syscall_entry->gva;
  if (!options.files.empty()) {
    layout.files_blob = make_files_blob(options.files);
    layout.files = GLINT_GVA_FILES;
    layout.file_count = static_cast<uint32_t>(options.files.size());
  }

  // gpas are counted from 0 here, for the window and for what lies below it, and moved to their places once
  // the size of the page tables is known, which come first.
  layout.readonly_size = total_size(program, false) + total_size(libos, false) + layout.files_blob.size();
  layout.window_size = sizes.memory;
  layout.large_pages = options.large_pages;

  // The window: [heap | stack | program's data | libos' data]. The heap comes first, so that it can use large
  // pages.
  const uint64_t window = 0;
  layout.arena_begin = GLINT_GVA_ARENA;
  layout.arena_end = GLINT_GVA_ARENA + sizes.arena;
  layout.stack_bottom = GLINT_GVA_STACK_AREA + kPageSize;  // the page below is the guard, as is the one above
  layout.stack_top = layout.stack_bottom + sizes.stack;
  planner.map(Region::kArena, GLINT_GVA_ARENA, window, sizes.arena, true, true, false);
  layout.mappings.back().large = true;
  planner.map(Region::kStack, layout.stack_bottom, window + sizes.arena, sizes.stack, true, true, false);
  uint64_t gpa = window + sizes.arena + sizes.stack;
  gpa = planner.map_segments(program, Region::kProgram, Placement::Source::kProgram, true, gpa);
  planner.map_segments(libos, Region::kLibos, Placement::Source::kLibos, true, gpa);
  const size_t window_mappings = layout.mappings.size(), window_placements = layout.placements.size();

  planner.map(Region::kSystem, GLINT_GVA_SYSTEM, 0, kPageSize, false, true, false);  // exception stack
  planner.map(Region::kSystem, GLINT_GVA_SYSTEM + kPageSize, kPageSize, kPageSize, false, false,
              true);  // stubs
  planner.map(Region::kSystem, GLINT_GVA_SYSTEM + 2 * kPageSize, 2 * kPageSize, kPageSize, false, false,
              false);
  uint64_t readonly =
      planner.map_segments(program, Region::kProgram, Placement::Source::kProgram, false, kSystemPages);
  readonly = planner.map_segments(libos, Region::kLibos, Placement::Source::kLibos, false, readonly);
  if (!layout.files_blob.empty()) {
    planner.map(Region::kFiles, GLINT_GVA_FILES, readonly, layout.files_blob.size(), true, false, false);
    layout.placements.push_back({Placement::Source::kFiles, readonly, 0, layout.files_blob.size()});
  }
  // Aligned in gva and gpa, so that it takes no level-1 tables, although most of it is rarely there.
  planner.map(Region::kTransfer, GLINT_GVA_TRANSFER, 0, GLINT_TRANSFER_MAX, true, true, false);
  const size_t transfer_mapping = layout.mappings.size() - 1;
  layout.mappings[transfer_mapping].large = true;

  layout.page_tables_size = page_tables_size(layout.mappings);
  const uint64_t shift = layout.page_tables_size;
  layout.page_tables_gpa = 0;
  layout.system_pages_gpa = shift;
  layout.system_pages_size = kSystemPages;
  layout.readonly_gpa = shift + kSystemPages;
  layout.window_gpa = align_up(layout.readonly_gpa + layout.readonly_size, kLargePageSize);
  layout.transfer_gpa = layout.window_gpa + layout.window_size;
  layout.slot_size = layout.transfer_gpa + GLINT_TRANSFER_INITIAL;
  layout.total_size = layout.transfer_gpa + GLINT_TRANSFER_MAX;

  for (size_t i = 0; i < layout.mappings.size(); ++i) {
    Mapping& m = layout.mappings[i];
    m.gpa = i == transfer_mapping ? layout.transfer_gpa
                                  : m.gpa + (i < window_mappings ? layout.window_gpa : shift);
  }
  for (size_t i = 0; i < layout.placements.size(); ++i) {
    layout.placements[i].gpa += i < window_placements ? layout.window_gpa : shift;
  }
  std::sort(layout.mappings.begin(), layout.mappings.end(),
            [](const Mapping& a, const Mapping& b) { return a.gva < b.gva; });
  return layout;
}

}  // namespace glint::core
