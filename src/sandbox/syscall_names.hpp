// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace glint::core {

// Linux' name of an x86-64 system call; empty for a number that has none.
std::string_view syscall_name(uint64_t number);

}  // namespace glint::core
