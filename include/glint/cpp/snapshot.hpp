// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
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

  // Writes it to a file, which appears under `path` at once and whole, and which only its owner may read.
  void save(std::string_view path) const { try_save(path).value(); }
  Expected<void> try_save(std::string_view path) const {
    glint_error* error = nullptr;
    const glint_status status = glint_snapshot_save(handle(), detail::str(path), &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return {};
  }

  // That of a file, for an image that is loaded as the one was that it was taken of. Its memory is mapped, so
  // the file must not be written to in place while this or a sandbox of it lives: see glint_snapshot_load,
  // which says, too, what the errors are.
  static Snapshot load(const Image& image, std::string_view path) { return try_load(image, path).value(); }
  static Expected<Snapshot> try_load(const Image& image, std::string_view path) {
    glint_snapshot* snapshot = nullptr;
    glint_error* error = nullptr;
    const glint_status status = glint_snapshot_load(image.handle(), detail::str(path), &snapshot, &error);
    if (status != GLINT_OK) return Error::take(status, error);
    return Snapshot(image, snapshot);
  }

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
