// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "base/result.hpp"

namespace glint::core {

// The contents that the windows of sandboxes begin with: sealed memory in files, of which each window is a
// private mapping. Shared and immutable. Pages that are zero take no space.
class WindowMemory {
 public:
  // [offset, offset + size) of `fd`, whose contents do not change any more. A hole of the file is a page of
  // zeros.
  static Result<std::shared_ptr<const WindowMemory>> create(Fd fd, uint64_t offset, uint64_t size);

  // Pages that lie together, by their numbers.
  struct Run {
    uint64_t first, end;
  };

  // The same where it is known which pages there are: `runs`, ascending, within `size`; the others are zeros
  // in the file. It may be a file of which only this range is known not to change.
  static Result<std::shared_ptr<const WindowMemory>> create(Fd fd, uint64_t offset, uint64_t size,
                                                            const std::vector<Run>& runs);

  // What `window`, a private mapping of `base`, holds now. `own`: which of its pages are not those of `base`,
  // ascending. Costs in proportion to them, and to what of `base` is copied along: large parts that did not
  // change are shared.
  static Result<std::shared_ptr<const WindowMemory>> copy(std::span<const std::byte> window,
                                                          std::span<const uint32_t> own,
                                                          const WindowMemory& base);

  WindowMemory(const WindowMemory&) = delete;
  WindowMemory& operator=(const WindowMemory&) = delete;

  uint64_t size() const { return view_.size(); }

  // [begin, begin + size) of the window lies in a file from `offset` on.
  struct Segment {
    uint64_t begin, size;
    std::shared_ptr<const Fd> file;
    uint64_t offset;
  };
  // Ascending, without gaps: one, or up to kMostSegments where parts of others are shared.
  std::span<const Segment> segments() const { return segments_; }
  static constexpr size_t kMostSegments = 12;
  // Where a page lies.
  struct Place {
    int fd;
    uint64_t offset;
  };
  Place place_of(uint64_t page) const;

  // The contents of page `index`; null: zeros.
  const std::byte* page(uint64_t index) const;
  // The pages that are not holes, ascending; those of each run lie in one segment.
  std::span<const Run> runs() const { return runs_; }
  // How many they are.
  uint64_t page_count() const { return page_count_; }

  // In bytes.
  struct Part {
    uint64_t begin = 0, size = 0;
  };
  // The longest part below `limit` that is whole pages of 2 MiB, all zeros; empty where there is none. Looked
  // for once: `limit` is the image's.
  Part large_zeros(uint64_t limit) const;

  // What sandboxes made of this write to, and the next ones are likely to. The first few that go tell: each
  // is asked, as long as is_learning(), and learn() is told what written_pages() was `before`, the pages that
  // this one has written to as well, ascending, and those to be copied in advance therefore. It is ignored
  // where another one has told meanwhile. Thread-safe; what was given stays as long as this.
  bool is_learning() const { return lessons_.load(std::memory_order_acquire) < kLessons; }
  void learn(std::span<const uint32_t> before, std::vector<uint32_t> written,
             std::vector<uint32_t> likely) const;
  // Both are empty as long as none has told.
  std::span<const uint32_t> written_pages() const;
  std::span<const uint32_t> likely_pages() const;

 private:
  WindowMemory(std::vector<Segment> segments, MappedRange view)
      : segments_(std::move(segments)), view_(std::move(view)) {}
  static Result<std::shared_ptr<WindowMemory>> map(std::vector<Segment> segments, uint64_t size);
  Result<void> find_pages(const Segment& segment);
  void add_run(Run run);
  std::vector<Run> find_shared(std::span<const uint32_t> own) const;
  bool is_worth_keeping(std::span<const Run> shared) const;
  uint64_t count_pages(Run pages) const;
  std::vector<Segment> segments_of(Run pages) const;
  std::vector<Run> runs_of(Run pages) const;
  static Result<std::shared_ptr<const WindowMemory>> combine(std::shared_ptr<const Fd> own,
                                                             std::span<const Run> shared,
                                                             const WindowMemory& base);

  std::vector<Segment> segments_;
  MappedRange view_;
  mutable std::once_flag looked_for_zeros_;
  mutable Part large_zeros_;
  std::vector<Run> runs_;  // of few pages, most of the time: it costs by what is stored, not by the limit
  // One alone may have been an odd one, and what is copied in advance for nothing stays with each sandbox.
  static constexpr uint32_t kLessons = 4;
  struct Lesson {
    std::vector<uint32_t> written, likely;
  };
  mutable std::mutex learning_;
  mutable std::vector<std::unique_ptr<const Lesson>> all_lessons_;  // guarded by learning_
  mutable std::atomic<const Lesson*> last_lesson_{nullptr};         // of them
  mutable std::atomic<uint32_t> lessons_{0};
  uint64_t page_count_ = 0;
};

}  // namespace glint::core
