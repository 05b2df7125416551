// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/layout.hpp"

namespace glint::core {

// Memory that filling gaps may add to a sandbox.
inline constexpr size_t kMostFilledPages = 3;

// Which pages of the window to make present before a guest runs that will write to `pages`: those, and some
// in gaps between them, where that saves page faults.
//
// At a page fault of a guest, the shadow MMU of a software KVM maps more than the page: of the group of 8
// that it lies in, aligned in guest-virtual addresses, all from the group's begin up to the first that the
// host has not present and writable (PTE_PREFETCH_NUM and the functions that use it, arch/x86/kvm/mmu/mmu.c
// and paging_tmpl.h). So one absent page at the begin of a group makes the guest fault for each of the rest:
// 7 µs a fault here, against 2-3 for a page that is copied in advance.
//
// `pages` are numbers of pages in the window, ascending; so is what is returned.
std::vector<uint32_t> fill_fault_groups(std::span<const uint32_t> pages, const Layout& layout);

}  // namespace glint::core
