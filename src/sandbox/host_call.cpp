// SPDX-License-Identifier: Apache-2.0
#include "sandbox/host_call.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "transfer/frame.hpp"
#include "transfer/header.hpp"

namespace glint::core {
namespace {

constexpr size_t kMaxFailureText = 4096;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

// Room for `size` bytes at reply_. Growing does not move the area, so the arguments' views stay valid.
Result<void> HostCallFrame::make_room(uint64_t size) { return shell_.grow_transfer(reply_ + size); }

Result<void> HostCallFrame::set_result(const Value& value) {
  GLINT_TRY(check_value("result of host function '" + signature_.name + "'", signature_.result, value));
  const std::span<const Value> one(&value, 1);
  GLINT_TRY(make_room(frame_size(one)));
  write_frame(shell_.transfer(), reply_, one);
  has_result_ = true;
  reserved_ = {};
  return {};
}

Result<std::span<std::byte>> HostCallFrame::reserve(uint64_t size) {
  if (signature_.result != GLINT_ABI_STRING && signature_.result != GLINT_ABI_BYTES) {
    return error(GLINT_E_SIGNATURE, "host function '" + signature_.name + "' was declared to return " +
                                        std::string(type_name(signature_.result)) + ", not string or bytes");
  }
  if (size > GLINT_MAX_PAYLOAD) {
    return error(GLINT_E_TOO_LARGE, "result of host function '" + signature_.name + "': " +
                                        std::to_string(size) + " bytes are more than one value may have");
  }
  const uint64_t payload = reply_ + sizeof(glint_abi_value);
  GLINT_TRY(make_room(sizeof(glint_abi_value) + size));
  glint_abi_value slot{};
  slot.type = signature_.result;
  slot.length = static_cast<uint32_t>(size);
  slot.bits = payload;
  std::memcpy(shell_.transfer().data() + reply_, &slot, sizeof slot);
  has_result_ = true;
  reserved_ = shell_.transfer().subspan(payload, size);
  return reserved_;
}

void HostCallFrame::set_failure_text(std::string_view text) {
  text = text.substr(0, std::min(text.size(), kMaxFailureText));
  // A cut may have split a character; what is not UTF-8 is not for the guest.
  while (!text.empty() && !is_utf8(bytes_of(text))) text.remove_suffix(1);
  failure_text_ = text;
}

Result<void> HostCallFrame::on_stop(std::function<void()> notify) {
  if (!notify) {
    end_notify();
    return {};
  }
  if (!control_.set_notify(std::move(notify))) {
    return error(GLINT_E_BUSY, "host function '" + signature_.name + "' asked to be told already");
  }
  has_notify_ = true;
  return {};
}

void HostCallFrame::end_notify() {
  if (!has_notify_) return;
  control_.clear_notify();
  has_notify_ = false;
}

Result<int32_t> HostCallFrame::finish(int32_t status) {
  if (status == GLINT_OK && signature_.result != GLINT_ABI_VOID && !has_result_) {
    status = GLINT_E_HOST_FUNCTION;
    failure_text_ = "host function '" + signature_.name + "' gave no result";
  }
  // What was written in place can only be looked at now.
  if (status == GLINT_OK && signature_.result == GLINT_ABI_STRING && !is_utf8(reserved_)) {
    status = GLINT_E_HOST_FUNCTION;
    failure_text_ = "host function '" + signature_.name + "' gave a string that is not valid UTF-8";
  }
  if (status == GLINT_OK) {
    write_answer(shell_.transfer(), GLINT_HOST_OK, 0);
    return status;
  }
  const Value text = Value::of_bytes(GLINT_ABI_STRING, bytes_of(failure_text_));
  const std::span<const Value> one(&text, 1);
  GLINT_TRY(make_room(frame_size(one)));
  write_frame(shell_.transfer(), reply_, one);
  write_answer(shell_.transfer(), GLINT_HOST_ERROR, status);
  return status;
}

}  // namespace glint::core
