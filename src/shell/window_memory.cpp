// SPDX-License-Identifier: Apache-2.0
#include "shell/window_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>

#include "base/bytes.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

// Writes pages to their places in a file, runs of them at once.
class PageWriter {
 public:
  explicit PageWriter(int fd) : fd_(fd) {}

  // In ascending order.
  Result<void> add(uint64_t index, const std::byte* page) {
    const bool joins = run_ != nullptr && page == run_ + count_ * kPageSize && index == first_ + count_;
    if (!joins) {
      GLINT_TRY(flush());
      run_ = page;
      first_ = index;
    }
    ++count_;
    return {};
  }

  Result<void> flush() {
    const std::byte* data = run_;
    uint64_t left = count_ * kPageSize, at = first_ * kPageSize;
    while (left != 0) {
      const ssize_t written = ::pwrite(fd_, data, left, static_cast<off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return system_error("writing a snapshot's memory", written < 0 ? errno : EIO);
      data += written;
      left -= static_cast<uint64_t>(written);
      at += static_cast<uint64_t>(written);
    }
    run_ = nullptr;
    count_ = 0;
    return {};
  }

 private:
  int fd_;
  const std::byte* run_ = nullptr;  // count_ pages that lie together, from page first_ on
  uint64_t first_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

Result<std::shared_ptr<WindowMemory>> WindowMemory::map(std::vector<Segment> segments, uint64_t size) {
  GLINT_TRY_ASSIGN(view, MappedRange::reserve(size, kPageSize));
  for (const Segment& segment : segments) {
    GLINT_TRY(
        map_file_readonly(view.data() + segment.begin, segment.size, segment.file->get(), segment.offset));
  }
  return std::shared_ptr<WindowMemory>(new WindowMemory(std::move(segments), std::move(view)));
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::create(Fd fd, uint64_t offset, uint64_t size) {
  GLINT_TRY_ASSIGN(memory, map({{0, size, std::make_shared<const Fd>(std::move(fd)), offset}}, size));
  GLINT_TRY(memory->find_pages(memory->segments_.front()));
  return std::shared_ptr<const WindowMemory>(std::move(memory));
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::create(Fd fd, uint64_t offset, uint64_t size,
                                                                 const std::vector<Run>& runs) {
  GLINT_TRY_ASSIGN(memory, map({{0, size, std::make_shared<const Fd>(std::move(fd)), offset}}, size));
  for (const Run& run : runs) memory->add_run(run);
  return std::shared_ptr<const WindowMemory>(std::move(memory));
}

void WindowMemory::add_run(Run run) {
  runs_.push_back(run);
  page_count_ += run.end - run.first;
}

// A file system that knows no holes says that all is data (lseek(2), SEEK_DATA).
Result<void> WindowMemory::find_pages(const Segment& segment) {
  const int fd = segment.file->get();
  const auto end = static_cast<off_t>(segment.offset + segment.size);
  auto at = static_cast<off_t>(segment.offset);
  while (at < end) {
    const off_t data = ::lseek(fd, at, SEEK_DATA);
    if ((data < 0 && errno == ENXIO) || data >= end) break;  // only a hole is left
    const off_t hole = data < 0 ? -1 : ::lseek(fd, data, SEEK_HOLE);
    if (data < 0 || hole < 0) return system_error("lseek in a sandbox's memory", errno);
    const auto page = [&](off_t place) {
      return (static_cast<uint64_t>(place) - segment.offset + segment.begin) / kPageSize;
    };
    // A file's last page may be cut short.
    add_run({page(data), page(std::min(hole, end) + static_cast<off_t>(kPageSize) - 1)});
    at = hole;
  }
  return {};
}

const std::byte* WindowMemory::page(uint64_t index) const {
  const auto behind = std::upper_bound(runs_.begin(), runs_.end(), index,
                                       [](uint64_t page, const Run& run) { return page < run.first; });
  if (behind == runs_.begin() || index >= std::prev(behind)->end) return nullptr;
  return view_.data() + index * kPageSize;
}

WindowMemory::Place WindowMemory::place_of(uint64_t page) const {
  const uint64_t at = page * kPageSize;
  const auto behind = std::upper_bound(segments_.begin(), segments_.end(), at,
                                       [](uint64_t place, const Segment& s) { return place < s.begin; });
  const Segment& segment = *std::prev(behind);  // the first one begins at 0
  return {segment.file->get(), segment.offset + (at - segment.begin)};
}

WindowMemory::Part WindowMemory::large_zeros(uint64_t limit) const {
  std::call_once(looked_for_zeros_, [&] {
    const auto consider = [&](uint64_t first_page, uint64_t end_page) {
      const uint64_t begin = align_up(first_page * kPageSize, kLargePageSize);
      const uint64_t end = align_down(std::min(end_page * kPageSize, limit), kLargePageSize);
      if (end > begin && end - begin > large_zeros_.size) large_zeros_ = {begin, end - begin};
    };
    uint64_t at = 0;
    for (const Run& run : runs_) {
      consider(at, run.first);
      at = run.end;
    }
    consider(at, size() / kPageSize);
  });
  return large_zeros_;
}

std::span<const uint32_t> WindowMemory::written_pages() const {
  const Lesson* lesson = last_lesson_.load(std::memory_order_acquire);
  return lesson == nullptr ? std::span<const uint32_t>() : std::span(lesson->written);
}

std::span<const uint32_t> WindowMemory::likely_pages() const {
  const Lesson* lesson = last_lesson_.load(std::memory_order_acquire);
  return lesson == nullptr ? std::span<const uint32_t>() : std::span(lesson->likely);
}

void WindowMemory::learn(std::span<const uint32_t> before, std::vector<uint32_t> written,
                         std::vector<uint32_t> likely) const {
  const std::lock_guard lock(learning_);
  if (written_pages().data() != before.data()) return;
  all_lessons_.push_back(std::make_unique<const Lesson>(Lesson{std::move(written), std::move(likely)}));
  last_lesson_.store(all_lessons_.back().get(), std::memory_order_release);
  lessons_.store(static_cast<uint32_t>(all_lessons_.size()), std::memory_order_release);
}

uint64_t WindowMemory::count_pages(Run pages) const {
  uint64_t count = 0;
  for (const Run& run : runs_of(pages)) count += run.end - run.first;
  return count;
}

// What of the runs lies within `pages`.
std::vector<WindowMemory::Run> WindowMemory::runs_of(Run pages) const {
  std::vector<Run> within;
  auto run = std::partition_point(runs_.begin(), runs_.end(),
                                  [&](const Run& before) { return before.end <= pages.first; });
  for (; run != runs_.end() && run->first < pages.end; ++run) {
    within.push_back({std::max(run->first, pages.first), std::min(run->end, pages.end)});
  }
  return within;
}

// The same of the segments.
std::vector<WindowMemory::Segment> WindowMemory::segments_of(Run pages) const {
  std::vector<Segment> within;
  for (const Segment& segment : segments_) {
    const uint64_t begin = std::max(segment.begin, pages.first * kPageSize);
    const uint64_t end = std::min(segment.begin + segment.size, pages.end * kPageSize);
    if (begin >= end) continue;
    within.push_back({begin, end - begin, segment.file, segment.offset + (begin - segment.begin)});
  }
  return within;
}

// The parts of the window, of whole large pages, that a copy of this has in common with it: a few that hold
// many pages, none of which is in `own`. Ascending.
std::vector<WindowMemory::Run> WindowMemory::find_shared(std::span<const uint32_t> own) const {
  // Copying 4 MiB takes 1.5 to 2 ms. A part that is shared is a mapping of its own in each sandbox, and takes
  // 3 us whenever that is attached or parked.
  constexpr uint64_t kWorthSharing = 1024;
  constexpr size_t kMostParts = 4;
  constexpr uint64_t kPagesOfLarge = kLargePageSize / kPageSize;
  struct Candidate {
    Run pages;
    uint64_t count;
  };
  if (page_count_ < kWorthSharing) return {};
  std::vector<Candidate> candidates;
  const auto consider = [&](uint64_t first, uint64_t end) {
    const Run pages{align_up(first, kPagesOfLarge), align_down(end, kPagesOfLarge)};
    if (pages.end < pages.first + kWorthSharing) return;
    const uint64_t count = count_pages(pages);
    if (count >= kWorthSharing) candidates.push_back({pages, count});
  };
  uint64_t next = 0;
  for (const uint32_t page : own) {
    consider(next, page);
    next = uint64_t{page} + 1;
  }
  consider(next, size() / kPageSize);
  std::ranges::sort(candidates, std::greater(), &Candidate::count);
  if (candidates.size() > kMostParts) candidates.resize(kMostParts);
  std::ranges::sort(candidates, std::less(), [](const Candidate& c) { return c.pages.first; });
  std::vector<Run> shared;
  size_t segments = 1;  // with a part of the copy's own behind each shared one
  for (const Candidate& candidate : candidates) {
    segments += segments_of(candidate.pages).size() + 1;
    if (segments > kMostSegments) break;
    shared.push_back(candidate.pages);
  }
  return shared;
}

// Who shares a part of a file keeps all of it. No more than twice of what is shared may stay for that, or a
// chain of snapshots would keep everything that it ever held.
bool WindowMemory::is_worth_keeping(std::span<const Run> shared) const {
  std::set<int> files;
  uint64_t kept = 0, used = 0;
  for (const Run& part : shared) {
    used += count_pages(part);
    for (const Segment& segment : segments_of(part)) {
      if (!files.insert(segment.file->get()).second) continue;
      struct stat status{};
      if (::fstat(segment.file->get(), &status) != 0) return false;
      kept += static_cast<uint64_t>(status.st_blocks) * 512 / kPageSize;  // stat(2): in units of 512 bytes
    }
  }
  return kept <= 2 * used;
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::copy(std::span<const std::byte> window,
                                                               std::span<const uint32_t> own,
                                                               const WindowMemory& base) {
  Fd fd(::memfd_create("glint-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("memfd_create", errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(window.size())) != 0)
    return system_error("ftruncate of a memfd", errno);
  std::vector<Run> shared = base.find_shared(own);
  if (!base.is_worth_keeping(shared)) shared.clear();
  PageWriter writer(fd.get());
  for (const uint32_t index : own) {
    const std::byte* page = window.data() + uint64_t{index} * kPageSize;
    if (!is_zero({page, kPageSize})) GLINT_TRY(writer.add(index, page));
  }
  GLINT_TRY(writer.flush());
  auto next_own = own.begin();
  const auto copy_between = [&](uint64_t first, uint64_t end) -> Result<void> {
    for (const Run& run : base.runs_of({first, end})) {
      for (uint64_t index = run.first; index < run.end; ++index) {
        while (next_own != own.end() && *next_own < index) ++next_own;
        if (next_own != own.end() && *next_own == index) continue;
        GLINT_TRY(writer.add(index, base.view_.data() + index * kPageSize));
      }
    }
    return {};
  };
  uint64_t next = 0;
  for (const Run& part : shared) {
    GLINT_TRY(copy_between(next, part.first));
    next = part.end;
  }
  GLINT_TRY(copy_between(next, window.size() / kPageSize));
  GLINT_TRY(writer.flush());
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("sealing a memfd", errno);
  }
  return combine(std::make_shared<const Fd>(std::move(fd)), shared, base);
}

// What `own` holds, which lies in its places of the window, but for the parts that are those of `base`.
Result<std::shared_ptr<const WindowMemory>> WindowMemory::combine(std::shared_ptr<const Fd> own,
                                                                  std::span<const Run> shared,
                                                                  const WindowMemory& base) {
  struct Source {
    Segment segment;
    bool is_own;
  };
  std::vector<Source> sources;
  uint64_t next = 0;
  const auto add_own = [&](uint64_t end) {
    if (next < end) sources.push_back({{next, end - next, own, next}, true});
  };
  for (const Run& part : shared) {
    add_own(part.first * kPageSize);
    for (Segment& segment : base.segments_of(part)) sources.push_back({std::move(segment), false});
    next = part.end * kPageSize;
  }
  add_own(base.size());
  std::vector<Segment> segments;
  segments.reserve(sources.size());
  for (const Source& source : sources) segments.push_back(source.segment);
  GLINT_TRY_ASSIGN(memory, map(std::move(segments), base.size()));
  for (const auto& [segment, is_own] : sources) {
    if (is_own) {
      GLINT_TRY(memory->find_pages(segment));
      continue;
    }
    for (const Run& run :
         base.runs_of({segment.begin / kPageSize, (segment.begin + segment.size) / kPageSize})) {
      memory->add_run(run);
    }
  }
  return std::shared_ptr<const WindowMemory>(std::move(memory));
}

}  // namespace glint::core
