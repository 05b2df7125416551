// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/mapping.hpp"
#include "base/result.hpp"
#include "hypervisor/hypervisor.hpp"
#include "image/layout.hpp"
#include "shell/image_memory.hpp"
#include "shell/pagemap.hpp"

namespace glint::core {

// A VM with one vCPU, made for an image: its page tables, system pages, code and constants stay in it; the
// window holds the writable memory of whichever sandbox it is lent to. Used by one thread at a time.
class Shell {
 public:
  // `layout`, `memory` and `pagemap` must outlive the shell.
  static Result<std::unique_ptr<Shell>> create(Hypervisor& hypervisor, const Layout& layout,
                                               const ImageMemory& memory, const Pagemap& pagemap,
                                               PortAccess port_access);

  Vcpu& vcpu() { return *vcpu_; }

  // The part of the transfer area that is there.
  std::span<std::byte> transfer() const { return {at(layout_.transfer_gpa), transfer_size_}; }
  // Makes at least `size` bytes of it be there, and tells the guest so; GLINT_E_TOO_LARGE above
  // GLINT_TRANSFER_MAX.
  Result<void> grow_transfer(uint64_t size);
  // Wipes all that a sandbox may have written there.
  Result<void> wipe_transfer();

  std::span<std::byte> window() const { return {at(layout_.window_gpa), layout_.window_size}; }
  // What the window is a private copy of. It is pristine after begin_with() and move_out().
  const std::shared_ptr<const WindowMemory>& base() const { return base_; }
  // Makes it a pristine copy of `base`; nothing is to be done for a pristine one that is that already.
  Result<void> begin_with(std::shared_ptr<const WindowMemory> base);
  // Makes [home, home + layout.window_size) a pristine copy of base(), where that has several parts: the
  // pages of a sandbox can be moved there.
  Result<void> lay_out(std::byte* home) const;
  // Moves the pages of a resting sandbox into the window, or out of it. `home` is layout.window_size bytes, 2
  // MiB aligned, a private copy of `base`. What moves leaves a pristine mapping of the same file behind. When
  // it fails nothing was moved, unless `torn` is set: then the pages are partly here and partly there.
  Result<void> move_in(std::byte* home, std::shared_ptr<const WindowMemory> base, bool& torn);
  Result<void> move_out(std::byte* home, bool& torn);
  // Makes the window pristine.
  Result<void> reset_window();
  // Makes copies of these pages of a pristine window, ascending, which the guest is about to write to.
  void populate(std::span<const uint32_t> pages) const;

  // The host's view of the page on which exception frames are pushed.
  std::span<const std::byte> exception_stack() const;

 private:
  Shell(const Layout& layout, const Pagemap& pagemap, MappedRange memory)
      : layout_(layout), pagemap_(pagemap), memory_(std::move(memory)) {}
  Result<void> map_memory(const ImageMemory& image);
  WindowMemory::Part large_part(const WindowMemory& base) const;
  Result<void> map_copy(std::byte* at, const WindowMemory& base) const;
  Result<void> move(std::byte* from, std::byte* to, const WindowMemory& base, bool& torn) const;
  std::byte* at(uint64_t gpa) const { return memory_.data() + gpa; }

  const Layout& layout_;
  const Pagemap& pagemap_;
  MappedRange memory_;  // all of guest-physical memory; outlives the VM, which is declared below it
  uint64_t transfer_size_ = GLINT_TRANSFER_INITIAL;
  std::shared_ptr<const WindowMemory> base_;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<Vcpu> vcpu_;
};

}  // namespace glint::core
