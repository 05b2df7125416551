// SPDX-License-Identifier: Apache-2.0
#include "sandbox/interrupt.hpp"

#include <algorithm>

namespace glint::core {

uint32_t Interrupt::raise() {
  if (is_forked()) {
    raised_.store(true, std::memory_order_release);
    return 0;
  }
  const std::lock_guard lock(mutex_);
  raised_.store(true, std::memory_order_release);
  return static_cast<uint32_t>(std::count_if(calls_.begin(), calls_.end(), [](const auto& call) {
    return call.first->stop(call.second, StopReason::kInterrupt);
  }));
}

void Interrupt::link(CallControl& control, uint64_t number) {
  const std::lock_guard lock(mutex_);
  calls_.emplace_back(&control, number);
  if (raised()) control.stop(number, StopReason::kInterrupt);
}

void Interrupt::unlink(CallControl& control) {
  const std::lock_guard lock(mutex_);
  std::erase_if(calls_, [&](const auto& call) { return call.first == &control; });
}

Result<void> check_owner(const std::shared_ptr<Interrupt>& interrupt) {
  if (!interrupt || !interrupt->is_forked()) return {};
  return error(GLINT_E_UNSUPPORTED,
               "the interrupt was inherited from the parent process; a child of fork must make its own");
}

}  // namespace glint::core
