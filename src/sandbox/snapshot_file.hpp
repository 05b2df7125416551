// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "sandbox/image.hpp"
#include "sandbox/snapshot.hpp"

namespace glint::core {

// Writes the snapshot to a file, of mode 0400: it holds what the guest's memory did. The file appears at once
// and whole; one that had the name is replaced, and stays what it was for those who have it open.
// Thread-safe.
Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path);

// The snapshot of such a file: any bytes give a snapshot or one of the GLINT_E_SNAPSHOT_* errors. All that it
// says is checked once, here; its memory is mapped, and so read from the file when guests want it. A file
// that somebody else could write to is copied instead. Thread-safe.
Result<std::shared_ptr<const Snapshot>> load_snapshot(std::shared_ptr<Image> image, const std::string& path);

}  // namespace glint::core
