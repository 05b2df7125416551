// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "sandbox/host_functions.hpp"
#include "shell/shell.hpp"

namespace glint::core {

// A host call under way: its result goes straight into the guest's transfer area, at `reply`.
class HostCallFrame final : public HostCall {
 public:
  // `reply` lies behind the arguments and is aligned: the caller has checked it.
  HostCallFrame(Shell& shell, CallControl& control, const Function& signature,
                std::span<const Value> arguments, uint64_t reply)
      : shell_(shell), control_(control), signature_(signature), arguments_(arguments), reply_(reply) {}
  ~HostCallFrame() { end_notify(); }
  HostCallFrame(const HostCallFrame&) = delete;
  HostCallFrame& operator=(const HostCallFrame&) = delete;

  std::span<const Value> arguments() const override { return arguments_; }
  Result<void> set_result(const Value& value) override;
  Result<std::span<std::byte>> reserve(uint64_t size) override;
  void set_failure_text(std::string_view text) override;
  void set_failure_token(std::shared_ptr<void> token) override { token_ = std::move(token); }
  StopReason stopped() const override { return control_.reason(); }
  Result<void> on_stop(std::function<void()> notify) override;

  // After the callback, which returned `status`: tells the guest how it went. What it was told: GLINT_OK, or
  // the code of the failure.
  Result<int32_t> finish(int32_t status);

  const std::string& failure_text() const { return failure_text_; }
  std::shared_ptr<void> take_token() { return std::move(token_); }

 private:
  Result<void> make_room(uint64_t size);
  void end_notify();

  Shell& shell_;
  CallControl& control_;
  const Function& signature_;
  std::span<const Value> arguments_;
  uint64_t reply_;
  bool has_result_ = false;
  std::span<std::byte> reserved_;  // a result that the callback writes in place
  std::string failure_text_;
  std::shared_ptr<void> token_;
  bool has_notify_ = false;  // there is something to be taken back: most calls need not take the lock
};

}  // namespace glint::core
