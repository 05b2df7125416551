// SPDX-License-Identifier: Apache-2.0
#include "sandbox/host_functions.hpp"

#include <algorithm>

namespace glint::core {
namespace {

bool is_value_type(glint_abi_type type) { return type > GLINT_ABI_VOID && type < GLINT_ABI_TYPE_COUNT; }

Result<void> check_signature(const std::string& name, glint_abi_type result,
                             std::span<const glint_abi_type> params) {
  const auto bad = [&](const std::string& why) {
    return error(GLINT_E_INVALID_ARGUMENT, "host function '" + name + "': " + why);
  };
  if (name.empty() || name.size() >= GLINT_ABI_NAME_SIZE) {
    return bad("a name has 1 to " + std::to_string(GLINT_ABI_NAME_SIZE - 1) + " bytes");
  }
  if (result != GLINT_ABI_VOID && !is_value_type(result)) return bad("its result has an unknown type");
  if (params.size() > GLINT_ABI_MAX_PARAMS) {
    return bad("it has more than " + std::to_string(GLINT_ABI_MAX_PARAMS) + " parameters");
  }
  if (!std::all_of(params.begin(), params.end(), is_value_type))
    return bad("a parameter has an unknown type, or void");
  return {};
}

}  // namespace

Result<void> HostFunctions::add(std::string name, glint_abi_type result, std::vector<glint_abi_type> params,
                                Callback callback) {
  if (frozen_.load(std::memory_order_acquire)) {
    return error(GLINT_E_BUSY,
                 "host function '" + name + "': a sandbox uses this set already; add before making one");
  }
  GLINT_TRY(check_signature(name, result, params));
  Entry entry;
  entry.signature.kind = Function::Kind::kImport;
  entry.signature.name = name;
  entry.signature.result = result;
  entry.signature.params = std::move(params);
  entry.callback = std::move(callback);
  if (!entries_.emplace(name, std::move(entry)).second) {
    return error(GLINT_E_INVALID_ARGUMENT, "host function '" + name + "' is there already");
  }
  return {};
}

const HostFunctions::Entry* HostFunctions::find(std::string_view name) const {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace glint::core
