// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "arch/x86_64/xsave_layout.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"
#include "image/layout.hpp"
#include "sandbox/snapshot_format.hpp"

namespace glint::core {

// The state of a guest that waits for calls, without what depends on the processor.
PortableState to_portable(const VcpuState& state, const XsaveLayout& xsave);

// The state that a file gives, for a guest of `layout` on a machine of that kind. What this returns, the
// guest could have made of itself: whatever in it is not ring 3's to choose has been refused
// (GLINT_E_SNAPSHOT_CORRUPT), and so has what would make the hypervisor fail. `loadable`: the components that
// the hypervisor takes (HypervisorInfo::vector_components); GLINT_E_SNAPSHOT_MACHINE when one is needed that
// it does not.
Result<VcpuState> from_portable(const PortableState& portable, const Layout& layout, const XsaveLayout& xsave,
                                uint64_t loadable);

}  // namespace glint::core
