// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/elf.hpp"

namespace glint::core {

inline constexpr uint64_t kMinMemory = 1u << 20;
inline constexpr uint64_t kMaxMemory = 16ull << 30;
inline constexpr uint64_t kDefaultMemory = 64u << 20;
inline constexpr uint64_t kDefaultStack = 1u << 20;

// A read-only file that the guest sees.
struct GuestFile {
  std::string path;  // absolute
  std::vector<std::byte> data;
};

struct LayoutOptions {
  uint64_t memory_size = kDefaultMemory;  // writable memory of a sandbox; rounded up to 2 MiB
  uint64_t stack_size = kDefaultStack;    // of it, for the stack; rounded up to 4 KiB
  bool large_pages = false;               // the host may back the heap by pages of 2 MiB, too
  std::vector<GuestFile> files;
};

// What a run of guest pages is for.
enum class Region : uint8_t { kSystem, kProgram, kLibos, kFiles, kTransfer, kStack, kArena };
std::string_view region_name(Region region);

// A run of guest pages of one kind. `gpa` is where they lie in the VM's memory.
struct Mapping {
  Region region = Region::kProgram;
  uint64_t gva = 0;
  uint64_t gpa = 0;
  uint64_t size = 0;  // bytes, whole pages
  bool user = true;   // ring 3 may touch it
  bool writable = false;
  bool executable = false;
  bool large = false;  // pages of 2 MiB are to be used where the addresses allow
};

// Bytes of the image's initial memory. `source` is one of the inputs of plan_layout.
struct Placement {
  enum class Source : uint8_t { kProgram, kLibos, kFiles };
  Source source = Source::kProgram;
  uint64_t gpa = 0;     // destination
  uint64_t offset = 0;  // in the source
  uint64_t size = 0;    // bytes
};

// Where everything of an image lies. Guest-physical memory is, from 0 up:
//
//   [ page tables | system pages | read-only image | window | transfer: first MiB ]   one memory slot
//   [ transfer: the rest ]                                                            a second one, made on
//   demand
//
// system pages: see arch/x86_64/system_pages.hpp.
// window: all writable memory of a sandbox; 2 MiB aligned and a multiple of 2 MiB, so that mremap can move it
// by whole page-table pages.
struct Layout {
  uint64_t memory_size = 0;  // as rounded: the window's size
  uint64_t stack_size = 0;   // as rounded
  bool large_pages = false;  // as in LayoutOptions

  uint64_t page_tables_gpa = 0;  // root (PML4) first
  uint64_t page_tables_size = 0;
  uint64_t system_pages_gpa = 0;
  uint64_t system_pages_size = 0;
  uint64_t readonly_gpa = 0;  // text, constants, files
  uint64_t readonly_size = 0;
  uint64_t window_gpa = 0;
  uint64_t window_size = 0;
  uint64_t transfer_gpa =
      0;  // GLINT_TRANSFER_MAX bytes, of which the first GLINT_TRANSFER_INITIAL are always there
  uint64_t slot_size = 0;   // bytes of the first slot: [0, slot_size)
  uint64_t total_size = 0;  // end of guest-physical memory

  uint64_t stack_bottom = 0;  // gvas
  uint64_t stack_top = 0;
  uint64_t arena_begin = 0;
  uint64_t arena_end = 0;
  uint64_t files = 0;  // gva of glint_abi_file[file_count]; 0 when there are none
  uint32_t file_count = 0;

  uint64_t libos_entry = 0;    // gva
  uint64_t syscall_entry = 0;  // gva of the LSTAR stub in the libos

  std::vector<Mapping> mappings;      // ascending by gva; nothing else is mapped
  std::vector<Placement> placements;  // initial contents; everything else is zero
  std::vector<std::byte> files_blob;  // contents of the files region
};

// Plans an image. Pure; GLINT_E_IMAGE_TOO_LARGE when program, libos and stack leave no heap within
// memory_size, GLINT_E_INVALID_ARGUMENT for options out of range or a bad file path.
Result<Layout> plan_layout(const Program& program, const Program& libos, const LayoutOptions& options);

}  // namespace glint::core
