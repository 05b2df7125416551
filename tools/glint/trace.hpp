// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "glint/glint.hpp"

namespace glint::cli {

// One line for a system call, much as strace(1) has it: read(0x0, 0x4040a0, 0x400) = 12
std::string format_syscall(const SyscallReport& call);

// What a program wanted of the kernel and did not get.
class UnknownSyscalls {
 public:
  void count(const SyscallReport& call);
  bool any() const { return !counts_.empty(); }

  // "3 system calls that Glint does not serve: io_uring_setup (2), #999 (1)"
  std::string summary() const;

 private:
  std::map<std::string, uint64_t> counts_;  // by name
};

}  // namespace glint::cli
