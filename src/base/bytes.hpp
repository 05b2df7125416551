// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glint::core {

// The first byte is zero, and each of the others equals the one before it: memcmp is the fastest there is.
inline bool is_zero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Numbers and texts one after the other, little endian, without padding.
static_assert(std::endian::native == std::endian::little, "numbers are copied as they stand");

class ByteWriter {
 public:
  static constexpr size_t kMaxText = 255;

  void put(std::integral auto number) { put(std::as_bytes(std::span(&number, 1))); }
  void put(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  // Its length in a byte, then its bytes; what is longer than kMaxText is cut.
  void put_text(std::string_view text) {
    text = text.substr(0, kMaxText);
    put(static_cast<uint8_t>(text.size()));
    put(std::as_bytes(std::span(text)));
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// Reads them again. Behind the end it gives zeros and nothing, and says so when asked.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <std::integral T>
  T get() {
    T number{};
    get(std::as_writable_bytes(std::span(&number, 1)));
    return number;
  }
  void get(std::span<std::byte> to) {
    const auto from = take(to.size());
    if (!from.empty()) std::memcpy(to.data(), from.data(), to.size());
  }
  // A view.
  std::span<const std::byte> take(size_t size) {
    if (size > bytes_.size()) failed_ = true;
    if (failed_) return {};
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  std::string get_text() {
    const auto bytes = take(get<uint8_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  bool failed() const { return failed_; }
  // All was there, and nothing is left.
  bool at_end() const { return !failed_ && bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
  bool failed_ = false;
};

}  // namespace glint::core
