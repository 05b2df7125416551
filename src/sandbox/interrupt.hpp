// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/process.hpp"
#include "base/result.hpp"
#include "sandbox/call_control.hpp"

namespace glint::core {

// Stops the calls that it was given to, and every one that it is given to later. Thread-safe. Lock order: an
// Interrupt's mutex before that of a CallControl.
//
// A child of fork inherits the calls of its parent's threads, which do not run in it, and perhaps a mutex
// that one of them held: there, raising sets the flag and reaches nobody, and no call may be given the
// interrupt.
class Interrupt {
 public:
  // How many running calls were told that had not been stopped before.
  uint32_t raise();
  bool raised() const { return raised_.load(std::memory_order_acquire); }
  bool is_forked() const { return owner_ != current_process(); }

  // Call `number` of `control` is under way from link() to unlink().
  void link(CallControl& control, uint64_t number);
  void unlink(CallControl& control);

 private:
  const pid_t owner_ = current_process();
  std::atomic<bool> raised_{false};  // set under mutex_
  std::mutex mutex_;
  std::vector<std::pair<CallControl*, uint64_t>> calls_;  // guarded by mutex_
};

// GLINT_E_UNSUPPORTED where `interrupt`, which may be null, is the parent's.
Result<void> check_owner(const std::shared_ptr<Interrupt>& interrupt);

}  // namespace glint::core
