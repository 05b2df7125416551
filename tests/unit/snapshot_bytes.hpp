// SPDX-License-Identifier: Apache-2.0
#pragma once

// A snapshot's file in memory: to be damaged, and to have its checksums made good again, as somebody would
// who means harm. Reads numbers as docs/snapshot-files.md has them, and not by the library's own code.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/hash.hpp"

namespace glint::test {

class SnapshotBytes {
 public:
  static constexpr size_t kHeader = 64, kEntry = 32, kRun = 16, kPage = 4096;
  static constexpr size_t kMemoryOffset = 32, kChecksum = 48;
  enum Kind : uint32_t { kImage = 1, kFunctions, kMachine, kState, kPages };

  SnapshotBytes() = default;
  explicit SnapshotBytes(std::vector<std::byte> contents) : bytes(std::move(contents)) {}
  static SnapshotBytes of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto all = std::as_bytes(std::span(text));
    return SnapshotBytes({all.begin(), all.end()});
  }

  // Every byte of it: what was a hole is zeros.
  void to_file(const std::string& path) const {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
  }

  template <class T>
  T get(size_t offset) const {
    T value{};
    if (fits(offset, sizeof value)) std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  template <class T>
  void set(size_t offset, T value) {
    if (!fits(offset, sizeof value)) throw std::out_of_range("SnapshotBytes::set");
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  void flip(size_t offset, unsigned bit = 0) { bytes.at(offset) ^= static_cast<std::byte>(1u << bit); }

  struct Section {
    uint32_t kind = 0;
    size_t entry = 0;  // where the table has it
    size_t offset = 0, size = 0;
  };
  std::vector<Section> sections() const {
    std::vector<Section> found;
    const auto count = std::min<uint32_t>(get<uint32_t>(12), 16);
    for (size_t entry = kHeader; found.size() < count; entry += kEntry) {
      found.push_back({get<uint32_t>(entry), entry, static_cast<size_t>(get<uint64_t>(entry + 8)),
                       static_cast<size_t>(get<uint64_t>(entry + 16))});
    }
    return found;
  }
  Section section(uint32_t kind) const {
    for (const Section& section : sections()) {
      if (section.kind == kind) return section;
    }
    throw std::out_of_range("SnapshotBytes::section");
  }
  size_t memory() const { return static_cast<size_t>(get<uint64_t>(kMemoryOffset)); }

  // Makes all checksums those of what is there, as far as they lie in the file.
  void repair() {
    for (const Section& section : sections()) {
      if (section.kind == kPages && fits(section.offset, section.size)) repair_runs(section);
    }
    for (const Section& section : sections()) {
      if (!fits(section.offset, section.size) || !fits(section.entry, kEntry)) continue;
      set(section.entry + 24, core::hash64(std::span(bytes).subspan(section.offset, section.size)));
    }
    const size_t end = kHeader + sections().size() * kEntry;
    if (!fits(0, end)) return;
    set(kChecksum, uint64_t{0});
    set(kChecksum, core::hash64(std::span(bytes).first(end)));
  }

  std::vector<std::byte> bytes;

 private:
  bool fits(size_t offset, size_t size) const {
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  void repair_runs(const Section& section) {
    for (size_t run = section.offset; run + kRun <= section.offset + section.size; run += kRun) {
      const size_t begin = memory() + get<uint32_t>(run) * kPage, size = get<uint32_t>(run + 4) * kPage;
      if (fits(begin, size)) set(run + 8, core::hash64(std::span(bytes).subspan(begin, size)));
    }
  }
};

}  // namespace glint::test
