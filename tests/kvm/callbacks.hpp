// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "kvm/fixture.hpp"

namespace glint::test {

// The host functions that tests/guests/callbacks.c imports; those of hostile.c are among them but for
// host_not.
class CallbackHost {
 public:
  CallbackHost() {
    add("host_add", GLINT_ABI_I64, {GLINT_ABI_I64, GLINT_ABI_I64}, [](HostCall& call) {
      const auto a = static_cast<int64_t>(call.arguments()[0].bits),
                 b = static_cast<int64_t>(call.arguments()[1].bits);
      return answer(call, to_value(a + b));
    });
    const struct {
      const char* name;
      glint_abi_type type;
    } echoes[] = {{"host_echo_bool", GLINT_ABI_BOOL}, {"host_echo_i32", GLINT_ABI_I32},
                  {"host_echo_u32", GLINT_ABI_U32},   {"host_echo_i64", GLINT_ABI_I64},
                  {"host_echo_u64", GLINT_ABI_U64},   {"host_echo_f32", GLINT_ABI_F32},
                  {"host_echo_f64", GLINT_ABI_F64},   {"host_echo_string", GLINT_ABI_STRING}};
    for (const auto& echo : echoes) {
      add(echo.name, echo.type, {echo.type},
          [](HostCall& call) { return answer(call, call.arguments()[0]); });
    }
    add("host_not", GLINT_ABI_BOOL, {GLINT_ABI_BOOL},
        [](HostCall& call) { return answer(call, to_value(call.arguments()[0].bits == 0)); });
    add("host_echo_bytes", GLINT_ABI_BYTES, {GLINT_ABI_BYTES}, [this](HostCall& call) {
      return on_echo_bytes ? on_echo_bytes(call) : answer(call, call.arguments()[0]);
    });
    add("host_join", GLINT_ABI_BYTES, {GLINT_ABI_BYTES, GLINT_ABI_BYTES}, [](HostCall& call) {
      const auto a = call.arguments()[0].bytes, b = call.arguments()[1].bytes;
      auto room = call.reserve(a.size() + b.size());
      if (!room) return room.error().code;
      std::ranges::copy(b, std::ranges::copy(a, room->begin()).out);
      return GLINT_OK;
    });
    add("host_fail", GLINT_ABI_I64, {GLINT_ABI_I32}, [](HostCall& call) {
      call.set_failure_text("failed as asked");
      return static_cast<int32_t>(call.arguments()[0].bits);
    });
    add("host_nested", GLINT_ABI_I64, {GLINT_ABI_I64},
        [this](HostCall& call) { return on_nested ? on_nested(call) : answer(call, call.arguments()[0]); });
    add("progress", GLINT_ABI_VOID, {GLINT_ABI_U32}, [this](HostCall& call) {
      last_percent = static_cast<uint32_t>(call.arguments()[0].bits);
      return GLINT_OK;
    });
  }
  CallbackHost(const CallbackHost&) = delete;
  CallbackHost& operator=(const CallbackHost&) = delete;

  std::shared_ptr<HostFunctions> functions = std::make_shared<HostFunctions>();
  HostFunctions::Callback on_nested, on_echo_bytes;
  uint32_t last_percent = 0;

 private:
  void add(const char* name, glint_abi_type result, std::vector<glint_abi_type> params,
           HostFunctions::Callback callback) {
    add_host(*functions, name, result, std::move(params), std::move(callback));
  }
};

}  // namespace glint::test
