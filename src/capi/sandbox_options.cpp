// SPDX-License-Identifier: Apache-2.0
#include "capi/sandbox_options.hpp"

#include "capi/structs.hpp"
#include "capi/user_data.hpp"

using namespace glint;
using namespace glint::capi;

namespace {

constexpr glint_sandbox_options kDefaults{.struct_size = sizeof(glint_sandbox_options),
                                          .flags = 0,
                                          .arguments = nullptr,
                                          .argument_count = 0,
                                          .environment = nullptr,
                                          .environment_count = 0,
                                          .output = nullptr,
                                          .output_user_data = nullptr,
                                          .output_destroy = nullptr,
                                          .input = nullptr,
                                          .input_user_data = nullptr,
                                          .input_destroy = nullptr,
                                          .trace = nullptr,
                                          .trace_user_data = nullptr,
                                          .trace_destroy = nullptr,
                                          .max_depth = 0,
                                          .reserved = 0,
                                          .tenant = {nullptr, 0}};

Result<std::vector<std::string>> read_texts(const glint_str* texts, uint64_t count, std::string_view name) {
  if (texts == nullptr && count != 0) return null_argument(name);
  std::vector<std::string> result;
  for (uint64_t i = 0; i < count; ++i) {
    GLINT_TRY_ASSIGN(text, read_c_text(texts[i], name));
    result.push_back(std::move(text));
  }
  return result;
}

void forward_trace(glint_trace trace, void* user_data, const core::SyscallReport& report) noexcept {
  glint_syscall call{};
  call.number = report.number;
  for (size_t i = 0; i < std::size(call.arguments); ++i) call.arguments[i] = report.arguments[i];
  call.result = report.result;
  call.unknown = report.unknown ? 1 : 0;
  call.name = as_str(report.name);
  trace(user_data, &call);
}

// The callbacks are called from `noexcept` lambdas: one that throws has broken its contract, and ends the
// process there rather than unwind through the call loop. A std::function copies what it holds, hence shared;
// one that only owns user data is never called.
void adapt_callbacks(const glint_sandbox_options& from, UserData output_data, UserData input_data,
                     UserData trace_data, core::SandboxOptions& options) {
  const auto share = [](UserData& data) { return std::make_shared<const UserData>(std::move(data)); };
  if (from.output != nullptr) {
    options.output = [output = from.output, data = share(output_data)](
                         uint32_t stream, std::span<const std::byte> text) noexcept {
      output(data->get(), stream, text.data(), text.size());
    };
  }
  if (from.input != nullptr) {
    options.input = [input = from.input, data = share(input_data)](std::span<std::byte> buffer) noexcept {
      return input(data->get(), buffer.data(), buffer.size());
    };
  }
  if (from.trace != nullptr) {
    options.trace = [trace = from.trace,
                     data = share(trace_data)](const core::SyscallReport& report) noexcept {
      forward_trace(trace, data->get(), report);
    };
  }
}

Result<void> read_texts(const glint_sandbox_options& from, core::SandboxOptions& options) {
  GLINT_TRY_ASSIGN(arguments,
                   read_texts(from.arguments, from.argument_count, "glint_sandbox_options.arguments"));
  options.arguments = std::move(arguments);
  GLINT_TRY_ASSIGN(environment,
                   read_texts(from.environment, from.environment_count, "glint_sandbox_options.environment"));
  options.environment = std::move(environment);
  GLINT_TRY_ASSIGN(tenant, read_text(from.tenant, "glint_sandbox_options.tenant"));
  options.tenant = tenant;
  return {};
}

constexpr glint_call_options kCallDefaults{sizeof(glint_call_options), 0, GLINT_DEADLINE_DEFAULT, nullptr};

}  // namespace

namespace glint::capi {

Result<void> read_options(const glint_sandbox_options* from, core::SandboxOptions& options) {
  if (from == nullptr) return {};
  GLINT_TRY_ASSIGN(read, read_struct(from, kDefaults, "glint_sandbox_options"));
  // Ours from here on, whatever else is wrong.
  UserData output_data(read.output_user_data, read.output_destroy);
  UserData input_data(read.input_user_data, read.input_destroy);
  UserData trace_data(read.trace_user_data, read.trace_destroy);
  if (read.reserved != 0) return reserved_not_zero("glint_sandbox_options");
  constexpr uint32_t kKnownFlags = GLINT_SANDBOX_TRACE | GLINT_SANDBOX_END_ON_HOST_FAILURE |
                                   GLINT_SANDBOX_RESTORE_EACH_CALL | GLINT_SANDBOX_DEDICATED_VM;
  if ((read.flags & ~kKnownFlags) != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT, "glint_sandbox_options.flags has a flag that is not known");
  }
  options.end_on_host_failure = (read.flags & GLINT_SANDBOX_END_ON_HOST_FAILURE) != 0;
  options.restore_each_call = (read.flags & GLINT_SANDBOX_RESTORE_EACH_CALL) != 0;
  options.dedicated_vm = (read.flags & GLINT_SANDBOX_DEDICATED_VM) != 0;
  options.trace_all = (read.flags & GLINT_SANDBOX_TRACE) != 0;
  if (options.trace_all && read.trace == nullptr) return null_argument("glint_sandbox_options.trace");
  if (read.max_depth != 0) options.max_depth = read.max_depth;
  GLINT_TRY(read_texts(read, options));
  adapt_callbacks(read, std::move(output_data), std::move(input_data), std::move(trace_data), options);
  return {};
}

Result<core::CallOptions> read_options(const glint_call_options* from) {
  core::CallOptions options;
  if (from == nullptr) return options;
  GLINT_TRY_ASSIGN(read, read_struct(from, kCallDefaults, "glint_call_options"));
  if (read.reserved != 0) return reserved_not_zero("glint_call_options");
  options.deadline_ns = read.deadline_ns;
  if (read.interrupt != nullptr) options.interrupt = read.interrupt->interrupt;
  return options;
}

}  // namespace glint::capi

void glint_sandbox_options_init(glint_sandbox_options* options, uint32_t size) noexcept {
  init_struct(options, kDefaults, size);
}

void glint_call_options_init(glint_call_options* options, uint32_t size) noexcept {
  init_struct(options, kCallDefaults, size);
}
