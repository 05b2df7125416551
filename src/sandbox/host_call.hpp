// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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
  HostCallFrame(Shell& shell, const Function& signature, std::span<const Value> arguments, uint64_t reply)
      : shell_(shell), signature_(signature), arguments_(arguments), reply_(reply) {}

  std::span<const Value> arguments() const override { return arguments_; }
  Result<void> set_result(const Value& value) override;
  Result<std::span<std::byte>> reserve(uint64_t size) override;
  void set_failure_text(std::string_view text) override;

  // After the callback: tells the guest how it went. `status` is what the callback returned.
  Result<void> finish(int32_t status);

 private:
  Result<void> make_room(uint64_t size);

  Shell& shell_;
  const Function& signature_;
  std::span<const Value> arguments_;
  uint64_t reply_;
  bool has_result_ = false;
  std::span<std::byte> reserved_;  // a result that the callback writes in place
  std::string failure_text_;
};

}  // namespace glint::core
