// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "image/layout.hpp"
#include "shell/window_memory.hpp"

namespace glint::core {

// The initial memory of an image: a sealed memfd whose offsets are guest-physical addresses, from page tables
// to the end of the window. Shared by all shells of the image, and immutable.
class ImageMemory {
 public:
  // `program` and `libos` are the files that the layout was planned for.
  static Result<ImageMemory> create(const Layout& layout, std::span<const std::byte> program,
                                    std::span<const std::byte> libos);

  int fd() const { return fd_.get(); }
  // What the windows of new sandboxes hold.
  const std::shared_ptr<const WindowMemory>& window() const { return window_; }

 private:
  ImageMemory(Fd fd, std::shared_ptr<const WindowMemory> window)
      : fd_(std::move(fd)), window_(std::move(window)) {}
  Fd fd_;
  std::shared_ptr<const WindowMemory> window_;
};

}  // namespace glint::core
