// SPDX-License-Identifier: Apache-2.0
#include "sandbox/snapshot_format.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/hash.hpp"
#include "image/layout.hpp"
#include "sandbox/snapshot_sections.hpp"

namespace glint::core {
namespace {

constexpr std::string_view kMagic = "GLNTSNAP";
constexpr size_t kVersionAt = 8, kSectionCountAt = 12, kHeadSizeAt = 16, kFileSizeAt = 24,
                 kMemoryOffsetAt = 32, kMemorySizeAt = 40, kChecksumAt = 48, kReservedAt = 56;
constexpr size_t kEntrySize = 32;
constexpr uint32_t kMaxSections = 16;
constexpr uint32_t kOptional = 1;  // a section that readers who do not know it may skip

constexpr const char* kAnew = "; copy the file again, or take and save the snapshot anew";

Error truncated(uint64_t is, uint64_t wants) {
  return error(GLINT_E_SNAPSHOT_TRUNCATED, "the snapshot's file has " + std::to_string(is) + " bytes of " +
                                               std::to_string(wants) + kAnew);
}

template <class T>
T number_at(std::span<const std::byte> bytes, size_t offset) {
  T number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

struct Entry {
  uint32_t kind = 0, flags = 0;
  std::span<const std::byte> bytes;
};

// The sections, checked against their checksums.
Result<std::vector<Entry>> read_sections(std::span<const std::byte> head) {
  std::vector<Entry> entries;
  const auto count = number_at<uint32_t>(head, kSectionCountAt);
  for (uint32_t i = 0; i < count; ++i) {
    ByteReader from(head.subspan(kSnapshotHeaderSize + i * kEntrySize, kEntrySize));
    Entry entry;
    entry.kind = from.get<uint32_t>();
    entry.flags = from.get<uint32_t>();
    const auto offset = from.get<uint64_t>(), size = from.get<uint64_t>(), checksum = from.get<uint64_t>();
    if (!in_range(offset, size, head.size())) return corrupt_snapshot("a section lies outside its head");
    entry.bytes = head.subspan(offset, size);
    if (hash64(entry.bytes) != checksum) {
      return corrupt_snapshot("the checksum of its section '" + section_name(entry.kind) + "' is wrong");
    }
    entries.push_back(entry);
  }
  return entries;
}

bool is_known(uint32_t kind) {
  return std::ranges::find(kSnapshotSections, static_cast<SnapshotSection>(kind)) != kSnapshotSections.end();
}

// Each section that this version knows, once; no others that it must know.
Result<void> check_sections(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (is_known(entry.kind) || (entry.flags & kOptional) != 0) continue;
    return error(GLINT_E_SNAPSHOT_VERSION,
                 "the snapshot's file needs section " + std::to_string(entry.kind) +
                     ", which this version of Glint (" GLINT_VERSION
                     ") does not know; use the version that saved it, or a newer one");
  }
  for (const SnapshotSection section : kSnapshotSections) {
    const auto kind = static_cast<uint32_t>(section);
    const auto count = std::ranges::count(entries, kind, &Entry::kind);
    if (count != 1) {
      return corrupt_snapshot("its section '" + section_name(kind) + "' is there " + std::to_string(count) +
                              " times");
    }
  }
  return {};
}

// With the checksum's own field zero.
uint64_t header_checksum(std::span<const std::byte> header) {
  std::vector<std::byte> copy(header.begin(), header.end());
  std::memset(copy.data() + kChecksumAt, 0, sizeof(uint64_t));
  return hash64(copy);
}

}  // namespace

uint64_t memory_offset_behind(size_t head_size) { return align_up(head_size, kPageSize); }

std::vector<std::byte> write_snapshot_head(const SnapshotHead& head) {
  constexpr size_t kCount = kSnapshotSections.size();
  constexpr size_t kHeaderEnd = kSnapshotHeaderSize + kCount * kEntrySize;
  ByteWriter table;
  std::vector<std::byte> contents;
  for (const SnapshotSection section : kSnapshotSections) {
    const std::vector<std::byte> bytes = write_section(section, head);
    table.put(static_cast<uint32_t>(section));
    table.put(uint32_t{0});
    table.put(uint64_t{kHeaderEnd + contents.size()});
    table.put(uint64_t{bytes.size()});
    table.put(hash64(bytes));
    contents.insert(contents.end(), bytes.begin(), bytes.end());
  }
  const uint64_t head_size = kHeaderEnd + contents.size();
  const uint64_t memory_offset = memory_offset_behind(head_size);

  ByteWriter header;
  header.put(std::as_bytes(std::span(kMagic)));
  header.put(kSnapshotFormatVersion);
  header.put(static_cast<uint32_t>(kCount));
  header.put(head_size);
  header.put(memory_offset + head.image.memory_size);
  header.put(memory_offset);
  header.put(head.image.memory_size);
  header.put(uint64_t{0});  // the checksum
  header.put(uint64_t{0});
  header.put(table.take());
  std::vector<std::byte> bytes = header.take();
  const uint64_t checksum = header_checksum(bytes);
  std::memcpy(bytes.data() + kChecksumAt, &checksum, sizeof checksum);
  bytes.insert(bytes.end(), contents.begin(), contents.end());
  return bytes;
}

Result<size_t> snapshot_head_size(std::span<const std::byte> begin, uint64_t file_size) {
  const size_t known = std::min(begin.size(), kMagic.size());
  if (begin.empty() || std::memcmp(begin.data(), kMagic.data(), known) != 0) {
    return error(GLINT_E_SNAPSHOT_FORMAT,
                 std::string(begin.empty() ? "the file is empty" : "this is no snapshot's file") +
                     "; name a file that a snapshot was saved to");
  }
  if (begin.size() < kVersionAt + sizeof(uint32_t)) return truncated(file_size, kSnapshotHeaderSize);
  if (const auto version = number_at<uint32_t>(begin, kVersionAt); version != kSnapshotFormatVersion) {
    return error(GLINT_E_SNAPSHOT_VERSION,
                 "the snapshot's file is of version " + std::to_string(version) +
                     ", this version of Glint (" + GLINT_VERSION + ") reads " +
                     std::to_string(kSnapshotFormatVersion) +
                     "; use the version that saved it, or take and save the snapshot anew");
  }
  if (begin.size() < kSnapshotHeaderSize) return truncated(file_size, kSnapshotHeaderSize);
  const auto count = number_at<uint32_t>(begin, kSectionCountAt);
  const auto head_size = number_at<uint64_t>(begin, kHeadSizeAt);
  if (count > kMaxSections || head_size > kMaxSnapshotHead ||
      head_size < kSnapshotHeaderSize + uint64_t{count} * kEntrySize) {
    return corrupt_snapshot("its header is malformed");
  }
  if (head_size > file_size) return truncated(file_size, number_at<uint64_t>(begin, kFileSizeAt));
  return static_cast<size_t>(head_size);
}

Result<SnapshotHead> read_snapshot_head(std::span<const std::byte> bytes, uint64_t file_size) {
  GLINT_TRY_ASSIGN(head_size,
                   snapshot_head_size(bytes.first(std::min(bytes.size(), kSnapshotHeaderSize)), file_size));
  if (head_size != bytes.size()) return error(GLINT_E_INTERNAL, "a snapshot's head has another size");
  const auto count = number_at<uint32_t>(bytes, kSectionCountAt);
  const auto header = bytes.first(kSnapshotHeaderSize + count * kEntrySize);
  if (header_checksum(header) != number_at<uint64_t>(bytes, kChecksumAt)) {
    return corrupt_snapshot("the checksum of its header is wrong");
  }
  // What the file says of itself holds from here on, unless it was made up.
  const auto whole = number_at<uint64_t>(bytes, kFileSizeAt);
  if (file_size < whole) return truncated(file_size, whole);
  const auto memory_offset = number_at<uint64_t>(bytes, kMemoryOffsetAt);
  const auto memory_size = number_at<uint64_t>(bytes, kMemorySizeAt);
  const auto memory_end = checked_add(memory_offset, memory_size);
  if (memory_offset % kPageSize != 0 || memory_offset < head_size || memory_size % kPageSize != 0 ||
      memory_size == 0 || memory_size > kMaxMemory || memory_end != whole ||
      number_at<uint64_t>(bytes, kReservedAt) != 0) {
    return corrupt_snapshot("its header is malformed");
  }
  if (file_size > whole) {
    return corrupt_snapshot(std::to_string(file_size - whole) + " bytes follow behind its end");
  }
  GLINT_TRY_ASSIGN(entries, read_sections(bytes));
  GLINT_TRY(check_sections(entries));

  SnapshotHead head;
  head.memory_offset = memory_offset;
  for (const Entry& entry : entries) {
    if (!is_known(entry.kind)) continue;
    GLINT_TRY(
        read_section(static_cast<SnapshotSection>(entry.kind), entry.bytes, memory_size / kPageSize, head));
  }
  if (head.image.memory_size != memory_size) return corrupt_snapshot("its memory has two sizes");
  return head;
}

}  // namespace glint::core
