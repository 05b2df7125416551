// SPDX-License-Identifier: Apache-2.0
#include "shell/pagemap.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/checked.hpp"

namespace glint::core {
namespace {

// PAGEMAP_SCAN of <linux/fs.h>, which has it from Linux 6.7 on; the headers here may be older.
struct PageRegion {
  uint64_t start, end, categories;
};
struct PageScan {
  uint64_t size, flags, start, end, walk_end, regions, region_count, most_pages;
  uint64_t inverted, mask, any_of, result;
};
static_assert(sizeof(PageScan) == 96);
constexpr unsigned long kScan = _IOWR('f', 16, PageScan);
constexpr uint64_t kIsFile = 1u << 2, kIsPresent = 1u << 3, kIsSwapped = 1u << 4;

// An entry of the file, for older kernels.
constexpr uint64_t kPresentBit = 1ull << 63, kSwappedBit = 1ull << 62, kFileBit = 1ull << 61;

bool is_there(uint64_t entry) { return (entry & (kPresentBit | kSwappedBit)) != 0; }

uint64_t address_of(std::span<const std::byte> range) { return reinterpret_cast<uintptr_t>(range.data()); }

}  // namespace

Pagemap Pagemap::open() { return Pagemap(Fd(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC))); }

Result<void> Pagemap::check() const {
  if (fd_ && owner_ == current_process()) return {};
  return error(
      GLINT_E_UNSUPPORTED,
      "/proc/self/pagemap cannot be read, which tells what a guest has written: is /proc mounted, and the "
      "process dumpable (PR_SET_DUMPABLE)?");
}

template <class Visit>
Result<void> Pagemap::for_each_entry(std::span<const std::byte> range, Visit visit) const {
  std::array<uint64_t, 512> entries;
  const uint64_t first = address_of(range) / kPageSize;
  const uint64_t total = range.size() / kPageSize;
  for (uint64_t done = 0; done < total;) {
    const uint64_t count = std::min<uint64_t>(entries.size(), total - done);
    const auto bytes = static_cast<ssize_t>(count * sizeof(uint64_t));
    const ssize_t got = ::pread(fd_.get(), entries.data(), static_cast<size_t>(bytes),
                                static_cast<off_t>((first + done) * sizeof(uint64_t)));
    if (got != bytes) return system_error("reading /proc/self/pagemap", got < 0 ? errno : EIO);
    for (uint64_t i = 0; i < count; ++i) visit(done + i, entries[i]);
    done += count;
  }
  return {};
}

Result<std::vector<uint32_t>> Pagemap::find_own(std::span<const std::byte> range) const {
  GLINT_TRY(check());
  std::vector<uint32_t> pages;
  GLINT_TRY_ASSIGN(scanned, scan_own(range, pages));
  if (!scanned) {
    pages.clear();
    GLINT_TRY(read_own(range, pages));
  }
  return pages;
}

// False when the kernel has no PAGEMAP_SCAN. Measured here for 64 MiB with 16 pages of their own: 20 µs,
// where reading the entries takes 75; for 2 GiB, 0.05-0.3 ms and 4.8.
Result<bool> Pagemap::scan_own(std::span<const std::byte> range, std::vector<uint32_t>& pages) const {
  std::array<PageRegion, 256> regions;
  PageScan scan{};
  scan.size = sizeof scan;
  scan.start = address_of(range);
  scan.end = scan.start + range.size();
  scan.regions = reinterpret_cast<uintptr_t>(regions.data());
  scan.region_count = regions.size();
  // There, and not the file's.
  scan.inverted = kIsFile;
  scan.mask = kIsFile;
  scan.any_of = kIsPresent | kIsSwapped;
  scan.result = kIsPresent | kIsSwapped;
  const uint64_t begin = scan.start;
  while (scan.start < scan.end) {
    const int found = ::ioctl(fd_.get(), kScan, &scan);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0 && (errno == ENOTTY || errno == EINVAL)) return false;
    if (found < 0) return system_error("PAGEMAP_SCAN", errno);
    for (const PageRegion& region : std::span(regions).first(static_cast<size_t>(found))) {
      for (uint64_t at = region.start; at < region.end; at += kPageSize) {
        pages.push_back(static_cast<uint32_t>((at - begin) / kPageSize));
      }
    }
    if (scan.walk_end <= scan.start) return error(GLINT_E_INTERNAL, "PAGEMAP_SCAN does not get on");
    scan.start = scan.walk_end;
  }
  return true;
}

Result<void> Pagemap::read_own(std::span<const std::byte> range, std::vector<uint32_t>& pages) const {
  return for_each_entry(range, [&](uint64_t page, uint64_t entry) {
    if (is_there(entry) && (entry & kFileBit) == 0) pages.push_back(static_cast<uint32_t>(page));
  });
}

}  // namespace glint::core
