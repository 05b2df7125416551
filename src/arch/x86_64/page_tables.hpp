// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "image/layout.hpp"

namespace glint::core {

// Writes four-level page tables (SDM vol. 3, 4.5) for the mappings to `memory`, which lies at `gpa` in the
// guest and has Layout::page_tables_size bytes, zero. The root comes first. Pages of 2 MiB are used for
// mappings that ask for them, where gva, gpa and size allow.
//
// Accessed and Dirty are set in every entry, so that no walk ever writes to a table: they stay shared and
// clean. (SVM treats walks as writes at the nested level all the same, so the host's mapping must be
// writable: APM vol. 2, 15.25.5.)
void write_page_tables(std::span<const Mapping> mappings, std::span<std::byte> memory, uint64_t gpa);

}  // namespace glint::core
