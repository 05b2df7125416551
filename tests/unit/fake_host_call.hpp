// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/host_functions.hpp"

namespace glint::test {

// A call of a host function without a guest: remembers what the function answered.
class FakeHostCall final : public core::HostCall {
 public:
  void add_scalar(glint_abi_type type, uint64_t bits) {
    arguments_.push_back(core::Value::scalar(type, bits));
  }
  // `text` must outlive this.
  void add_string(std::string_view text, glint_abi_type type = GLINT_ABI_STRING) {
    arguments_.push_back(core::Value::of_bytes(type, std::as_bytes(std::span(text))));
  }

  std::span<const core::Value> arguments() const override { return arguments_; }
  core::Result<void> set_result(const core::Value& value) override {
    if (refuse_result) return core::error(GLINT_E_SIGNATURE, "refused");
    result_type = value.type;
    result_bits = value.bits;
    result_text.clear();
    for (const std::byte byte : value.bytes) result_text += static_cast<char>(byte);
    return {};
  }
  core::Result<std::span<std::byte>> reserve(uint64_t size) override {
    reserved_.resize(size);
    return std::span(reserved_);
  }
  void set_failure_text(std::string_view text) override { failure_text = text; }
  void set_failure_token(std::shared_ptr<void> token) override { failure_token = std::move(token); }
  core::StopReason stopped() const override { return stop_reason; }
  core::Result<void> on_stop(std::function<void()> notify) override {
    if (notify_on_stop) return core::error(GLINT_E_BUSY, "there is one already");
    notify_on_stop = std::move(notify);
    return {};
  }

  std::string reserved_text() const {
    std::string text;
    for (const std::byte byte : reserved_) text += static_cast<char>(byte);
    return text;
  }

  bool refuse_result = false;
  glint_abi_type result_type = GLINT_ABI_VOID;
  uint64_t result_bits = 0;
  std::string result_text;
  std::string failure_text;
  std::shared_ptr<void> failure_token;
  core::StopReason stop_reason = core::StopReason::kNone;
  std::function<void()> notify_on_stop;

 private:
  std::vector<core::Value> arguments_;
  std::vector<std::byte> reserved_;
};

}  // namespace glint::test
