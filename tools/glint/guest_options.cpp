// SPDX-License-Identifier: Apache-2.0
#include "guest_options.hpp"

#include "arguments.hpp"
#include "files.hpp"
#include "output.hpp"

namespace glint::cli {

ImageOptions image_options(const MemoryOptions& options) {
  ImageOptions image;
  if (!options.memory.empty()) image.memory_size = parse_size(options.memory, "--memory");
  if (!options.stack.empty()) image.stack_size = parse_size(options.stack, "--stack");
  return image;
}

ImageOptions image_options(const GuestOptions& options) {
  ImageOptions image = image_options(static_cast<const MemoryOptions&>(options));
  image.large_pages = options.large_pages;
  for (const std::string& file : options.files) {
    const auto [guest_path, host_path] = split_pair(file, "--file", "GUESTPATH=HOSTPATH");
    if (!guest_path.starts_with('/')) {
      throw Error(GLINT_E_INVALID_ARGUMENT, "--file " + file + ": the guest's path must begin with /");
    }
    image.files.push_back({std::string(guest_path), read_file(std::string(host_path))});
  }
  return image;
}

EngineOptions engine_options(const GuestOptions& options, std::optional<std::chrono::nanoseconds> without) {
  EngineOptions engine;
  engine.deadline = options.deadline.empty() ? without : parse_deadline(options.deadline);
  return engine;
}

SandboxOptions sandbox_options(const GuestOptions& options, std::vector<std::string> arguments,
                               UnknownSyscalls& unknown) {
  SandboxOptions sandbox;
  sandbox.args = std::move(arguments);
  for (const std::string& variable : options.environment) split_pair(variable, "--env", "NAME=VALUE");
  sandbox.env = options.environment;
  if (options.trace_syscalls) {
    sandbox.trace_all = true;
    sandbox.trace = [&unknown](const SyscallReport& call) {
      unknown.count(call);
      report_line(format_syscall(call));
    };
  }
  return sandbox;
}

}  // namespace glint::cli
