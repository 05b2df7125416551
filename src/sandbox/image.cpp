// SPDX-License-Identifier: Apache-2.0
#include "sandbox/image.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <set>

#include "image/libos.hpp"
#include "shell/image_memory.hpp"
#include "shell/shell_pool.hpp"

namespace glint::core {
namespace {

Result<std::vector<std::byte>> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return system_error(path, errno, "name an existing guest program");
  const std::streamoff size = file.tellg();
  // A directory opens, but cannot be told or read.
  if (size < 0 || size > static_cast<std::streamoff>(kMaxMemory)) {
    return error(GLINT_E_SYSTEM, path + ": not a file that can be read as a guest program");
  }
  std::vector<std::byte> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!file) return system_error(path, errno == 0 ? EIO : errno);
  return bytes;
}

}  // namespace

Image::~Image() = default;

Result<std::shared_ptr<Image>> Image::load(std::shared_ptr<Engine> engine, std::span<const std::byte> file,
                                           const LayoutOptions& options) {
  if (engine->is_forked()) {
    return error(GLINT_E_UNSUPPORTED,
                 "an engine belongs to the process that made it: a child of fork must open its own");
  }
  auto image = std::shared_ptr<Image>(new Image());
  image->engine_ = std::move(engine);
  GLINT_TRY_ASSIGN(program, parse_program(file));
  image->program_ = std::move(program);
  GLINT_TRY_ASSIGN(libos, libos_program());
  GLINT_TRY_ASSIGN(layout, plan_layout(image->program_, *libos, options));
  image->layout_ = std::move(layout);
  for (const Function& function : image->program_.functions) {
    if (image->by_index_.size() <= function.index) image->by_index_.resize(function.index + 1);
    image->by_index_[function.index] = &function;
  }
  image->hypervisor_ = image->engine_->hypervisor_for(image->program_, image->layout_);
  if (image->hypervisor_) {
    GLINT_TRY_ASSIGN(memory, ImageMemory::create(image->layout_, file, libos_file()));
    auto& counters = image->engine_->counters();
    image->shells_ = std::make_unique<ShellPool>(
        *image->hypervisor_, image->layout_, std::move(memory), image->engine_->traits(),
        image->engine_->max_shells(), image->engine_->vm_limit(),
        ShellPool::Counters{&counters.vms_created, &counters.vms_live, &counters.attaches, &counters.parks});
  }
  image->layout_.files_blob = {};  // in the image's memory by now
  return image;
}

Result<std::shared_ptr<Image>> Image::load_file(std::shared_ptr<Engine> engine, const std::string& path,
                                                const LayoutOptions& options) {
  GLINT_TRY_ASSIGN(bytes, read_file(path));
  auto image = load(std::move(engine), bytes, options);
  if (!image) {
    Error failed = std::move(image).error();
    failed.message = path + ": " + failed.message;
    return failed;
  }
  return image;
}

Result<ImageIdentity> Image::identity() const {
  const std::lock_guard lock(identity_mutex_);
  if (!identity_) {
    // The window's memory is the part of the image's file behind the read-only one.
    GLINT_TRY_ASSIGN(identity, identify(layout_, shells_->initial_memory()->segments().front().file->get()));
    identity_ = std::move(identity);
  }
  return *identity_;
}

Result<uint32_t> Image::find_export(std::string_view name) const {
  if (const Function* found = program_.find_export(name)) return found->index;
  std::string message = "the guest program exports no function '" + std::string(name) + "'; ";
  // By name: compilers put the table in an order of their own.
  std::set<std::string_view> sorted;
  for (const Function& function : program_.functions) {
    if (function.kind == Function::Kind::kExport) sorted.insert(function.name);
  }
  std::string names;
  for (const std::string_view export_name : sorted) {
    names += (names.empty() ? "" : ", ") + std::string(export_name);
  }
  message += names.empty() ? "it exports none at all (declare them with glint_guest.h; a main of its own "
                             "must end with glint_serve())"
                           : "it exports " + names;
  return error(GLINT_E_NOT_FOUND, std::move(message));
}

const Function* Image::function(uint32_t index) const {
  return index < by_index_.size() ? by_index_[index] : nullptr;
}

const Symbol* Image::nearest_symbol(uint64_t gva) const {
  if (const Symbol* symbol = program_.nearest_symbol(gva)) return symbol;
  auto libos = libos_program();
  return libos ? (*libos)->nearest_symbol(gva) : nullptr;
}

}  // namespace glint::core
