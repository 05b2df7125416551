// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "glint/cpp/error.hpp"
#include "glint/cpp/value.hpp"
#include "glint/image.h"

namespace glint {

// A read-only file that the guest may open.
struct GuestFile {
  std::string path = {};  // absolute, as the guest opens it
  std::vector<std::byte> data = {};
};

struct ImageOptions {
  uint64_t memory_size =
      GLINT_DEFAULT_MEMORY;                   // bytes of writable memory a sandbox may use: data, stack, heap
  uint64_t stack_size = GLINT_DEFAULT_STACK;  // bytes of it for the stack
  std::vector<GuestFile> files = {};
  bool large_pages = false;  // for guests that fill megabytes of fresh memory; see GLINT_IMAGE_LARGE_PAGES
};

// A function that a guest program exports or imports.
struct FunctionInfo {
  enum class Kind : uint32_t { kExport = GLINT_EXPORTED, kImport = GLINT_IMPORTED };
  Kind kind = Kind::kExport;
  uint32_t index = 0;  // the number that glint_call takes
  std::string name;
  Type result = Type::kVoid;
  std::vector<Type> params;

  // "(i64, string) -> bytes"
  std::string signature() const {
    std::string text = "(";
    for (const Type param : params) {
      if (text.size() > 1) text += ", ";
      text += type_name(param);
    }
    return text.append(") -> ").append(type_name(result));
  }
};

// A range of a guest's addresses.
struct SegmentInfo {
  std::string what;  // "program", "libos", "stack", "heap", "transfer", "system", "files"
  uint64_t address = 0;
  uint64_t size = 0;
  bool writable = false;
  bool executable = false;
};

struct ImageInfo {
  bool pie = false;           // a static PIE
  uint64_t entry = 0;         // guest address
  uint64_t memory_size = 0;   // bytes, as rounded
  uint64_t stack_size = 0;    // bytes, as rounded
  uint64_t heap_size = 0;     // bytes left for heap and mmap
  uint32_t symbol_count = 0;  // function symbols known for fault reports
  std::vector<SegmentInfo> segments;
};

class Image;

namespace detail {

struct FreeImage {
  void operator()(glint_image* image) const noexcept { glint_image_free(image); }
};
using ImageHandle = std::unique_ptr<glint_image, FreeImage>;

// What all copies of an Image share.
class LoadedImage {
 public:
  explicit LoadedImage(ImageHandle owned) : handle_(std::move(owned)) {
    const uint32_t count = glint_image_function_count(handle());
    functions_.reserve(count);
    for (uint32_t i = 0; i < count; ++i) functions_.push_back(read_function(i));
    for (const FunctionInfo& function : functions_) {
      if (function.kind == FunctionInfo::Kind::kExport) exports_.push_back(&function);
    }
    std::ranges::sort(exports_, {}, &FunctionInfo::name);
  }

  glint_image* handle() const noexcept { return handle_.get(); }
  const std::vector<FunctionInfo>& functions() const noexcept { return functions_; }

  // Null when there is none. Allocates nothing.
  const FunctionInfo* find_export(std::string_view name) const noexcept {
    const auto name_of = [](const FunctionInfo* function) { return std::string_view(function->name); };
    const auto at = std::ranges::lower_bound(exports_, name, {}, name_of);
    return at != exports_.end() && (*at)->name == name ? *at : nullptr;
  }

 private:
  FunctionInfo read_function(uint32_t i) const {
    glint_function_info from{};
    from.struct_size = sizeof(from);
    const glint_status status = glint_image_get_function(handle(), i, &from, nullptr);
    if (status != GLINT_OK) detail::raise(Error::take(status, nullptr));
    FunctionInfo to;
    to.kind = static_cast<FunctionInfo::Kind>(from.kind);
    to.index = from.function;
    to.name = view(from.name);
    to.result = static_cast<Type>(from.result);
    for (uint32_t p = 0; p < from.param_count; ++p) to.params.push_back(static_cast<Type>(from.params[p]));
    return to;
  }

  ImageHandle handle_;
  std::vector<FunctionInfo> functions_;       // in the program's order
  std::vector<const FunctionInfo*> exports_;  // by name
};

template <class Load>
Expected<Image> load_image(const ImageOptions& options, const Load& load);

}  // namespace detail

// A guest program, checked and laid out for loading. A handle: copies are cheap and share the image. Any
// thread.
class Image {
 public:
  // What the program exports and imports, in its order.
  const std::vector<FunctionInfo>& functions() const noexcept { return loaded_->functions(); }

  // The export called `name`; null when there is none.
  const FunctionInfo* find_export(std::string_view name) const noexcept { return loaded_->find_export(name); }

  // How it is laid out.
  ImageInfo info() const {
    glint_image_info from{};
    from.struct_size = sizeof(from);
    check(glint_image_get_info(handle(), &from, nullptr));
    ImageInfo to{from.pie != 0,     from.entry, from.memory_size, from.stack_size, from.heap_size,
                 from.symbol_count, {}};
    for (uint32_t i = 0; i < from.segment_count; ++i) {
      glint_segment_info segment{};
      segment.struct_size = sizeof(segment);
      check(glint_image_get_segment(handle(), i, &segment, nullptr));
      to.segments.push_back({std::string(detail::view(segment.what)), segment.address, segment.size,
                             segment.writable != 0, segment.executable != 0});
    }
    return to;
  }

  // For use with the C functions; belongs to this object.
  glint_image* handle() const noexcept { return loaded_->handle(); }

 private:
  template <class Load>
  friend Expected<Image> detail::load_image(const ImageOptions& options, const Load& load);

  explicit Image(detail::ImageHandle handle)
      : loaded_(std::make_shared<const detail::LoadedImage>(std::move(handle))) {}

  static void check(glint_status status) {
    if (status != GLINT_OK) detail::raise(Error::take(status, nullptr));
  }

  std::shared_ptr<const detail::LoadedImage> loaded_;
};

namespace detail {

// `load` is the C function that loads, without the options.
template <class Load>
Expected<Image> load_image(const ImageOptions& options, const Load& load) {
  std::vector<glint_file> files;
  files.reserve(options.files.size());
  for (const GuestFile& file : options.files)
    files.push_back({str(file.path), file.data.data(), file.data.size(), 0});
  glint_image_options c_options;
  glint_image_options_init(&c_options, sizeof(c_options));
  c_options.memory_size = options.memory_size;
  c_options.stack_size = options.stack_size;
  c_options.files = files.data();
  c_options.file_count = files.size();
  if (options.large_pages) c_options.flags |= GLINT_IMAGE_LARGE_PAGES;
  glint_image* image = nullptr;
  glint_error* error = nullptr;
  const glint_status status = load(c_options, &image, &error);
  if (status != GLINT_OK) return Error::take(status, error);
  return Image(ImageHandle(image));
}

}  // namespace detail
}  // namespace glint
