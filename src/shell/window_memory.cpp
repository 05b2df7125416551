// SPDX-License-Identifier: Apache-2.0
#include "shell/window_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

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

Result<std::shared_ptr<WindowMemory>> WindowMemory::map(Fd fd, uint64_t offset, uint64_t size) {
  GLINT_TRY_ASSIGN(view, MappedRange::reserve(size, kPageSize));
  GLINT_TRY(map_file_readonly(view.data(), size, fd.get(), offset));
  return std::shared_ptr<WindowMemory>(new WindowMemory(std::move(fd), offset, std::move(view)));
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::create(Fd fd, uint64_t offset, uint64_t size) {
  GLINT_TRY_ASSIGN(memory, map(std::move(fd), offset, size));
  GLINT_TRY(memory->find_pages());
  return std::shared_ptr<const WindowMemory>(std::move(memory));
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::create(Fd fd, uint64_t offset, uint64_t size,
                                                                 std::vector<Run> runs) {
  GLINT_TRY_ASSIGN(memory, map(std::move(fd), offset, size));
  memory->runs_ = std::move(runs);
  for (const Run& run : memory->runs_) memory->page_count_ += run.end - run.first;
  return std::shared_ptr<const WindowMemory>(std::move(memory));
}

// A file system that knows no holes says that all is data (lseek(2), SEEK_DATA).
Result<void> WindowMemory::find_pages() {
  const auto end = static_cast<off_t>(offset_ + size());
  off_t at = static_cast<off_t>(offset_);
  while (at < end) {
    const off_t data = ::lseek(fd_.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    const off_t hole = data < 0 ? -1 : ::lseek(fd_.get(), data, SEEK_HOLE);
    if (data < 0 || hole < 0) return system_error("lseek in a sandbox's memory", errno);
    const auto page = [&](off_t place) { return (static_cast<uint64_t>(place) - offset_) / kPageSize; };
    // A file's last page may be cut short.
    runs_.push_back({page(data), page(std::min(hole, end) + static_cast<off_t>(kPageSize) - 1)});
    page_count_ += runs_.back().end - runs_.back().first;
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

WindowMemory::Part WindowMemory::large_zeros(uint64_t limit) const {
  Part longest;
  const auto consider = [&](uint64_t first_page, uint64_t end_page) {
    const uint64_t begin = align_up(first_page * kPageSize, kLargePageSize);
    const uint64_t end = align_down(std::min(end_page * kPageSize, limit), kLargePageSize);
    if (end > begin && end - begin > longest.size) longest = {begin, end - begin};
  };
  uint64_t at = 0;
  for (const Run& run : runs_) {
    consider(at, run.first);
    at = run.end;
  }
  consider(at, size() / kPageSize);
  return longest;
}

std::span<const uint32_t> WindowMemory::written_pages() const {
  const Lesson* lesson = last_lesson_.load(std::memory_order_acquire);
  return lesson == nullptr ? std::span<const uint32_t>() : std::span(lesson->written);
}

std::span<const uint32_t> WindowMemory::likely_pages() const {
  const Lesson* lesson = last_lesson_.load(std::memory_order_acquire);
  return lesson == nullptr ? std::span<const uint32_t>() : std::span(lesson->likely);
}

void WindowMemory::learn(std::vector<uint32_t> written, std::vector<uint32_t> likely) const {
  const std::lock_guard lock(learning_);
  all_lessons_.push_back(std::make_unique<const Lesson>(Lesson{std::move(written), std::move(likely)}));
  last_lesson_.store(all_lessons_.back().get(), std::memory_order_release);
  lessons_.store(static_cast<uint32_t>(all_lessons_.size()), std::memory_order_release);
}

Result<std::shared_ptr<const WindowMemory>> WindowMemory::copy(std::span<const std::byte> window,
                                                               std::span<const uint32_t> own,
                                                               const WindowMemory& base) {
  Fd fd(::memfd_create("glint-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("memfd_create", errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(window.size())) != 0)
    return system_error("ftruncate of a memfd", errno);
  PageWriter writer(fd.get());
  for (const uint32_t index : own) {
    const std::byte* page = window.data() + index * kPageSize;
    if (!is_zero({page, kPageSize})) GLINT_TRY(writer.add(index, page));
  }
  GLINT_TRY(writer.flush());
  auto next_own = own.begin();
  for (const Run& run : base.runs_) {
    for (uint64_t index = run.first; index < run.end; ++index) {
      while (next_own != own.end() && *next_own < index) ++next_own;
      if (next_own != own.end() && *next_own == index) continue;
      GLINT_TRY(writer.add(index, base.view_.data() + index * kPageSize));
    }
  }
  GLINT_TRY(writer.flush());
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("sealing a memfd", errno);
  }
  return create(std::move(fd), 0, window.size());
}

}  // namespace glint::core
