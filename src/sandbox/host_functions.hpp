// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/elf.hpp"
#include "sandbox/call_control.hpp"
#include "transfer/value.hpp"

namespace glint::core {

// One call of a host function, as its callback sees it. Implemented by the call loop.
class HostCall {
 public:
  // As many and of the types that were declared. Views of memory that cannot change: the only vCPU is
  // stopped.
  virtual std::span<const Value> arguments() const = 0;
  // Copies the result to the guest, checked against the declared type.
  virtual Result<void> set_result(const Value& value) = 0;
  // Room for a string or bytes result, written in place.
  virtual Result<std::span<std::byte>> reserve(uint64_t size) = 0;
  // What the guest is told if the callback fails.
  virtual void set_failure_text(std::string_view text) = 0;
  // What the host program is given back if the callback fails, and the guest's call after that.
  virtual void set_failure_token(std::shared_ptr<void> token) = 0;
  // Whether the call that the guest is in is to end, and why.
  virtual StopReason stopped() const = 0;
  // Has `notify` called when that changes; see CallControl::set_notify. Null takes it back. GLINT_E_BUSY when
  // there is one.
  virtual Result<void> on_stop(std::function<void()> notify) = 0;

 protected:
  ~HostCall() = default;
};

// The functions that guests may call. Filled by one thread; frozen by the first sandbox that uses it.
class HostFunctions {
 public:
  // Returns GLINT_OK, or the code that the guest receives.
  using Callback = std::function<int32_t(HostCall&)>;

  struct Entry {
    Function signature;
    Callback callback;
  };

  // GLINT_E_BUSY when frozen; GLINT_E_INVALID_ARGUMENT for a bad name, a bad type or a name that is there
  // already.
  Result<void> add(std::string name, glint_abi_type result, std::vector<glint_abi_type> params,
                   Callback callback);

  const Entry* find(std::string_view name) const;
  void freeze() const { frozen_.store(true, std::memory_order_release); }

 private:
  std::map<std::string, Entry, std::less<>> entries_;
  mutable std::atomic<bool> frozen_{false};
};

}  // namespace glint::core
