// SPDX-License-Identifier: Apache-2.0
//
// Copies of a sandbox's memory, and what they share with what it came from. Real mappings, no VM.

#include "shell/window_memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

#include "base/checked.hpp"
#include "shell/pagemap.hpp"

namespace glint::core {
namespace {

constexpr uint64_t kPages = 16384;  // 64 MiB
constexpr uint64_t kSize = kPages * kPageSize;

// A window, and what it should hold: the first 8 bytes of each page that is not zero.
class Window {
 public:
  Window() {
    auto range = MappedRange::reserve(kSize, kLargePageSize);
    if (!range) throw std::runtime_error(range.error().message);
    range_ = std::move(*range);
    Fd fd(::memfd_create("glint-test", MFD_CLOEXEC));
    if (::ftruncate(fd.get(), kSize) != 0) throw std::runtime_error("ftruncate");
    begin_with(WindowMemory::create(std::move(fd), 0, kSize).value());
  }

  void begin_with(std::shared_ptr<const WindowMemory> memory) {
    for (const auto& [begin, size, file, offset] : memory->segments()) {
      EXPECT_TRUE(map_file_private(range_.data() + begin, size, file->get(), offset));
    }
    base_ = std::move(memory);
  }
  void write(uint64_t page, uint64_t word) {
    std::memcpy(range_.data() + page * kPageSize, &word, sizeof word);
    expected_[page] = word;
  }
  void fill(uint64_t first, uint64_t end, uint64_t word) {
    for (uint64_t page = first; page < end; ++page) write(page, word + page);
  }
  std::shared_ptr<const WindowMemory> copy() const {
    const std::span<const std::byte> all(range_.data(), range_.size());
    const auto own = Pagemap::open().find_own(all);
    EXPECT_TRUE(own);
    auto copied = WindowMemory::copy(all, *own, *base_);
    if (!copied) throw std::runtime_error(copied.error().message);
    return *copied;
  }
  // Also of its structure.
  void expect_in(const WindowMemory& memory) const {
    uint64_t at = 0;
    for (const auto& segment : memory.segments()) {
      EXPECT_EQ(segment.begin, at);
      EXPECT_GT(segment.size, 0u);
      at += segment.size;
    }
    EXPECT_EQ(at, kSize);
    EXPECT_LE(memory.segments().size(), WindowMemory::kMostSegments);
    uint64_t count = 0, next = 0;
    for (const auto& run : memory.runs()) {
      EXPECT_GE(run.first, next);
      EXPECT_LT(run.first, run.end);
      next = run.end;
      count += run.end - run.first;
    }
    EXPECT_EQ(count, memory.page_count());
    for (uint64_t page = 0; page < kPages; ++page) {
      const auto known = expected_.find(page);
      const uint64_t wanted = known == expected_.end() ? 0 : known->second;
      uint64_t found = 0, in_file = 0;
      if (const std::byte* stored = memory.page(page)) std::memcpy(&found, stored, sizeof found);
      const auto [fd, offset] = memory.place_of(page);
      ASSERT_EQ(::pread(fd, &in_file, sizeof in_file, static_cast<off_t>(offset)), 8);
      ASSERT_EQ(found, wanted) << "page " << page;
      ASSERT_EQ(in_file, wanted) << "page " << page;
    }
  }

 private:
  MappedRange range_;
  std::shared_ptr<const WindowMemory> base_;
  std::map<uint64_t, uint64_t> expected_;
};

// Pages that the file of its first segment takes by itself: a copy's own.
uint64_t own_pages(const WindowMemory& memory) {
  struct stat status{};
  EXPECT_EQ(::fstat(memory.segments().front().file->get(), &status), 0);
  return static_cast<uint64_t>(status.st_blocks) * 512 / kPageSize;
}

TEST(WindowMemoryCopies, TakeWhatIsDirtyAndShareALargeRest) {
  Window window;
  window.fill(100, 12000, 7);
  const auto first = window.copy();
  window.expect_in(*first);
  EXPECT_EQ(first->segments().size(), 1u);
  EXPECT_EQ(own_pages(*first), 11900u);

  window.begin_with(first);
  window.write(3, 42);
  window.write(15000, 43);
  const auto second = window.copy();
  window.expect_in(*second);
  EXPECT_EQ(second->page_count(), 11902u);
  EXPECT_EQ(second->segments().size(), 3u);
  // And what lies between those pages and the next 2 MiB.
  EXPECT_LE(own_pages(*second), 2u + 2 * 512);
}

TEST(WindowMemoryCopies, OfLittleShareNothing) {
  Window window;
  window.fill(0, 900, 7);
  window.begin_with(window.copy());
  window.write(16000, 1);
  const auto copy = window.copy();
  window.expect_in(*copy);
  EXPECT_EQ(copy->segments().size(), 1u);
  EXPECT_EQ(own_pages(*copy), 901u);
}

TEST(WindowMemoryCopies, KeepNoMuchLargerFileForWhatTheyShare) {
  Window window;
  window.fill(0, 12288, 7);
  window.begin_with(window.copy());
  window.fill(0, 8192, 8);  // a third is as it was: sharing it would keep all of the old file
  const auto copy = window.copy();
  window.expect_in(*copy);
  EXPECT_EQ(copy->segments().size(), 1u);
}

TEST(WindowMemoryCopies, OutliveWhatTheyShareWith) {
  Window window;
  window.fill(0, 8192, 7);
  window.begin_with(window.copy());
  window.write(0, 1);
  const auto second = window.copy();
  EXPECT_GT(second->segments().size(), 1u);
  window.begin_with(second);  // nobody else has the first one any more
  window.expect_in(*second);
}

TEST(WindowMemoryCopies, OfCopiesHoldWhatTheyShouldWhateverWasWritten) {
  std::mt19937_64 random(5);
  Window window;
  window.fill(random() % 500, 9000 + random() % 7000, random());
  for (int generation = 0; generation < 25; ++generation) {
    const auto copy = window.copy();
    window.expect_in(*copy);
    if (HasFatalFailure()) return;
    window.begin_with(copy);
    for (uint64_t i = random() % 6; i > 0; --i) {
      const uint64_t first = random() % kPages;
      switch (random() % 3) {
        case 0:
          window.write(first, random());
          break;
        case 1:
          window.write(first, 0);  // a page that was something, and is zero now
          break;
        default:
          window.fill(first, std::min(kPages, first + random() % 1500), random());
      }
    }
  }
}

}  // namespace
}  // namespace glint::core
