// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sandbox/snapshot_format.hpp"

// What stands in each section of a snapshot's file.
namespace glint::core {

enum class SnapshotSection : uint32_t { kImage = 1, kFunctions = 2, kMachine = 3, kState = 4, kPages = 5 };
inline constexpr std::array kSnapshotSections = {SnapshotSection::kImage, SnapshotSection::kFunctions,
                                                 SnapshotSection::kMachine, SnapshotSection::kState,
                                                 SnapshotSection::kPages};

// "image", "functions" …; the number of one that this version does not know.
std::string section_name(uint32_t section);

// GLINT_E_SNAPSHOT_CORRUPT, with advice.
Error corrupt_snapshot(const std::string& what);

std::vector<std::byte> write_section(SnapshotSection section, const SnapshotHead& head);

// Any bytes: fills that part of `head`, or gives GLINT_E_SNAPSHOT_CORRUPT. `page_count`: of the memory.
Result<void> read_section(SnapshotSection section, std::span<const std::byte> bytes, uint64_t page_count,
                          SnapshotHead& head);

}  // namespace glint::core
