// SPDX-License-Identifier: Apache-2.0
//
// What a guest writes into the transfer area, read as the host reads it: text records, then a frame of
// values. Views must lie inside the area, strings must be UTF-8, and nothing may be read outside.
//
// Input: one byte that says how many values are declared, their types, the frame's offset, the text's size,
// then the area.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "transfer/frame.hpp"
#include "transfer/header.hpp"

using namespace glint::core;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_inside(std::span<const std::byte> view, std::span<const std::byte> area) {
  if (view.empty()) return;
  require(view.data() >= area.data() && view.data() + view.size() <= area.data() + area.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  struct {
    uint8_t count;
    uint8_t types[kMaxValues];
    uint8_t padding[3];
    uint32_t text_size;
    uint64_t frame;
  } head{};
  if (size < sizeof head) return 0;
  std::memcpy(&head, data, sizeof head);
  data += sizeof head;
  size -= sizeof head;

  // Of the real size, so that the sanitizer sees a read behind its end; the input lies where text and frames
  // do.
  static std::vector<std::byte> area(GLINT_TRANSFER_INITIAL);
  std::fill(area.begin(), area.begin() + GLINT_TRANSFER_PAYLOAD + 65536, std::byte{});
  std::memcpy(area.data() + GLINT_TRANSFER_TEXT, data,
              std::min<size_t>(size, GLINT_TRANSFER_TEXT_SIZE + 65536));

  static_cast<void>(visit_text(area, head.text_size, [&](glint_abi_text, std::span<const std::byte> payload) {
    require_inside(payload, area);
  }));

  std::vector<glint_abi_type> types(head.count % (kMaxValues + 1));
  for (size_t i = 0; i < types.size(); ++i) {
    types[i] = static_cast<glint_abi_type>(head.types[i] % GLINT_ABI_TYPE_COUNT);
  }
  std::vector<Value> values(kMaxValues);
  if (!read_frame("fuzzed", area, head.frame, types, values)) return 0;
  for (size_t i = 0; i < types.size(); ++i) {
    require(values[i].type == types[i]);
    require_inside(values[i].bytes, area);
    if (types[i] == GLINT_ABI_STRING) require(is_utf8(values[i].bytes));
    if (types[i] == GLINT_ABI_BOOL) require(values[i].bits <= 1);
    // What was read can be sent back.
    require(static_cast<bool>(check_value("fuzzed", types[i], values[i])));
  }
  return 0;
}
