// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <system_error>

namespace glint::core {

Error error(glint_status code, std::string message) {
  Error result;
  result.code = code;
  result.message = std::move(message);
  return result;
}

Error system_error(std::string what, int errno_value, const std::string& advice) {
  what += ": " + std::generic_category().message(errno_value);
  if (!advice.empty()) what += "; " + advice;
  return error(errno_value == 12 /* ENOMEM */ ? GLINT_E_NO_MEMORY : GLINT_E_SYSTEM, std::move(what));
}

}  // namespace glint::core
