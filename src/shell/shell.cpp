// SPDX-License-Identifier: Apache-2.0
#include "shell/shell.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "arch/x86_64/system_pages.hpp"
#include "base/checked.hpp"
#include "transfer/header.hpp"

namespace glint::core {
namespace {

constexpr uint32_t kMainSlot = 0, kExtensionSlot = 1;

Result<void> move_pages(std::byte* from, std::byte* to, uint64_t size) {
  // DONTUNMAP leaves the file mapping without its pages: pristine, and no hole for another thread's mmap
  // (Linux 5.13).
  if (::mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == MAP_FAILED) {
    return system_error("mremap of a sandbox's memory", errno,
                        "is vm.max_map_count reached, or the kernel older than 5.13?");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Shell>> Shell::create(Hypervisor& hypervisor, const Layout& layout,
                                             const ImageMemory& memory, const Pagemap& pagemap,
                                             PortAccess port_access) {
  GLINT_TRY_ASSIGN(range, MappedRange::reserve(layout.total_size, kLargePageSize));
  auto shell = std::unique_ptr<Shell>(new Shell(layout, pagemap, std::move(range)));
  GLINT_TRY(shell->map_memory(memory));
  GLINT_TRY_ASSIGN(vm, hypervisor.create_vm());
  shell->vm_ = std::move(vm);
  GLINT_TRY(shell->vm_->add_memory(kMainSlot, 0, shell->at(0), layout.slot_size));
  GLINT_TRY_ASSIGN(vcpu, shell->vm_->create_vcpu());
  shell->vcpu_ = std::move(vcpu);
  GLINT_TRY(shell->vcpu_->configure(
      system_registers(layout.page_tables_gpa, GLINT_GVA_SYSTEM, layout.syscall_entry, port_access)));
  return shell;
}

Result<void> Shell::map_memory(const ImageMemory& image) {
  static_assert(kExceptionStackOffset == 0, "the exception stack is the first system page");
  // Page tables and the exception stack are private to this shell; what follows cannot be written by anyone,
  // whatever a guest made of its page tables.
  const uint64_t private_end = layout_.system_pages_gpa + kPageSize;
  const uint64_t readonly_end = layout_.readonly_gpa + layout_.readonly_size;
  GLINT_TRY(map_file_private(at(0), private_end, image.fd(), 0));
  GLINT_TRY(map_file_readonly(at(private_end), readonly_end - private_end, image.fd(), private_end));
  GLINT_TRY(begin_with(image.window()));
  return map_anonymous(at(layout_.transfer_gpa), GLINT_TRANSFER_INITIAL);
}

Result<void> Shell::grow_transfer(uint64_t size) {
  if (size <= transfer_size_) return {};
  if (size > GLINT_TRANSFER_MAX) {
    return error(GLINT_E_TOO_LARGE, "the values of a call and of the calls nested in it take " +
                                        std::to_string(size) + " bytes together; at most " +
                                        std::to_string(GLINT_TRANSFER_MAX) + " are possible");
  }
  // All at once: it is only reserved until it is touched, and a slot is dear to make.
  const uint64_t extension = layout_.transfer_gpa + GLINT_TRANSFER_INITIAL;
  const uint64_t extension_size = GLINT_TRANSFER_MAX - GLINT_TRANSFER_INITIAL;
  GLINT_TRY(map_anonymous(at(extension), extension_size));
  GLINT_TRY(vm_->add_memory(kExtensionSlot, extension, at(extension), extension_size));
  transfer_size_ = GLINT_TRANSFER_MAX;
  write_size(transfer());
  return {};
}

Result<void> Shell::wipe_transfer() {
  const auto all = transfer();
  if (all.size() > GLINT_TRANSFER_INITIAL) GLINT_TRY(discard(all.subspan(GLINT_TRANSFER_INITIAL)));
  const auto initial = all.first(GLINT_TRANSFER_INITIAL);
  // Clearing a page in place costs less than the fault that dropping it brings (0.1 µs against 4-34), as long
  // as they are few.
  constexpr size_t kFew = 32;
  const auto touched = pagemap_.find_own(initial);
  // Without /proc: the slower way.
  if (!touched || touched->size() > kFew) return discard(initial);
  for (const uint32_t page : *touched) std::memset(initial.data() + uint64_t{page} * kPageSize, 0, kPageSize);
  return {};
}

// Where the window is no copy of the file: large pages are never copied on write from one. What is here was
// zeros in the file, and is zeros when it is fresh.
WindowMemory::Part Shell::large_part(const WindowMemory& base) const {
  if (!layout_.large_pages) return {};
  return base.large_zeros(layout_.arena_end - layout_.arena_begin);  // the heap, with which the window begins
}

Result<void> Shell::begin_with(std::shared_ptr<const WindowMemory> base) {
  if (base_ == base) return {};
  base_ = nullptr;
  GLINT_TRY(map_copy(window().data(), *base));
  base_ = std::move(base);
  return {};
}

Result<void> Shell::map_copy(std::byte* at, const WindowMemory& base) const {
  for (const auto& [begin, size, file, offset] : base.segments()) {
    GLINT_TRY(map_file_private(at + begin, size, file->get(), offset));
  }
  const WindowMemory::Part large = large_part(base);
  if (large.size != 0) GLINT_TRY(map_anonymous_large(at + large.begin, large.size));
  return {};
}

Result<void> Shell::lay_out(std::byte* home) const {
  if (base_->segments().size() == 1 && large_part(*base_).size == 0) return {};
  return map_copy(home, *base_);
}

Result<void> Shell::move_in(std::byte* home, std::shared_ptr<const WindowMemory> base, bool& torn) {
  GLINT_TRY(move(home, window().data(), *base, torn));
  base_ = std::move(base);
  return {};
}
Result<void> Shell::move_out(std::byte* home, bool& torn) {
  return move(window().data(), home, *base_, torn);
}

// With DONTUNMAP, mremap moves one mapping at a time: those of the files, but for the large part, and that.
Result<void> Shell::move(std::byte* from, std::byte* to, const WindowMemory& base, bool& torn) const {
  bool moved = false;
  const auto move_part = [&](uint64_t begin, uint64_t end) -> Result<void> {
    if (begin >= end) return {};
    auto done = move_pages(from + begin, to + begin, end - begin);
    torn = !done && moved;
    moved = true;
    return done;
  };
  const WindowMemory::Part large = large_part(base);
  const uint64_t large_begin = large.size != 0 ? large.begin : layout_.window_size;
  const uint64_t large_end = large_begin + large.size;
  for (const WindowMemory::Segment& segment : base.segments()) {
    const uint64_t end = segment.begin + segment.size;
    GLINT_TRY(move_part(segment.begin, std::min(end, large_begin)));
    GLINT_TRY(move_part(std::max(segment.begin, large_end), end));
  }
  return move_part(large_begin, large_end);
}

Result<void> Shell::reset_window() { return discard(window()); }

void Shell::populate(std::span<const uint32_t> pages) const {
  for (size_t begin = 0; begin < pages.size();) {
    size_t end = begin + 1;
    while (end < pages.size() && pages[end] == pages[end - 1] + 1) ++end;
    // MADV_POPULATE_WRITE, Linux 5.14; where it fails, the guest takes the faults.
    ::madvise(window().data() + pages[begin] * kPageSize, (end - begin) * kPageSize, MADV_POPULATE_WRITE);
    begin = end;
  }
}

std::span<const std::byte> Shell::exception_stack() const {
  return {at(layout_.system_pages_gpa), kPageSize};
}

}  // namespace glint::core
