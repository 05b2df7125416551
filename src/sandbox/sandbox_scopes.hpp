// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "hypervisor/kick_signal.hpp"
#include "sandbox/sandbox.hpp"

// How a thread is inside a sandbox, and inside a call of it. For the sandbox's own sources.
namespace glint::core {

// How many calls host → guest are nested on this thread. A plain integer: no constructor, no destructor.
inline constinit thread_local uint32_t t_depth = 0;

// One thread's stay inside a sandbox. If it is left by an exception of a callback, the guest is somewhere in
// the middle of its work: the sandbox is poisoned.
class Sandbox::Entry {
 public:
  explicit Entry(Sandbox& sandbox) : sandbox_(sandbox) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() {
    if (!entered_) return;
    if (sandbox_.state_ == State::kRunning) {
      sandbox_.poison("a callback of the host left the call by an exception", false);
    }
    --t_depth;
    sandbox_.entered_.store(false, std::memory_order_release);
  }

  bool try_enter() {
    entered_ = !sandbox_.entered_.exchange(true, std::memory_order_acquire);
    if (entered_) ++t_depth;
    return entered_;
  }

 private:
  Sandbox& sandbox_;
  bool entered_ = false;
};

// One call, as other threads may stop it. Inside an Entry: so nobody else uses control_ to begin one.
class Sandbox::CallScope {
 public:
  CallScope(Sandbox& sandbox, const CallOptions& options) : sandbox_(sandbox), interrupt_(options.interrupt) {
    const uint64_t allowed =
        options.deadline_ns == 0 ? sandbox.image_->engine()->deadline_ns() : options.deadline_ns;
    sandbox.call_deadline_ = 0;
    if (allowed < DeadlineTimer::kLatest) {
      const uint64_t now = clock_ns(CLOCK_MONOTONIC);
      // A deadline behind the end of time is none.
      if (allowed <= DeadlineTimer::kLatest - now) sandbox.call_deadline_ = now + allowed;
    }
    sandbox.call_number_ = sandbox.control_->begin();
    if (interrupt_) interrupt_->link(*sandbox.control_, sandbox.call_number_);
  }
  ~CallScope() {
    if (interrupt_) interrupt_->unlink(*sandbox_.control_);
    sandbox_.control_->end();
  }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  // GLINT_E_INTERRUPTED when its interrupt was raised before.
  Result<void> check() const {
    if (!interrupt_ || !interrupt_->raised()) return {};
    return error(GLINT_E_INTERRUPTED,
                 "the call's interrupt was raised before the guest ran; an interrupt "
                 "stays raised, make a new one for the next call");
  }

 private:
  Sandbox& sandbox_;
  const std::shared_ptr<Interrupt> interrupt_;
  const KickUnblocked kickable_;
};

}  // namespace glint::core
