// SPDX-License-Identifier: Apache-2.0
#include "glint/sandbox.h"

#include <cstdio>
#include <cstdlib>

#include "capi/handles.hpp"
#include "capi/sandbox_options.hpp"
#include "capi/structs.hpp"
#include "capi/values.hpp"
#include "transfer/frame.hpp"

using namespace glint;
using namespace glint::capi;

static_assert(GLINT_STATE_NEW == static_cast<uint32_t>(core::Sandbox::State::kNew));
static_assert(GLINT_STATE_READY == static_cast<uint32_t>(core::Sandbox::State::kReady));
static_assert(GLINT_STATE_RUNNING == static_cast<uint32_t>(core::Sandbox::State::kRunning));
static_assert(GLINT_STATE_POISONED == static_cast<uint32_t>(core::Sandbox::State::kPoisoned));
static_assert(GLINT_STATE_ENDED == static_cast<uint32_t>(core::Sandbox::State::kEnded));

namespace {

static_assert(GLINT_MAX_ARGUMENTS == core::kMaxValues);

Result<void> check_argument_count(uint32_t count) {
  if (count <= GLINT_MAX_ARGUMENTS) return {};
  return core::error(GLINT_E_SIGNATURE, std::to_string(count) +
                                            " arguments were given; no function has more than " +
                                            std::to_string(GLINT_MAX_ARGUMENTS));
}

Result<void> read_arguments(const glint_value* from, std::span<core::Value> to) {
  for (uint32_t i = 0; i < to.size(); ++i) {
    GLINT_TRY_ASSIGN(value, to_core(from[i], i + 1));
    if (value.type == GLINT_ABI_VOID) {
      return core::error(GLINT_E_INVALID_ARGUMENT, value_name(i + 1) + " has type GLINT_VOID");
    }
    to[i] = value;
  }
  return {};
}

// `make` gives the sandbox, from the host functions and the options.
template <class Make>
glint_status create_sandbox(glint_host_functions* functions, const glint_sandbox_options* options,
                            glint_sandbox** sandbox, glint_error** error, Make&& make) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (sandbox != nullptr) *sandbox = nullptr;
    // Before anything else can fail: it takes the callbacks' user data over.
    core::SandboxOptions core_options;
    GLINT_TRY(read_options(options, core_options));
    GLINT_REQUIRE(sandbox);
    auto handle = std::make_unique<glint_sandbox>();
    GLINT_TRY_ASSIGN(made,
                     make(functions == nullptr ? nullptr : functions->functions, std::move(core_options)));
    handle->sandbox = std::move(made);
    *sandbox = handle.release();
    return {};
  });
}

using MadeSandbox = Result<std::unique_ptr<core::Sandbox>>;
using Functions = std::shared_ptr<const core::HostFunctions>;

}  // namespace

glint_status glint_sandbox_create(glint_image* image, glint_host_functions* functions,
                                  const glint_sandbox_options* options, glint_sandbox** sandbox,
                                  glint_error** error) noexcept {
  return create_sandbox(functions, options, sandbox, error,
                        [&](Functions host, core::SandboxOptions core_options) -> MadeSandbox {
                          GLINT_REQUIRE(image);
                          if (core_options.arguments.empty()) core_options.arguments = {"guest"};
                          return core::Sandbox::create(image->image, std::move(host),
                                                       std::move(core_options));
                        });
}

glint_status glint_sandbox_create_from(glint_snapshot* snapshot, glint_host_functions* functions,
                                       const glint_sandbox_options* options, glint_sandbox** sandbox,
                                       glint_error** error) noexcept {
  return create_sandbox(functions, options, sandbox, error,
                        [&](Functions host, core::SandboxOptions core_options) -> MadeSandbox {
                          GLINT_REQUIRE(snapshot);
                          return core::Sandbox::create(snapshot->snapshot, std::move(host),
                                                       std::move(core_options));
                        });
}

void glint_sandbox_free(glint_sandbox* sandbox) noexcept {
  if (sandbox != nullptr && sandbox->sandbox->in_use()) {
    // Going on would free memory that the running call uses.
    // Nothing is left to be done should this fail.
    static_cast<void>(
        std::fputs("glint: glint_sandbox_free was called during a call of the sandbox\n", stderr));
    std::abort();
  }
  if (sandbox != nullptr && sandbox->pool) sandbox->pool->give_back(std::move(sandbox->sandbox));
  delete sandbox;
}

uint32_t glint_sandbox_state(const glint_sandbox* sandbox) noexcept {
  return sandbox == nullptr ? GLINT_STATE_ENDED : static_cast<uint32_t>(sandbox->sandbox->state());
}

glint_status glint_sandbox_run(glint_sandbox* sandbox, const glint_call_options* options, int32_t* exit_code,
                               glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(sandbox);
    if (exit_code != nullptr) *exit_code = 0;
    GLINT_TRY_ASSIGN(call_options, read_options(options));
    GLINT_TRY_ASSIGN(status, sandbox->sandbox->run(call_options));
    if (exit_code != nullptr) *exit_code = status.value_or(0);
    return {};
  });
}

glint_status glint_call(glint_sandbox* sandbox, uint32_t function, const glint_value* arguments,
                        uint32_t argument_count, const glint_call_options* options, glint_value* result,
                        glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(sandbox);
    if (argument_count != 0) GLINT_REQUIRE(arguments);
    if (result != nullptr) *result = glint_value{};
    GLINT_TRY(check_argument_count(argument_count));
    core::ValueList values(argument_count);
    GLINT_TRY(read_arguments(arguments, values.span()));
    GLINT_TRY_ASSIGN(call_options, read_options(options));
    GLINT_TRY_ASSIGN(value, sandbox->sandbox->call(function, values.span(), call_options));
    if (result != nullptr) {
      *result = from_core(value);
    } else {
      sandbox->sandbox->release_result();  // nobody will look at it
    }
    return {};
  });
}

void glint_result_release(glint_sandbox* sandbox) noexcept {
  // Without a result there is nothing to release, and nothing that could fail.
  static_cast<void>(guarded(nullptr, [&]() -> Result<void> {
    GLINT_REQUIRE(sandbox);
    sandbox->sandbox->release_result();
    return {};
  }));
}

glint_status glint_sandbox_get_counters(const glint_sandbox* sandbox, glint_sandbox_counters* counters,
                                        glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(sandbox);
    GLINT_REQUIRE(counters);
    const core::Sandbox::Counters from = sandbox->sandbox->counters();
    glint_sandbox_counters value{};
    value.calls = from.calls;
    value.host_calls = from.host_calls;
    value.exits = from.exits;
    value.ioctls = from.ioctls;
    value.attaches = from.attaches;
    value.unknown_syscalls = from.unknown_syscalls;
    value.output_bytes = from.output_bytes;
    value.restores = from.restores;
    value.restored_pages = from.restored_pages;
    return write_struct(counters, value, "glint_sandbox_counters");
  });
}
