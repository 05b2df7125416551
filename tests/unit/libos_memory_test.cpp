// SPDX-License-Identifier: Apache-2.0
// The libos's memory manager against a model that keeps one entry a page, over real memory.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <vector>

#include "memory.h"

namespace {

constexpr uint64_t kPage = 4096;

// An arena of zeroed memory.
class Arena {
 public:
  explicit Arena(uint64_t pages) : size_(pages * kPage) {
    base_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    begin = reinterpret_cast<uint64_t>(base_);
    memory_init(&memory, begin, begin + size_);
  }
  ~Arena() { munmap(base_, size_); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Pages that the kernel had to give to the process: those that were touched.
  uint64_t touched() const {
    std::vector<unsigned char> present(size_ / kPage);
    mincore(base_, size_, present.data());
    uint64_t count = 0;
    for (unsigned char page : present) count += page & 1;
    return count;
  }

  struct memory memory{};
  uint64_t begin = 0;

 private:
  uint64_t size_;
  void* base_ = nullptr;
};

uint8_t* bytes_at(uint64_t address) { return reinterpret_cast<uint8_t*>(address); }

bool is_zero(uint64_t address, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i)
    if (bytes_at(address)[i] != 0) return false;
  return true;
}

TEST(LibosMemory, TouchesNothingUntilItIsUsed) {
  Arena arena(4096);
  EXPECT_EQ(arena.touched(), 0u);
  memory_brk(&arena.memory, arena.begin + 100 * kPage);
  EXPECT_EQ(arena.touched(), 0u) << "brk must not touch fresh memory";
  ASSERT_NE(memory_map(&arena.memory, 1000 * kPage), MEMORY_FAILED);
  EXPECT_LE(arena.touched(), 1u) << "a mapping of fresh memory touches its bitmap only";
}

TEST(LibosMemory, BrkAndMappingsNeverMeet) {
  Arena arena(64);
  const uint64_t map = memory_map(&arena.memory, 32 * kPage);
  ASSERT_NE(map, MEMORY_FAILED);
  EXPECT_EQ(memory_brk(&arena.memory, map), map);
  EXPECT_EQ(memory_brk(&arena.memory, map + 1), map) << "refused: the end stays";
  EXPECT_EQ(memory_map(&arena.memory, 64 * kPage), MEMORY_FAILED);
  EXPECT_FALSE(memory_map_at(&arena.memory, map - kPage, 2 * kPage)) << "reaches into the brk area";
}

TEST(LibosMemory, GivesUnmappedRoomToBrk) {
  Arena arena(64);
  const uint64_t high = memory_map(&arena.memory, kPage), low = memory_map(&arena.memory, 40 * kPage);
  ASSERT_LT(low, high);
  EXPECT_LT(memory_brk(&arena.memory, high), high);
  EXPECT_TRUE(memory_unmap(&arena.memory, low, 40 * kPage));
  EXPECT_EQ(memory_brk(&arena.memory, high), high);
}

TEST(LibosMemory, RefusesSizesThatCannotBe) {
  Arena arena(64);
  EXPECT_EQ(memory_map(&arena.memory, 1ull << 39), MEMORY_FAILED);
  EXPECT_FALSE(memory_unmap(&arena.memory, arena.begin, 1ull << 39));
  EXPECT_FALSE(memory_map_at(&arena.memory, arena.begin - kPage, kPage));
  EXPECT_EQ(memory_brk(&arena.memory, arena.begin - 1), arena.begin);
  EXPECT_EQ(memory_brk(&arena.memory, UINT64_MAX), arena.begin);
}

TEST(LibosMemory, BrkMemoryIsZeroAgainAfterShrinking) {
  Arena arena(64);
  const uint64_t end = arena.begin + 5 * kPage + 123;
  ASSERT_EQ(memory_brk(&arena.memory, end), end);
  memset(bytes_at(arena.begin), 0xaa, end - arena.begin);
  memory_brk(&arena.memory, arena.begin + 1);
  ASSERT_EQ(memory_brk(&arena.memory, end), end);
  EXPECT_EQ(*bytes_at(arena.begin), 0xaa) << "what was kept is unchanged";
  EXPECT_TRUE(is_zero(arena.begin + 1, end - arena.begin - 1));
}

// ---- the property: any sequence of operations agrees with the model ----

// The model: for each page of the mapping part, the pattern written to it, or unmapped.
class Model {
 public:
  explicit Model(uint64_t pages) : arena_(pages), first_(arena_.begin), pattern_(count(), kFree) {}

  void step(std::mt19937_64& random) {
    switch (random() % 8) {
      case 0:
      case 1:
        map(1 + random() % 20);
        break;
      case 2:
        map_at(random() % count(), 1 + random() % 20);
        break;
      case 3:
      case 4:
        unmap(random() % count(), 1 + random() % 30);
        break;
      case 5:
        remap(random() % count(), 1 + random() % 12, 1 + random() % 24, random() % 4 != 0);
        break;
      default:
        brk(random() % (count() * kPage / 2));
        break;
    }
    check();
  }

 private:
  static constexpr int kFree = -1;

  uint64_t count() const { return (arena_.memory.end - arena_.begin) / kPage; }
  uint64_t address(uint64_t page) const { return first_ + page * kPage; }
  uint64_t page(uint64_t address) const { return (address - first_) / kPage; }
  uint64_t brk_pages() const { return (arena_.memory.brk - first_ + kPage - 1) / kPage; }
  bool all_are(uint64_t begin, uint64_t pages, bool mapped) const {
    for (uint64_t i = begin; i < begin + pages; ++i)
      if (i >= count() || (pattern_[i] != kFree) != mapped) return false;
    return true;
  }
  bool room_for(uint64_t pages) const {
    for (uint64_t i = brk_pages(); i + pages <= count(); ++i)
      if (all_are(i, pages, false)) return true;
    return false;
  }

  void fill(uint64_t begin, uint64_t pages) {
    for (uint64_t i = begin; i < begin + pages; ++i) {
      ASSERT_TRUE(is_zero(address(i), kPage)) << "new memory must read as zero";
      next_ = next_ % 250 + 1;
      pattern_[i] = next_;
      memset(bytes_at(address(i)), next_, kPage);
    }
  }

  void map(uint64_t pages) {
    const uint64_t result = memory_map(&arena_.memory, pages * kPage);
    ASSERT_EQ(result != MEMORY_FAILED, room_for(pages));
    if (result == MEMORY_FAILED) return;
    ASSERT_GE(page(result), brk_pages());
    ASSERT_TRUE(all_are(page(result), pages, false));
    fill(page(result), pages);
  }

  void map_at(uint64_t begin, uint64_t pages) {
    const bool possible = begin >= brk_pages() && begin + pages <= count();
    ASSERT_EQ(memory_map_at(&arena_.memory, address(begin), pages * kPage), possible);
    if (possible) fill(begin, pages);
  }

  void unmap(uint64_t begin, uint64_t pages) {
    const bool possible = begin >= brk_pages() && begin + pages <= count();
    ASSERT_EQ(memory_unmap(&arena_.memory, address(begin), pages * kPage), possible);
    for (uint64_t i = begin; possible && i < begin + pages; ++i) pattern_[i] = kFree;
  }

  void remap(uint64_t begin, uint64_t old_pages, uint64_t new_pages, bool may_move) {
    const bool mapped = all_are(begin, old_pages, true);
    const bool grows = new_pages > old_pages;
    const bool in_place = !grows || all_are(begin + old_pages, new_pages - old_pages, false);
    const bool possible = mapped && (in_place || (may_move && room_for(new_pages)));
    const uint64_t result =
        memory_remap(&arena_.memory, address(begin), old_pages * kPage, new_pages * kPage, may_move);
    ASSERT_EQ(result != MEMORY_FAILED, possible);
    if (!possible) return;
    std::vector<int> kept(
        pattern_.begin() + static_cast<std::ptrdiff_t>(begin),
        pattern_.begin() + static_cast<std::ptrdiff_t>(begin + std::min(old_pages, new_pages)));
    if (in_place) {
      ASSERT_EQ(result, address(begin));
    }
    for (uint64_t i = begin; i < begin + old_pages; ++i) pattern_[i] = kFree;
    ASSERT_TRUE(all_are(page(result), new_pages, false));
    for (uint64_t i = 0; i < kept.size(); ++i) pattern_[page(result) + i] = kept[i];
    if (grows) fill(page(result) + old_pages, new_pages - old_pages);
  }

  void brk(uint64_t offset) {
    const uint64_t old = arena_.memory.brk, wanted = first_ + offset;
    bool possible = true;
    for (uint64_t i = 0; i * kPage < offset; ++i) possible = possible && pattern_[i] == kFree;
    ASSERT_EQ(memory_brk(&arena_.memory, wanted), possible ? wanted : old);
    if (!possible || wanted <= old) return;
    ASSERT_TRUE(is_zero(old, wanted - old)) << "new brk memory must read as zero";
    memset(bytes_at(old), 0xbb, wanted - old);
  }

  void check() const {
    uint64_t used = 0, lowest = count();
    for (uint64_t i = count(); i-- > 0;) {
      const bool mapped = pattern_[i] != kFree;
      ASSERT_EQ(memory_is_mapped(&arena_.memory, address(i), kPage), mapped);
      if (!mapped) continue;
      lowest = i;
      ++used;
      ASSERT_EQ(bytes_at(address(i))[0], pattern_[i]) << "mapped memory must keep its content";
      ASSERT_EQ(bytes_at(address(i))[kPage - 1], pattern_[i]);
    }
    ASSERT_EQ(arena_.memory.used, used);
    ASSERT_EQ(arena_.memory.map_low, address(lowest));
  }

  Arena arena_;
  uint64_t first_;
  std::vector<int> pattern_;
  int next_ = 0;
};

TEST(LibosMemory, AgreesWithAModelForAnySequence) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    Model model(100 + seed * 5);
    for (int i = 0; i < 500; ++i) {
      model.step(random);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
