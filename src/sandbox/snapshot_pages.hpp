// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "sandbox/snapshot_format.hpp"
#include "shell/window_memory.hpp"

namespace glint::core {

// Which pages of a memory are not zeros; checksums are still to be filled in.
std::vector<PageRun> page_runs(const WindowMemory& memory);

// Copies these pages to their places in a file whose memory begins at `offset`, and fills in their checksums.
Result<void> write_pages(const WindowMemory& memory, int to, uint64_t offset, std::vector<PageRun>& runs);

// The memory that stands in a file at `offset`, checked: GLINT_E_SNAPSHOT_CORRUPT when a run is not what its
// checksum says, or something stands between them. `map`: the result is a mapping of the file. Otherwise it
// is a copy in memory of its own, and the file is not needed any more.
Result<std::shared_ptr<const WindowMemory>> read_pages(Fd file, uint64_t offset, uint64_t size,
                                                       const std::vector<PageRun>& runs, bool map);

}  // namespace glint::core
