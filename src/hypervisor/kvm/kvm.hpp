// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"

namespace glint::core {

// Opens /dev/kvm and checks that it offers what Glint needs. GLINT_E_NO_HYPERVISOR when it is missing or not
// permitted, GLINT_E_UNSUPPORTED when something is lacking; the message says which, and what to do.
Result<std::shared_ptr<Hypervisor>> open_kvm();

}  // namespace glint::core
