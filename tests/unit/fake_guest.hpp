// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "glint_guest/abi.h"
#include "hypervisor/fake/fake.hpp"
#include "sandbox/engine.hpp"
#include "unit/elf_builder.hpp"

namespace glint::test {

// A guest program without a processor: its file declares the functions below, and a script plays it on the
// fake hypervisor. So the C ABI and the C++ layer can be tested up to the last byte without KVM.
class FakeGuest {
 public:
  enum Function : uint32_t {
    kAdd,
    kEcho,
    kEchoBytes,
    kFail,
    kNotify,
    kProgress,
    kSay,
    kNegate,
    kHalf,
    kCrash
  };

  FakeGuest()
      : hypervisor_(std::make_shared<core::FakeHypervisor>(
            [this](core::FakeVcpu& vcpu) -> core::Result<core::Exit> { return play(vcpu); })),
        engine_(core::Engine::with_hypervisor(hypervisor_, {}, 1)) {}

  static ElfBytes program() {
    ElfBuilder builder;
    builder.functions = {
        elf_function(GLINT_ABI_EXPORT, "add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}),
        elf_function(GLINT_ABI_EXPORT, "echo", GLINT_ABI_STRING, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_EXPORT, "echo_bytes", GLINT_ABI_BYTES, {GLINT_ABI_BYTES}),
        elf_function(GLINT_ABI_EXPORT, "fail", GLINT_ABI_VOID, {}),
        elf_function(GLINT_ABI_EXPORT, "notify", GLINT_ABI_I32, {GLINT_ABI_U32}),
        elf_function(GLINT_ABI_IMPORT, "progress", GLINT_ABI_I32, {GLINT_ABI_U32}),
        elf_function(GLINT_ABI_EXPORT, "say", GLINT_ABI_VOID, {GLINT_ABI_STRING}),
        elf_function(GLINT_ABI_EXPORT, "negate", GLINT_ABI_BOOL, {GLINT_ABI_BOOL}),
        elf_function(GLINT_ABI_EXPORT, "half", GLINT_ABI_F32, {GLINT_ABI_F32}),
        elf_function(GLINT_ABI_EXPORT, "crash", GLINT_ABI_VOID, {}),
    };
    return builder.build().bytes;
  }

  const std::shared_ptr<core::Engine>& engine() const { return engine_; }

  // Must be set once the image is loaded: where its layout has the transfer area.
  uint64_t transfer_gpa = 0;

 private:
  // What rax says between two runs, so that it stays with the sandbox when that is parked.
  enum Where : uint64_t { kStart, kWaitsForCall, kWaitsForHost };

  core::Result<core::Exit> play(core::FakeVcpu& vcpu) {
    area_ = vcpu.memory(transfer_gpa, GLINT_TRANSFER_INITIAL);
    std::memcpy(&header_, area_.data(), sizeof(header_));
    auto exit = core::exit_by_port(GLINT_EXIT_PORT);
    switch (vcpu.registers.rax) {
      case kStart:
        header_.exit_kind = GLINT_EXIT_READY;
        vcpu.registers.rax = kWaitsForCall;
        break;
      case kWaitsForCall:
        if (header_.function == kCrash) return core::exit_of_kind(core::Exit::Kind::kShutdown);
        vcpu.registers.rax = header_.function == kNotify ? kWaitsForHost : kWaitsForCall;
        begin_call();
        break;
      default:
        vcpu.registers.rax = kWaitsForCall;
        end_host_call();
    }
    std::memcpy(area_.data(), &header_, sizeof(header_));
    return exit;
  }

  void begin_call() {
    glint_abi_value argument = value_at(header_.frame);
    switch (header_.function) {
      case kAdd:
        argument.bits += value_at(header_.frame + sizeof(argument)).bits;
        return finish(GLINT_EXIT_RESULT, argument);
      case kFail:
        header_.exit_code = 7;
        return finish(GLINT_EXIT_ERROR, text_value("no luck"));
      case kNotify:
        header_.exit_function = kProgress;
        header_.exit_count = 1;
        header_.exit_reply = header_.call_end + 64;
        return finish(GLINT_EXIT_HOST_CALL, argument);
      case kSay:
        print({reinterpret_cast<const char*>(area_.data() + argument.bits), argument.length});
        return finish(GLINT_EXIT_RESULT, {});
      case kNegate:
        argument.bits ^= 1;
        return finish(GLINT_EXIT_RESULT, argument);
      case kHalf: {
        auto bits = static_cast<uint32_t>(argument.bits);
        bits -= 1u << 23;  // one less in the exponent
        argument.bits = bits;
        return finish(GLINT_EXIT_RESULT, argument);
      }
      default:
        return finish(GLINT_EXIT_RESULT, argument);  // an echo, as a view of the argument
    }
  }

  // Returns what the host function returned; an error of the host becomes the call's.
  void end_host_call() {
    header_.exit_code = header_.host_code;
    const bool good = header_.host_status == GLINT_HOST_OK;
    finish(good ? GLINT_EXIT_RESULT : GLINT_EXIT_ERROR, value_at(header_.call_end + 64));
  }

  void finish(glint_abi_exit kind, const glint_abi_value& value) {
    header_.exit_kind = kind;
    header_.exit_frame = header_.call_end;
    std::memcpy(area_.data() + header_.exit_frame, &value, sizeof(value));
  }

  glint_abi_value value_at(uint64_t offset) const {
    glint_abi_value value{};
    std::memcpy(&value, area_.data() + offset, sizeof(value));
    return value;
  }

  glint_abi_value text_value(std::string_view text) {
    const uint64_t at = header_.call_end + 64;
    std::memcpy(area_.data() + at, text.data(), text.size());
    return {GLINT_ABI_STRING, static_cast<uint32_t>(text.size()), at};
  }

  void print(std::string_view text) {
    const glint_abi_text_record record{GLINT_TEXT_STDOUT, static_cast<uint32_t>(text.size())};
    std::byte* at = area_.data() + GLINT_TRANSFER_TEXT;
    std::memcpy(at, &record, sizeof(record));
    std::memcpy(at + sizeof(record), text.data(), text.size());
    header_.text_size = static_cast<uint32_t>(sizeof(record) + (text.size() + 7) / 8 * 8);
  }

  std::span<std::byte> area_;
  glint_abi_header header_{};
  std::shared_ptr<core::FakeHypervisor> hypervisor_;
  std::shared_ptr<core::Engine> engine_;
};

}  // namespace glint::test
