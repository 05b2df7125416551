// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "exit_codes.hpp"
#include "files.hpp"
#include "output.hpp"
#include "stubs.hpp"

namespace glint::cli {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// What was measured, in microseconds.
struct Times {
  double load = 0;
  double create = 0;  // a sandbox, and its program's start-up until it waits for calls
  double first_call = 0;
  std::vector<double> warm;  // the calls behind the first; that one when there are no others; sorted

  double min() const { return warm.front(); }
  double median() const {
    const size_t middle = warm.size() / 2;
    return warm.size() % 2 != 0 ? warm[middle] : (warm[middle - 1] + warm[middle]) / 2;
  }
  // The smallest that 99 of 100 do not exceed.
  double p99() const { return warm[(warm.size() * 99 + 99) / 100 - 1]; }
};

struct Outcome {
  glint_value result{};         // a view that the sandbox holds
  SandboxCounters total;        // since the sandbox was made
  SandboxCounters before_last;  // what `total` was before the last call
  Times times;
};

const FunctionInfo& find_export(const Image& image, const std::string& name) {
  if (const FunctionInfo* function = image.find_export(name)) return *function;
  // The library's message lists what there is.
  uint32_t index = 0;
  glint_error* error = nullptr;
  const glint_status status =
      glint_image_find_export(image.handle(), {name.data(), name.size()}, &index, &error);
  throw Error::take(status, error);
}

// By way of the C function, because the types are known only now.
glint_value call_once(const Sandbox& sandbox, const FunctionInfo& function,
                      const std::vector<glint_value>& arguments) {
  glint_value result{};
  glint_error* error = nullptr;
  const glint_status status = glint_call(sandbox.handle(), function.index, arguments.data(),
                                         static_cast<uint32_t>(arguments.size()), nullptr, &result, &error);
  if (status != GLINT_OK) throw Error::take(status, error);
  return result;
}

void start(Sandbox& sandbox) {
  if (const std::optional<int32_t> status = sandbox.run()) {
    throw Error(GLINT_E_ENDED, "the program ended with exit status " + std::to_string(*status) +
                                   " before it could be called");
  }
}

void call_repeatedly(Sandbox& sandbox, const FunctionInfo& function, const std::vector<Value>& values,
                     uint64_t repeat, Outcome& outcome) {
  std::vector<glint_value> arguments;
  arguments.reserve(values.size());
  for (const Value& value : values) arguments.push_back(value.view());
  Times& times = outcome.times;
  times.warm.reserve(repeat);
  for (uint64_t i = 0; i < repeat; ++i) {
    if (i + 1 == repeat) outcome.before_last = sandbox.counters();
    const Clock::time_point begin = Clock::now();
    outcome.result = call_once(sandbox, function, arguments);
    times.warm.push_back(microseconds_since(begin));
  }
  outcome.total = sandbox.counters();
  times.first_call = times.warm.front();
  if (repeat > 1) times.warm.erase(times.warm.begin());
  std::ranges::sort(times.warm);
}

// To the nanosecond: more digits would only look exact.
double rounded(double microseconds) { return std::round(microseconds * 1000) / 1000; }

Json json_report(const CallOptions& options, const FunctionInfo& function, std::string_view backend,
                 const Outcome& outcome) {
  const Times& times = outcome.times;
  const SandboxCounters& total = outcome.total;
  const SandboxCounters& before = outcome.before_last;
  Json result = json_of(outcome.result);
  if (!options.output.empty()) result = {{"file", options.output}};
  return {
      {"function", function.name + function.signature()},
      {"result", result},
      {"backend", backend},
      {"counters",
       {{"calls", total.calls},
        {"host_calls", total.host_calls},
        {"exits", total.exits},
        {"ioctls", total.ioctls},
        {"attaches", total.attaches},
        {"unknown_syscalls", total.unknown_syscalls},
        {"output_bytes", total.output_bytes}}},
      {"last_call",
       {{"host_calls", total.host_calls - before.host_calls},
        {"exits", total.exits - before.exits},
        {"ioctls", total.ioctls - before.ioctls}}},
      {"load_us", rounded(times.load)},
      {"create_us", rounded(times.create)},
      {"first_call_us", rounded(times.first_call)},
      {"latency_us",
       {{"calls", times.warm.size()},
        {"min", rounded(times.min())},
        {"median", rounded(times.median())},
        {"p99", rounded(times.p99())}}},
  };
}

// Strings and numbers end with a newline for the sake of terminals and pipes; bytes are exactly the bytes,
// but a terminal gets them in a form that does not upset it.
void print_result(const glint_value& result) {
  if (result.type == GLINT_VOID) return;
  if (result.type != GLINT_BYTES) return print(plain(result) + "\n");
  const std::string_view bytes = payload_of(result);
  if (::isatty(STDOUT_FILENO) == 0) return print(bytes);
  constexpr size_t kShown = 256;
  print(hex_bytes(bytes.substr(0, kShown)) + (bytes.size() > kShown ? "…\n" : "\n"));
  if (bytes.size() > kShown) complain(std::to_string(bytes.size()) + " bytes; --output FILE keeps them all");
}

void report(const CallOptions& options, const FunctionInfo& function, std::string_view backend,
            const Outcome& outcome) {
  if (!options.output.empty()) {
    const std::string content = plain(outcome.result);
    write_file(options.output, std::as_bytes(std::span(content)));
  }
  if (options.json) return print_json(json_report(options, function, backend, outcome));
  if (options.output.empty()) print_result(outcome.result);
  if (options.repeat == 1) return;
  const Times& times = outcome.times;
  std::array<char, 160> line;
  // Cut where it does not fit, which it does.
  static_cast<void>(std::snprintf(
      line.data(), line.size(), "create %.0f us, first call %.1f us, then min %.1f, median %.1f, p99 %.1f us",
      times.create, times.first_call, times.min(), times.median(), times.p99()));
  complain(line.data());
}

void call_and_report(const CallOptions& options, UnknownSyscalls& unknown) {
  const ImageOptions loading = image_options(options.guest);
  SandboxOptions running = sandbox_options(options.guest, {options.image}, unknown);
  // Standard output is for the result.
  running.output = [](int, std::string_view text) {
    static_cast<void>(write_guest_text(STDERR_FILENO, text));
  };

  Outcome outcome;
  const Engine engine(engine_options(options.guest));
  const Clock::time_point load_begin = Clock::now();
  const Image image = engine.load(options.image, loading);
  outcome.times.load = microseconds_since(load_begin);
  const FunctionInfo& function = find_export(image, options.function);
  const std::vector<Value> arguments = parse_arguments(function, options.arguments);
  const Stubs stubs(image, options.guest.stubs, options.guest.verbose);

  const Clock::time_point create_begin = Clock::now();
  Sandbox sandbox(image, stubs.functions(), std::move(running));
  start(sandbox);
  outcome.times.create = microseconds_since(create_begin);
  call_repeatedly(sandbox, function, arguments, options.repeat, outcome);
  report(options, function, engine.backend(), outcome);
}

}  // namespace

int call_function(const CallOptions& options) {
  UnknownSyscalls unknown;
  try {
    call_and_report(options, unknown);
    if (unknown.any()) complain(unknown.summary());
    return kSuccess;
  } catch (const Error& error) {
    if (unknown.any()) complain(unknown.summary());
    const int exit_code = exit_code_for(error);
    if (options.json) print_json(Json{{"error", json_of(error)}, {"exit_code", exit_code}});
    throw;
  }
}

}  // namespace glint::cli
