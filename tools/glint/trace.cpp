// SPDX-License-Identifier: Apache-2.0
#include "trace.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "output.hpp"

namespace glint::cli {
namespace {

// How many arguments a system call has: those behind them are what happened to be in the registers. All that
// the libos serves, by name; for others all six are shown.
struct ArgumentCount {
  std::string_view name;
  size_t count;
};
constexpr ArgumentCount kArgumentCounts[] = {
    {"access", 2},
    {"arch_prctl", 2},
    {"brk", 1},
    {"chdir", 1},
    {"chmod", 2},
    {"clock_getres", 2},
    {"clock_gettime", 2},
    {"clock_nanosleep", 4},
    {"clone", 5},
    {"clone3", 2},
    {"close", 1},
    {"creat", 2},
    {"dup", 1},
    {"dup2", 2},
    {"dup3", 3},
    {"execve", 3},
    {"exit", 1},
    {"exit_group", 1},
    {"faccessat", 3},
    {"faccessat2", 4},
    {"fcntl", 3},
    {"fork", 0},
    {"fstat", 2},
    {"futex", 6},
    {"getcwd", 2},
    {"getegid", 0},
    {"geteuid", 0},
    {"getgid", 0},
    {"getpgrp", 0},
    {"getpid", 0},
    {"getppid", 0},
    {"getrandom", 3},
    {"getrlimit", 2},
    {"getrusage", 2},
    {"gettid", 0},
    {"gettimeofday", 2},
    {"getuid", 0},
    {"ioctl", 3},
    {"kill", 2},
    {"lseek", 3},
    {"lstat", 2},
    {"madvise", 3},
    {"mkdir", 2},
    {"mkdirat", 3},
    {"mmap", 6},
    {"mprotect", 3},
    {"mremap", 5},
    {"munmap", 2},
    {"nanosleep", 2},
    {"newfstatat", 4},
    {"open", 3},
    {"openat", 4},
    {"poll", 3},
    {"ppoll", 5},
    {"pread64", 4},
    {"prlimit64", 4},
    {"pselect6", 6},
    {"pwrite64", 4},
    {"read", 3},
    {"readlink", 3},
    {"readlinkat", 4},
    {"readv", 3},
    {"rename", 2},
    {"renameat", 4},
    {"renameat2", 5},
    {"rmdir", 1},
    {"rseq", 4},
    {"rt_sigaction", 4},
    {"rt_sigprocmask", 4},
    {"sched_getaffinity", 3},
    {"sched_yield", 0},
    {"select", 5},
    {"set_robust_list", 2},
    {"set_tid_address", 1},
    {"sigaltstack", 2},
    {"stat", 2},
    {"statx", 5},
    {"sysinfo", 1},
    {"tgkill", 3},
    {"time", 1},
    {"times", 1},
    {"tkill", 2},
    {"truncate", 2},
    {"umask", 1},
    {"uname", 1},
    {"unlink", 1},
    {"unlinkat", 3},
    {"vfork", 0},
    {"write", 3},
    {"writev", 3},
};

size_t argument_count(std::string_view name) {
  const auto* const found = std::ranges::find(kArgumentCounts, name, &ArgumentCount::name);
  return found != std::end(kArgumentCounts) ? found->count : 6;
}

std::string name_of(const SyscallReport& call) {
  return call.name.empty() ? "#" + std::to_string(call.number) : std::string(call.name);
}

std::string format_result(int64_t result) {
  // Linux' convention: -4095 to -1 are error numbers.
  if (result < 0 && result >= -4095) {
    const char* name = strerrorname_np(static_cast<int>(-result));
    return std::to_string(result) + (name != nullptr ? " " + std::string(name) : "");
  }
  // Numbers a person would count in, or an address.
  constexpr int64_t kLargeNumber = 1 << 20;
  return result >= 0 && result < kLargeNumber ? std::to_string(result) : hex(static_cast<uint64_t>(result));
}

}  // namespace

std::string format_syscall(const SyscallReport& call) {
  std::string line = name_of(call) + "(";
  const size_t count = argument_count(call.name);
  for (size_t i = 0; i < count; ++i) line += (i == 0 ? "" : ", ") + hex(call.arguments[i]);
  line += ") = " + format_result(call.result);
  if (call.unknown) line += "  (not served by Glint)";
  return line;
}

void UnknownSyscalls::count(const SyscallReport& call) {
  if (call.unknown) ++counts_[name_of(call)];
}

std::string UnknownSyscalls::summary() const {
  uint64_t total = 0;
  std::string names;
  for (const auto& [name, count] : counts_) {
    total += count;
    names += (names.empty() ? "" : ", ") + name + " (" + std::to_string(count) + ")";
  }
  return std::to_string(total) + (total == 1 ? " system call" : " system calls") +
         " that Glint does not serve: " + names;
}

}  // namespace glint::cli
