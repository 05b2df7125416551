// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <cstdint>

#include "base/result.hpp"

namespace glint::core {

// Starts a thread of the library's own that runs `body(argument)`; it is to be joined. It receives none of
// the program's signals. `name` is for people who look at a process: up to 15 characters.
Result<pthread_t> start_thread(const char* name, void (*body)(void*), void* argument);

// This thread's number, which no other thread of the process ever has, as a pthread_t may; never 0.
uint64_t thread_number();

// Moves this thread to another processor than `cpu`, if it may run on any other. It may come back later.
void leave_processor(int cpu);

}  // namespace glint::core
