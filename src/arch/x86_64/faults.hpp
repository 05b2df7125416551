// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "arch/x86_64/system_pages.hpp"
#include "base/result.hpp"

namespace glint::core {

// What an exception means: its name, the signal that Linux would have raised, and for page faults the kind of
// access. `cr2` is the address of a page fault. The symbol is left to the caller.
Fault describe_exception(const ExceptionFrame& frame, uint64_t cr2);

// A fault that Glint found itself: a forbidden port, memory that is not there.
Fault make_fault(const char* name, int signal, uint64_t address, uint64_t instruction);

}  // namespace glint::core
