// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guest_options.hpp"

namespace glint::cli {

// The commands, one per file. Each returns the exit code, and throws glint::Error for what main reports.

struct RunOptions {
  GuestOptions guest;
  std::string program;
  std::vector<std::string> arguments;
};
int run_program(const RunOptions& options);

struct CallOptions {
  GuestOptions guest;
  bool json = false;
  uint64_t repeat = 1;
  std::string output;  // file for the result; empty: standard output
  std::string image;
  std::string function;
  std::vector<std::string> arguments;
};
int call_function(const CallOptions& options);

struct InspectOptions {
  MemoryOptions memory;
  bool json = false;
  std::string image;
};
int inspect_image(const InspectOptions& options);

int examine_machine(bool json);

}  // namespace glint::cli
