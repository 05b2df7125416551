// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "glint_guest/abi.h"

namespace glint::core {

// What the guest says when it leaves: copied once, so that it cannot change while it is checked. Nothing in
// it is checked yet.
struct GuestExit {
  uint32_t kind = GLINT_EXIT_NONE;
  uint32_t function = 0;
  uint32_t count = 0;
  int32_t code = 0;
  uint64_t frame = 0;
  uint64_t reply = 0;
  uint64_t address = 0;
  uint32_t text_size = 0;
  uint32_t memory_refused = 0;
};

// The clocks at the moment when a guest is put on a VM.
struct GuestTime {
  uint32_t epoch = 0;
  uint32_t tsc_khz = 0;
  uint64_t realtime_ns = 0;
  uint64_t monotonic_ns = 0;
};

// All functions take the transfer area, at least GLINT_TRANSFER_INITIAL bytes.
GuestExit read_exit(std::span<const std::byte> transfer);

// Before each entry: forgets the last exit and its text.
void clear_exit(std::span<std::byte> transfer);

void write_identity(std::span<std::byte> transfer, bool trace);  // magic, version, size, flags
void write_size(std::span<std::byte> transfer);
void write_time(std::span<std::byte> transfer, const GuestTime& time);
// The guest mixes it into its generator and wipes it when the time's epoch changes.
using Seed = std::array<std::byte, 48>;
void write_seed(std::span<std::byte> transfer, const Seed& seed);
void write_call(std::span<std::byte> transfer, uint32_t function, uint32_t count, uint64_t frame,
                uint64_t call_end);
void write_answer(std::span<std::byte> transfer, uint32_t host_status, int32_t code);

// Start-up: the boot record, with `strings` (NUL-terminated, argv first) behind it. Fills boot.strings and
// boot.strings_size. The caller has checked that they fit (boot_size).
uint64_t boot_size(size_t strings_size);
void write_boot(std::span<std::byte> transfer, glint_abi_boot boot, std::span<const char> strings,
                const Seed& seed);

// Calls visit(kind, payload) for each record of the text area; GLINT_E_GUEST_PROTOCOL when text_size or a
// record is malformed, after the well-formed ones before it were visited.
using TextVisitor = std::function<void(glint_abi_text kind, std::span<const std::byte> payload)>;
Result<void> visit_text(std::span<const std::byte> transfer, uint32_t text_size, const TextVisitor& visit);

}  // namespace glint::core
