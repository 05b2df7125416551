// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "output.hpp"
#include "stubs.hpp"
#include "trace.hpp"

namespace glint::cli {
namespace {

// What reading and writing on behalf of the guest ran into: the guest cannot be told, the user can.
struct StreamErrors {
  int input = 0;
  int output = 0;
};

size_t read_input(std::span<std::byte> buffer, StreamErrors& errors) {
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR) continue;
    errors.input = errno;
    return 0;
  }
}

SandboxOptions running_options(const RunOptions& options, StreamErrors& errors, UnknownSyscalls& unknown) {
  std::vector<std::string> arguments = {options.program};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  SandboxOptions sandbox = sandbox_options(options.guest, std::move(arguments), unknown);
  sandbox.output = [&errors](int stream, std::string_view text) {
    if (const int error = write_guest_text(stream, text); error != 0 && stream == STDOUT_FILENO)
      errors.output = error;
  };
  sandbox.input = [&errors](std::span<std::byte> buffer) { return read_input(buffer, errors); };
  return sandbox;
}

void report_stream_error(std::string_view doing, int error) {
  complain("cannot " + std::string(doing) + ": " + std::strerror(error));
}

// The program did not end: it waits for calls.
void tell_how_to_call(const std::string& program, const Image& image) {
  std::string first;
  size_t exports = 0;
  for (const FunctionInfo& function : image.functions()) {
    if (function.kind == FunctionInfo::Kind::kExport && exports++ == 0)
      first = function.name + function.signature();
  }
  if (exports == 0)
    return complain(program + " waits for calls, but exports no function that could be called");
  complain(program + " started and waits for calls; it exports " + first +
           (exports > 1 ? " and " + std::to_string(exports - 1) + " more" : "") + "; try: glint call " +
           program + " FUNCTION ARGS");
}

}  // namespace

int run_program(const RunOptions& options) {
  const ImageOptions loading = image_options(options.guest);
  StreamErrors errors;
  UnknownSyscalls unknown;
  SandboxOptions running = running_options(options, errors, unknown);

  const Engine engine(engine_options(options.guest, kNoDeadline));  // programs may run for long
  const Image image = engine.load(options.program, loading);
  const Stubs stubs(image, options.guest.stubs, options.guest.verbose);
  Sandbox sandbox(image, stubs.functions(), std::move(running));
  const Expected<std::optional<int32_t>> ended = sandbox.try_run();

  if (unknown.any()) complain(unknown.summary());
  if (errors.input != 0) report_stream_error("read standard input", errors.input);
  if (errors.output != 0) report_stream_error("write to standard output", errors.output);
  const std::optional<int32_t> exit_status = ended.value();  // throws what went wrong in the guest
  if (errors.input != 0 || errors.output != 0) return kGlintFailed;
  if (exit_status) return *exit_status;
  tell_how_to_call(options.program, image);
  return kSuccess;
}

}  // namespace glint::cli
