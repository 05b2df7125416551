// SPDX-License-Identifier: Apache-2.0
#include "transfer/header.hpp"

#include <cstring>

#include "base/check.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

// One field of the header, at its offset.
template <class T>
void put(std::span<std::byte> transfer, size_t offset, T value) {
  std::memcpy(transfer.data() + offset, &value, sizeof value);
}

#define GLINT_PUT(field, value) \
  put(transfer, offsetof(glint_abi_header, field), decltype(glint_abi_header::field){value})

}  // namespace

GuestExit read_exit(std::span<const std::byte> transfer) {
  constexpr size_t kBegin = offsetof(glint_abi_header, exit_kind);
  // The guest's part of the header is one run of fields at its end, copied in one go.
  glint_abi_header h{};
  std::memcpy(reinterpret_cast<std::byte*>(&h) + kBegin, transfer.data() + kBegin, sizeof h - kBegin);
  return {h.exit_kind,  h.exit_function, h.exit_count, h.exit_code,     h.exit_frame,
          h.exit_reply, h.exit_address,  h.text_size,  h.memory_refused};
}

void clear_exit(std::span<std::byte> transfer) {
  GLINT_PUT(exit_kind, GLINT_EXIT_NONE);
  GLINT_PUT(text_size, 0);
}

void write_identity(std::span<std::byte> transfer, bool trace) {
  GLINT_PUT(magic, GLINT_ABI_MAGIC);
  GLINT_PUT(version, GLINT_ABI_VERSION);
  GLINT_PUT(flags, trace ? GLINT_FLAG_TRACE : 0u);
  write_size(transfer);
}

void write_size(std::span<std::byte> transfer) { GLINT_PUT(size, transfer.size()); }

void write_time(std::span<std::byte> transfer, const GuestTime& time) {
  GLINT_PUT(time_epoch, time.epoch);
  GLINT_PUT(tsc_khz, time.tsc_khz);
  GLINT_PUT(realtime_ns, time.realtime_ns);
  GLINT_PUT(monotonic_ns, time.monotonic_ns);
}

void write_seed(std::span<std::byte> transfer, const Seed& seed) {
  static_assert(sizeof(glint_abi_header::seed) == sizeof(Seed));
  std::memcpy(transfer.data() + offsetof(glint_abi_header, seed), seed.data(), seed.size());
}

void write_call(std::span<std::byte> transfer, uint32_t function, uint32_t count, uint64_t frame,
                uint64_t call_end) {
  GLINT_PUT(request, GLINT_REQUEST_CALL);
  GLINT_PUT(function, function);
  GLINT_PUT(count, count);
  GLINT_PUT(frame, frame);
  GLINT_PUT(call_end, call_end);
}

void write_answer(std::span<std::byte> transfer, uint32_t host_status, int32_t code) {
  GLINT_PUT(host_status, host_status);
  GLINT_PUT(host_code, code);
}

uint64_t boot_size(size_t strings_size) {
  return align_up(sizeof(glint_abi_boot) + strings_size, GLINT_TRANSFER_ALIGN);
}

void write_boot(std::span<std::byte> transfer, glint_abi_boot boot, std::span<const char> strings,
                const Seed& seed) {
  require(in_range(GLINT_TRANSFER_PAYLOAD, boot_size(strings.size()), transfer.size()),
          "the boot record does not fit the transfer area");
  constexpr uint64_t kBoot = GLINT_TRANSFER_PAYLOAD;
  boot.strings = kBoot + sizeof boot;
  boot.strings_size = strings.size();
  std::memcpy(transfer.data() + kBoot, &boot, sizeof boot);
  if (!strings.empty()) std::memcpy(transfer.data() + boot.strings, strings.data(), strings.size());
  write_seed(transfer, seed);
  GLINT_PUT(boot, kBoot);
  GLINT_PUT(call_end, kBoot + boot_size(strings.size()));
}

Result<void> visit_text(std::span<const std::byte> transfer, uint32_t text_size, const TextVisitor& visit) {
  if (text_size > GLINT_TRANSFER_TEXT_SIZE) {
    return error(GLINT_E_GUEST_PROTOCOL, "the guest says it printed " + std::to_string(text_size) +
                                             " bytes, more than the text area holds");
  }
  auto text = transfer.subspan(GLINT_TRANSFER_TEXT, text_size);
  while (!text.empty()) {
    glint_abi_text_record record{};
    if (text.size() < sizeof record) break;
    std::memcpy(&record, text.data(), sizeof record);
    const uint64_t whole = sizeof record + align_up(record.length, 8);  // 32-bit length: cannot wrap
    if (whole > text.size() || record.kind < GLINT_TEXT_STDOUT || record.kind > GLINT_TEXT_UNKNOWN_SYSCALL)
      break;
    visit(static_cast<glint_abi_text>(record.kind), text.subspan(sizeof record, record.length));
    text = text.subspan(whole);
  }
  if (text.empty()) return {};
  return error(GLINT_E_GUEST_PROTOCOL, "the guest's text area holds a malformed record");
}

}  // namespace glint::core
