// SPDX-License-Identifier: Apache-2.0
#include "sandbox/snapshot_pages.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "sandbox/snapshot_sections.hpp"

// Everything here reads by pread, never through a mapping: a file that somebody shortens meanwhile, or a disk
// that fails, is an error then, and not a SIGBUS.

namespace glint::core {
namespace {

constexpr const char* kReading = "reading a snapshot's memory";
constexpr const char* kWriting = "writing a snapshot's memory";

// Stays in the processor's cache while it is read, hashed and written.
constexpr uint64_t kChunk = 256u << 10;

Error corrupt(uint64_t first, uint64_t count, const char* what) {
  return corrupt_snapshot(std::string(what) + " (pages " + std::to_string(first) + " to " +
                          std::to_string(first + count - 1) + " of its memory)");
}

// Visits all bytes of [begin, begin + size) of a file, in chunks; GLINT_E_SNAPSHOT_TRUNCATED when it has not
// as many.
template <class Visit>
Result<void> for_each_chunk(int fd, uint64_t begin, uint64_t size, std::vector<std::byte>& buffer,
                            Visit visit) {
  for (uint64_t done = 0; done < size;) {
    const auto chunk = std::span(buffer).first(std::min<uint64_t>(buffer.size(), size - done));
    GLINT_TRY_ASSIGN(got, read_at(fd, chunk, begin + done, kReading));
    if (got != chunk.size()) {
      return error(GLINT_E_SNAPSHOT_TRUNCATED,
                   "the snapshot's file became shorter while it was read: replace such a file by renaming "
                   "another one over it, and never write to it in place");
    }
    GLINT_TRY(visit(std::span<const std::byte>(chunk), done));
    done += chunk.size();
  }
  return {};
}

// A guest would see what stands in these pages of a mapped file, but restoring would make zeros of it.
Result<void> check_absent(int fd, uint64_t offset, uint64_t first, uint64_t count,
                          std::vector<std::byte>& buffer) {
  const uint64_t end = offset + (first + count) * kPageSize;
  for (uint64_t at = offset + first * kPageSize; at < end;) {
    GLINT_TRY_ASSIGN(data, next_data(fd, at, end, kReading));
    GLINT_TRY(for_each_chunk(fd, data.begin, data.end - data.begin, buffer,
                             [&](std::span<const std::byte> bytes, uint64_t) -> Result<void> {
                               if (is_zero(bytes)) return {};
                               return corrupt(first, count, "something stands where nothing was saved");
                             }));
    at = data.end;
  }
  return {};
}

Result<Fd> make_memfd(uint64_t size) {
  Fd fd(::memfd_create("glint-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("memfd_create", errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return system_error("ftruncate of a memfd", errno);
  }
  return fd;
}

}  // namespace

std::vector<PageRun> page_runs(const WindowMemory& memory) {
  std::vector<PageRun> runs;
  for (const WindowMemory::Run& run : memory.runs()) {
    runs.push_back({static_cast<uint32_t>(run.first), static_cast<uint32_t>(run.end - run.first), 0});
  }
  return runs;
}

Result<void> write_pages(const WindowMemory& memory, int to, uint64_t offset, std::vector<PageRun>& runs) {
  std::vector<std::byte> buffer(kChunk);
  Hasher hasher;
  for (PageRun& run : runs) {
    const uint64_t begin = run.first * kPageSize;
    const auto [fd, at] = memory.place_of(run.first);
    GLINT_TRY(for_each_chunk(fd, at, run.count * kPageSize, buffer,
                             [&](std::span<const std::byte> bytes, uint64_t done) {
                               hasher.add(bytes);
                               return write_at(to, bytes, offset + begin + done, kWriting);
                             }));
    run.checksum = hasher.finish64();
  }
  return {};
}

Result<std::shared_ptr<const WindowMemory>> read_pages(Fd file, uint64_t offset, uint64_t size,
                                                       const std::vector<PageRun>& runs, bool map) {
  Fd copy;
  if (!map) {
    GLINT_TRY_ASSIGN(memfd, make_memfd(size));
    copy = std::move(memfd);
  }
  std::vector<std::byte> buffer(kChunk);
  std::vector<WindowMemory::Run> stored;
  Hasher hasher;
  uint64_t next = 0;  // page behind the last run
  for (const PageRun& run : runs) {
    GLINT_TRY(check_absent(file.get(), offset, next, run.first - next, buffer));
    const uint64_t begin = run.first * kPageSize;
    GLINT_TRY(for_each_chunk(file.get(), offset + begin, run.count * kPageSize, buffer,
                             [&](std::span<const std::byte> bytes, uint64_t done) -> Result<void> {
                               hasher.add(bytes);
                               if (map) return {};
                               return write_at(copy.get(), bytes, begin + done, kWriting);
                             }));
    if (hasher.finish64() != run.checksum) return corrupt(run.first, run.count, "a checksum is wrong");
    next = uint64_t{run.first} + run.count;
    stored.push_back({run.first, next});
  }
  GLINT_TRY(check_absent(file.get(), offset, next, size / kPageSize - next, buffer));
  if (map) return WindowMemory::create(std::move(file), offset, size, stored);
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("sealing a memfd", errno);
  }
  return WindowMemory::create(std::move(copy), 0, size, stored);
}

}  // namespace glint::core
