// SPDX-License-Identifier: Apache-2.0
#include "glint/host.h"

#include <array>

#include "capi/handles.hpp"
#include "capi/user_data.hpp"
#include "capi/values.hpp"

using namespace glint;
using namespace glint::capi;

namespace {

// What the library keeps of a host function, counted; all of its copies share one.
struct Registered {
  UserData user_data;
  Counted<&LiveCounts::host_functions> counted{};
};

// Ends a token's life; copied with the pointer that owns it, and called once.
struct DestroyToken {
  glint_destroy destroy;
  void operator()(void* token) const {
    if (destroy != nullptr) destroy(token);
    g_live.host_tokens.fetch_sub(1, std::memory_order_relaxed);
  }
};

glint_status as_status(core::StopReason reason) noexcept {
  switch (reason) {
    case core::StopReason::kInterrupt:
      return GLINT_E_INTERRUPTED;
    case core::StopReason::kDeadline:
      return GLINT_E_DEADLINE;
    case core::StopReason::kNone:
      break;
  }
  return GLINT_OK;
}

// Makes a C call of the library's. The values are on the stack: no host call allocates here. `noexcept`: a
// callback that throws has broken its contract, and ends the process here rather than unwind through the call
// loop.
int32_t invoke(glint_host_function function, void* user_data, core::HostCall& call) noexcept {
  std::array<glint_value, GLINT_MAX_ARGUMENTS> values;  // only the used part is written
  const std::span<const core::Value> arguments = call.arguments();
  if (arguments.size() > values.size()) return GLINT_E_INTERNAL;  // no signature has so many
  for (size_t i = 0; i < arguments.size(); ++i) values[i] = from_core(arguments[i]);
  glint_host_call handle{&call, values.data(), static_cast<uint32_t>(arguments.size())};
  return function(user_data, &handle);
}

Result<glint_abi_type> read_type(uint32_t type, std::string_view what) {
  if (type < GLINT_ABI_TYPE_COUNT) return abi_type(type);
  return core::error(GLINT_E_INVALID_ARGUMENT,
                     std::string(what) + " is " + std::to_string(type) + ", which is no GLINT_ type");
}

Result<std::vector<glint_abi_type>> read_params(const uint32_t* params, uint32_t count) {
  if (count != 0) GLINT_REQUIRE(params);
  if (count > GLINT_MAX_ARGUMENTS) {
    return core::error(GLINT_E_INVALID_ARGUMENT, "param_count is " + std::to_string(count) + "; at most " +
                                                     std::to_string(GLINT_MAX_ARGUMENTS) + " are possible");
  }
  std::vector<glint_abi_type> types;
  types.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    GLINT_TRY_ASSIGN(type, read_type(params[i], "params[" + std::to_string(i) + "]"));
    types.push_back(type);
  }
  return types;
}

}  // namespace

glint_status glint_host_functions_create(glint_host_functions** functions, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(functions);
    *functions = nullptr;
    *functions = new glint_host_functions{std::make_shared<core::HostFunctions>()};
    return {};
  });
}

void glint_host_functions_free(glint_host_functions* functions) noexcept { delete functions; }

glint_status glint_host_functions_add(glint_host_functions* functions, glint_str name, uint32_t result,
                                      const uint32_t* params, uint32_t param_count,
                                      glint_host_function function, void* user_data, glint_destroy destroy,
                                      glint_error** error) noexcept {
  UserData owned(user_data, destroy);  // before anything that can fail
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(functions);
    GLINT_REQUIRE(function);
    GLINT_TRY_ASSIGN(text, read_c_text(name, "name"));
    GLINT_TRY_ASSIGN(result_type, read_type(result, "result"));
    GLINT_TRY_ASSIGN(param_types, read_params(params, param_count));
    // std::function copies what it holds, hence shared. Should make_shared throw, `owned` still has it.
    auto shared = std::make_shared<Registered>(std::move(owned));
    return functions->functions->add(
        std::move(text), result_type, std::move(param_types),
        [function, shared](core::HostCall& call) { return invoke(function, shared->user_data.get(), call); });
  });
}

const glint_value* glint_host_call_arguments(const glint_host_call* call, uint32_t* count) noexcept {
  if (count != nullptr) *count = call == nullptr ? 0 : call->count;
  return call == nullptr ? nullptr : call->arguments;
}

glint_status glint_host_call_return(glint_host_call* call, const glint_value* value,
                                    glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(call);
    GLINT_REQUIRE(value);
    GLINT_TRY_ASSIGN(result, to_core(*value, 0));
    return call->call->set_result(result);
  });
}

glint_status glint_host_call_reserve(glint_host_call* call, uint64_t size, void** data,
                                     glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(data);
    *data = nullptr;
    GLINT_REQUIRE(call);
    if (size > GLINT_MAX_PAYLOAD_SIZE) return core::error(GLINT_E_TOO_LARGE, "the result is too large");
    GLINT_TRY_ASSIGN(room, call->call->reserve(size));
    *data = room.data();
    return {};
  });
}

void glint_host_call_fail(glint_host_call* call, glint_str text) noexcept {
  // Nothing to report to: without memory for the text, the guest receives the code alone.
  static_cast<void>(guarded(nullptr, [&]() -> Result<void> {
    GLINT_REQUIRE(call);
    GLINT_TRY_ASSIGN(view, read_text(text, "text"));
    call->call->set_failure_text(view);
    return {};
  }));
}

void glint_host_call_fail_with(glint_host_call* call, void* token, glint_destroy destroy) noexcept {
  g_live.host_tokens.fetch_add(1, std::memory_order_relaxed);
  // Nothing to report to: without memory, or a call, the token is destroyed here. Should making the
  // shared_ptr fail, it destroys the token itself ([util.smartptr.shared.const]).
  static_cast<void>(guarded(nullptr, [&]() -> Result<void> {
    std::shared_ptr<void> owned(token, DestroyToken{destroy});
    GLINT_REQUIRE(call);
    call->call->set_failure_token(std::move(owned));
    return {};
  }));
}

glint_status glint_host_call_state(const glint_host_call* call) noexcept {
  return call == nullptr ? GLINT_OK : as_status(call->call->stopped());
}

glint_status glint_host_call_on_interrupt(glint_host_call* call, glint_notify notify, void* user_data,
                                          glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(call);
    if (notify == nullptr) return call->call->on_stop(nullptr);
    // noexcept: a callback that throws has broken its contract, and must not unwind through a thread of ours.
    return call->call->on_stop([notify, user_data]() noexcept { notify(user_data); });
  });
}
