// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/elf.hpp"
#include "image/layout.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/image_identity.hpp"

namespace glint::core {

class ShellPool;

// A guest program that is checked, laid out, and ready to be mapped; immutable and thread-safe.
class Image {
 public:
  // Any bytes give an image or an error. `file` needs to live only until this returns.
  static Result<std::shared_ptr<Image>> load(std::shared_ptr<Engine> engine, std::span<const std::byte> file,
                                             const LayoutOptions& options);
  static Result<std::shared_ptr<Image>> load_file(std::shared_ptr<Engine> engine, const std::string& path,
                                                  const LayoutOptions& options);
  ~Image();

  const std::shared_ptr<Engine>& engine() const { return engine_; }
  const Program& program() const { return program_; }
  const Layout& layout() const { return layout_; }
  ShellPool& shells() const { return *shells_; }  // only with a hypervisor

  // What files of its snapshots know it by; worked out when it is first asked for. Only with a hypervisor.
  Result<ImageIdentity> identity() const;

  // The export called `name`; the error lists what there is.
  Result<uint32_t> find_export(std::string_view name) const;

  // The function with that number in the program's table; null when there is none.
  const Function* function(uint32_t index) const;

  // The nearest function symbol of the program or the libos; null when unknown.
  const Symbol* nearest_symbol(uint64_t gva) const;

 private:
  Image() = default;

  std::shared_ptr<Engine> engine_;
  Program program_;
  Layout layout_;
  std::vector<const Function*> by_index_;
  std::shared_ptr<Hypervisor> hypervisor_;  // null when the engine has none
  std::unique_ptr<ShellPool> shells_;
  mutable std::mutex identity_mutex_;
  mutable std::optional<ImageIdentity> identity_;  // guarded by identity_mutex_
};

}  // namespace glint::core
