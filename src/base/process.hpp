// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

namespace glint::core {

// getpid() without a system call, for what is asked at every call of a guest: 3 ns against 240 here. In a
// child of fork it is the child's. Thread-safe.
pid_t current_process();

}  // namespace glint::core
