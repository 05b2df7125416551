// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <cstdint>

#include "base/result.hpp"

namespace glint::core {

// The signal that makes a thread leave KVM_RUN. Its handler does nothing: what matters is that the system
// call returns. It is installed once per process, and stays.

// Installs the handler for `wanted`, or for the highest real-time signal whose disposition is the default
// when that is 0. GLINT_E_INVALID_ARGUMENT for a signal that is not real-time, or is SIGRTMIN, which .NET
// uses; GLINT_E_BUSY when the program handles it already, or when Glint uses another one by now. Thread-safe.
Result<void> install_kick_signal(uint32_t wanted);

// The signal, once it is installed; 0 before.
int kick_signal();

// Sends it. `thread` must exist. False when the user's queue of real-time signals is full
// (RLIMIT_SIGPENDING): it drains by itself, so try again.
bool send_kick(pthread_t thread);

// While this lives, its thread lets the kick signal through, whatever mask the program gave it.
class KickUnblocked {
 public:
  KickUnblocked();
  ~KickUnblocked();
  KickUnblocked(const KickUnblocked&) = delete;
  KickUnblocked& operator=(const KickUnblocked&) = delete;

 private:
  bool was_blocked_ = false;
};

}  // namespace glint::core
