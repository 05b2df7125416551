// SPDX-License-Identifier: Apache-2.0
#include "sandbox/image_identity.hpp"

#include <algorithm>
#include <map>

#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/file.hpp"

namespace glint::core {
namespace {

constexpr size_t kBufferSize = 64 * kPageSize;

// Where guests see it. Where it lies in a VM's memory depends on the size of the page tables, and so on other
// options: that is the layout's.
void add_place(Hasher& hasher, const Mapping& mapping) {
  const uint64_t kind = static_cast<uint64_t>(mapping.region) << 8 | (mapping.user ? 1u : 0u) |
                        (mapping.writable ? 2u : 0u) | (mapping.executable ? 4u : 0u);
  for (const uint64_t number : {kind, mapping.gva, mapping.size}) hasher.add(number);
}

// Pages of zeros do not count, nor whether they are holes: that depends on the kernel's settings.
Result<void> add_contents(Hasher& hasher, int fd, const Mapping& mapping) {
  constexpr const char* kWhat = "reading an image's memory";
  std::vector<std::byte> buffer(kBufferSize);
  const uint64_t end = mapping.gpa + mapping.size;
  for (uint64_t at = mapping.gpa; at < end;) {
    GLINT_TRY_ASSIGN(data, next_data(fd, at, end, kWhat));
    at = align_down(data.begin, kPageSize);
    while (at < data.end) {
      const auto wanted = std::span(buffer).first(std::min<uint64_t>(kBufferSize, end - at));
      GLINT_TRY_ASSIGN(got, read_at(fd, wanted, at, kWhat));
      if (got != wanted.size())
        return error(GLINT_E_INTERNAL, "an image's memory is shorter than its layout");
      for (size_t i = 0; i < got; i += kPageSize) {
        const auto page = std::span<const std::byte>(wanted).subspan(i, kPageSize);
        if (is_zero(page)) continue;
        hasher.add((at + i - mapping.gpa) / kPageSize);
        hasher.add(page);
      }
      at += got;
    }
  }
  return {};
}

Result<Hash128> hash_region(const Layout& layout, Region region, int fd) {
  Hasher hasher;
  for (const Mapping& mapping : layout.mappings) {
    if (mapping.region != region) continue;
    add_place(hasher, mapping);
    GLINT_TRY(add_contents(hasher, fd, mapping));
  }
  return hasher.finish128();
}

Hash128 hash_layout(const Layout& layout) {
  Hasher hasher;
  for (const uint64_t number :
       {layout.page_tables_gpa, layout.page_tables_size, layout.system_pages_gpa, layout.system_pages_size,
        layout.readonly_gpa, layout.readonly_size, layout.window_gpa, layout.window_size, layout.transfer_gpa,
        layout.slot_size, layout.total_size, layout.stack_bottom, layout.stack_top, layout.arena_begin,
        layout.arena_end, layout.files, uint64_t{layout.file_count}, layout.libos_entry,
        layout.syscall_entry}) {
    hasher.add(number);
  }
  for (const Mapping& mapping : layout.mappings) {
    add_place(hasher, mapping);
    hasher.add(mapping.gpa);
  }
  return hasher.finish128();
}

// "exports add(i64) -> i64"
std::string described(const Function& function) {
  return (function.kind == Function::Kind::kExport ? "exports " : "imports ") + function.name +
         signature_text(function);
}

// How two tables of functions differ; empty when they do not.
std::string difference(const std::vector<Function>& theirs, const std::vector<Function>& ours) {
  constexpr size_t kMost = 3;
  std::vector<std::string> found;
  const auto collect = [&](const std::vector<Function>& from, const std::vector<Function>& to,
                           const char* who) {
    std::map<std::string_view, const Function*> by_name;
    for (const Function& function : to) by_name.emplace(function.name, &function);
    for (const Function& function : from) {
      const auto at = by_name.find(function.name);
      const bool same =
          at != by_name.end() && at->second->kind == function.kind && at->second->same_signature(function);
      if (!same) found.push_back(who + described(function));
    }
  };
  collect(theirs, ours, "only that of the snapshot ");
  collect(ours, theirs, "only this one ");
  std::string text;
  for (size_t i = 0; i < std::min(found.size(), kMost); ++i) text += (i == 0 ? "" : "; ") + found[i];
  if (found.size() > kMost) text += "; and " + std::to_string(found.size() - kMost) + " more";
  return text;
}

Error other_image(const std::string& what) {
  return error(GLINT_E_SNAPSHOT_IMAGE, "the snapshot was taken of another image: " + what +
                                           "; load the image that it was saved from, "
                                           "or take and save the snapshot anew");
}

std::string other_size(const char* what, uint64_t theirs, uint64_t ours) {
  return "its guests have " + std::to_string(theirs) + " bytes of " + what + ", those of this image " +
         std::to_string(ours);
}

}  // namespace

Result<ImageIdentity> identify(const Layout& layout, int memory) {
  ImageIdentity identity;
  identity.glint_version = GLINT_VERSION;
  identity.abi_version = GLINT_ABI_VERSION;
  identity.memory_size = layout.memory_size;
  identity.stack_size = layout.stack_size;
  GLINT_TRY_ASSIGN(program, hash_region(layout, Region::kProgram, memory));
  GLINT_TRY_ASSIGN(libos, hash_region(layout, Region::kLibos, memory));
  GLINT_TRY_ASSIGN(files, hash_region(layout, Region::kFiles, memory));
  identity.program = program;
  identity.libos = libos;
  identity.files = files;
  identity.layout = hash_layout(layout);
  return identity;
}

Result<void> check_same_image(const ImageIdentity& theirs, const std::vector<Function>& their_functions,
                              const ImageIdentity& ours, const std::vector<Function>& our_functions) {
  if (theirs.abi_version != ours.abi_version || theirs.libos != ours.libos) {
    return other_image("it holds the libos of another build of Glint (it was saved by version " +
                       theirs.glint_version + ", this is " + ours.glint_version + ")");
  }
  if (theirs.program != ours.program) {
    const std::string functions = difference(their_functions, our_functions);
    return other_image("the guest program is not the same" +
                       (functions.empty() ? std::string(", although its functions are") : ": " + functions));
  }
  if (theirs.memory_size != ours.memory_size) {
    return other_image(other_size("memory", theirs.memory_size, ours.memory_size));
  }
  if (theirs.stack_size != ours.stack_size) {
    return other_image(other_size("stack", theirs.stack_size, ours.stack_size));
  }
  if (theirs.files != ours.files) return other_image("the files that its guests may read are not the same");
  if (theirs.layout != ours.layout) return other_image("its guests' memory has another layout");
  return {};
}

}  // namespace glint::core
