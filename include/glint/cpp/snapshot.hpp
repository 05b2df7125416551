// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "glint/cpp/error.hpp"
#include "glint/cpp/image.hpp"
#include "glint/snapshot.h"

namespace glint {

// A sandbox as it was at one moment, which others go on from: Sandbox::snapshot() takes it. Immutable; copies
// are the same snapshot. Any thread.
class Snapshot {
 public:
  const Image& image() const noexcept { return image_; }

  // Bytes of writable memory that the guest has, and of those, how many are stored: pages that are not zero.
  uint64_t memory_size() const { return info().memory_size; }
  uint64_t stored_size() const { return info().stored_size; }

  // For use with the C functions; belongs to this object.
  glint_snapshot* handle() const noexcept { return handle_.get(); }

 private:
  friend class Sandbox;
  // Takes the handle over.
  Snapshot(Image image, glint_snapshot* handle)
      : image_(std::move(image)), handle_(handle, glint_snapshot_free) {}

  glint_snapshot_info info() const {
    glint_snapshot_info result{};
    result.struct_size = sizeof(result);
    // Cannot fail: both arguments are good, and the size is this header's.
    static_cast<void>(glint_snapshot_get_info(handle(), &result, nullptr));
    return result;
  }

  Image image_;
  std::shared_ptr<glint_snapshot> handle_;
};

}  // namespace glint
