// SPDX-License-Identifier: Apache-2.0
#include "shell/image_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <vector>

#include "arch/x86_64/page_tables.hpp"
#include "arch/x86_64/system_pages.hpp"
#include "base/checked.hpp"

namespace glint::core {
namespace {

Result<void> write_at(int fd, std::span<const std::byte> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("writing the image's memory", written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Result<std::span<const std::byte>> source_of(const Placement& placement, const Layout& layout,
                                             std::span<const std::byte> program,
                                             std::span<const std::byte> libos) {
  const auto source = placement.source == Placement::Source::kProgram ? program
                      : placement.source == Placement::Source::kLibos
                          ? libos
                          : std::span<const std::byte>(layout.files_blob);
  // The layout was planned from these very bytes; if not, that is a defect, and must not become a wild read.
  if (!in_range(placement.offset, placement.size, source.size())) {
    return error(GLINT_E_INTERNAL, "a placement of the image lies outside its source");
  }
  return source.subspan(placement.offset, placement.size);
}

}  // namespace

Result<ImageMemory> ImageMemory::create(const Layout& layout, std::span<const std::byte> program,
                                        std::span<const std::byte> libos) {
  Fd fd(::memfd_create("glint-image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("memfd_create", errno);
  const uint64_t size = layout.window_gpa + layout.window_size;
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return system_error("ftruncate of a memfd", errno);

  std::vector<std::byte> tables(layout.page_tables_size);
  write_page_tables(layout.mappings, tables, layout.page_tables_gpa);
  GLINT_TRY(write_at(fd.get(), tables, layout.page_tables_gpa));
  std::vector<std::byte> system(kSystemPagesSize);
  write_system_pages(system, GLINT_GVA_SYSTEM);
  GLINT_TRY(write_at(fd.get(), system, layout.system_pages_gpa));
  for (const Placement& placement : layout.placements) {
    GLINT_TRY_ASSIGN(bytes, source_of(placement, layout, program, libos));
    GLINT_TRY(write_at(fd.get(), bytes, placement.gpa));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return system_error("sealing a memfd", errno);
  }
  Fd window_fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!window_fd) return system_error("duplicating a memfd", errno);
  GLINT_TRY_ASSIGN(window, WindowMemory::create(std::move(window_fd), layout.window_gpa, layout.window_size));
  return ImageMemory(std::move(fd), std::move(window));
}

}  // namespace glint::core
