// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "hypervisor/hypervisor.hpp"
#include "image/elf.hpp"

namespace glint::core {

// What GLINT_BACKEND_FAKE runs: a hypervisor whose guests behave as glint/engine.h says, whatever the
// program's code is. It is there for tests of host programs, and for measuring what lies above the
// hypervisor.
std::shared_ptr<Hypervisor> make_fake_guest(const Program& program, uint64_t transfer_gpa);

}  // namespace glint::core
