// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "trace.hpp"

namespace glint::cli {

// Options of several commands, as texts from the command line; empty: not given.
struct MemoryOptions {
  std::string memory;
  std::string stack;
};

struct GuestOptions : MemoryOptions {
  std::vector<std::string> environment;  // NAME=VALUE
  std::vector<std::string> files;        // GUESTPATH=HOSTPATH
  std::vector<std::string> stubs;        // NAME=VALUE
  std::string deadline;                  // seconds, or "none"
  bool large_pages = false;
  bool verbose = false;  // report every call of an import
  bool trace_syscalls = false;
};

// What the library is to be told; files are read here.
ImageOptions image_options(const MemoryOptions& options);
ImageOptions image_options(const GuestOptions& options);

// The engine's; `without` is the deadline where the command line names none.
EngineOptions engine_options(const GuestOptions& options,
                             std::optional<std::chrono::nanoseconds> without = {});

// Arguments, environment and trace; the callbacks for what the guest prints and reads are left to the caller.
// `unknown` must live as long as the sandbox.
SandboxOptions sandbox_options(const GuestOptions& options, std::vector<std::string> arguments,
                               UnknownSyscalls& unknown);

}  // namespace glint::cli
