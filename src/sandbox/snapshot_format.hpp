// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arch/x86_64/cpu_features.hpp"
#include "arch/x86_64/xsave_layout.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"
#include "image/elf.hpp"
#include "sandbox/image_identity.hpp"

// The bytes of a snapshot's file: docs/snapshot-files.md says what they mean. Pure functions over bytes;
// those that read take any bytes at all.
namespace glint::core {

inline constexpr uint32_t kSnapshotFormatVersion = 1;
inline constexpr size_t kSnapshotHeaderSize = 64;
inline constexpr uint64_t kMaxSnapshotHead = 64u << 20;  // all that stands before the memory

// Vector registers without where a processor keeps them.
struct PortableVectors {
  struct Component {
    uint32_t number = 0;  // of XSAVE: SDM vol. 1, 13.1
    std::vector<std::byte> bytes;
  };
  std::array<std::byte, kFxsaveSize> legacy{};  // as FXSAVE lays it out
  std::vector<Component> components;            // ascending; others are in their initial state
};

// A vCPU's state without what depends on the processor that it was taken on.
struct PortableState {
  Registers registers;
  uint64_t fs_base = 0, gs_base = 0;
  std::optional<PortableVectors> vectors;  // empty: as after a processor reset
};

// Pages that follow each other, and are not zeros.
struct PageRun {
  uint32_t first = 0, count = 0;
  uint64_t checksum = 0;  // hash64 of their bytes
};

// All that a file says, but for the memory.
struct SnapshotHead {
  ImageIdentity image;
  std::vector<Function> functions;
  std::string backend;   // "kvm", "fake"
  CpuFeatures features;  // that the guest saw
  PortableState state;
  uint32_t time_epoch = 0;
  std::vector<PageRun> runs;  // ascending, apart from each other

  // Where the memory stands, as reading found it. Writing puts it behind the head.
  uint64_t memory_offset = 0;
};

// The bytes before the memory, to the last one that says something; and where memory begins then.
std::vector<std::byte> write_snapshot_head(const SnapshotHead& head);
uint64_t memory_offset_behind(size_t head_size);

// How many bytes the head has, at most kMaxSnapshotHead and file_size. `begin` is the file's first
// kSnapshotHeaderSize bytes, or less when it is shorter. GLINT_E_SNAPSHOT_FORMAT, _VERSION, _TRUNCATED or
// _CORRUPT.
Result<size_t> snapshot_head_size(std::span<const std::byte> begin, uint64_t file_size);

// `bytes` is the head, of the size that snapshot_head_size() gave. What this returns is well-formed: runs lie
// in the memory, and that in the file; names are as the table of a program has them. Whether it fits an image
// and a machine is not looked at.
Result<SnapshotHead> read_snapshot_head(std::span<const std::byte> bytes, uint64_t file_size);

}  // namespace glint::core
