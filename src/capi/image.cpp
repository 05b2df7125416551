// SPDX-License-Identifier: Apache-2.0
#include "glint/image.h"

#include "capi/handles.hpp"
#include "capi/structs.hpp"

using namespace glint;
using namespace glint::capi;

static_assert(GLINT_MIN_MEMORY == core::kMinMemory && GLINT_MAX_MEMORY == core::kMaxMemory);
static_assert(GLINT_DEFAULT_MEMORY == core::kDefaultMemory && GLINT_DEFAULT_STACK == core::kDefaultStack);

namespace {

constexpr glint_image_options kDefaults{sizeof(glint_image_options), 0,       GLINT_DEFAULT_MEMORY,
                                        GLINT_DEFAULT_STACK,         nullptr, 0};

Result<core::GuestFile> read_file(const glint_file& from) {
  GLINT_TRY_ASSIGN(path, read_c_text(from.path, "files[].path"));
  if (from.data == nullptr && from.size != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT, "guest file '" + path + "' has a size but its data is NULL");
  }
  if (from.reserved != 0) return reserved_not_zero("glint_file");
  const auto* data = static_cast<const std::byte*>(from.data);
  return core::GuestFile{std::move(path), {data, data + from.size}};
}

Result<core::LayoutOptions> read_options(const glint_image_options* from) {
  core::LayoutOptions options;
  if (from == nullptr) return options;
  GLINT_TRY_ASSIGN(read, read_struct(from, kDefaults, "glint_image_options"));
  if ((read.flags & ~GLINT_IMAGE_LARGE_PAGES) != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT,
                       "glint_image_options.flags is " + std::to_string(read.flags) +
                           ", of which this version knows only " + std::to_string(GLINT_IMAGE_LARGE_PAGES));
  }
  options.large_pages = (read.flags & GLINT_IMAGE_LARGE_PAGES) != 0;
  if (read.memory_size != 0) options.memory_size = read.memory_size;
  if (read.stack_size != 0) options.stack_size = read.stack_size;
  if (read.files == nullptr && read.file_count != 0) return null_argument("glint_image_options.files");
  for (uint64_t i = 0; i < read.file_count; ++i) {
    GLINT_TRY_ASSIGN(file, read_file(read.files[i]));
    options.files.push_back(std::move(file));
  }
  return options;
}

// The handle of a loaded image, with the parameter types as the C ABI shows them.
glint_image* make_handle(std::shared_ptr<core::Image> image) {
  auto handle = std::make_unique<glint_image>();
  for (const core::Function& function : image->program().functions) {
    handle->params.emplace_back(function.params.begin(), function.params.end());
  }
  handle->image = std::move(image);
  return handle.release();
}

}  // namespace

void glint_image_options_init(glint_image_options* options, uint32_t size) noexcept {
  init_struct(options, kDefaults, size);
}

glint_status glint_image_load_file(glint_engine* engine, glint_str path, const glint_image_options* options,
                                   glint_image** image, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    *image = nullptr;
    GLINT_REQUIRE(engine);
    GLINT_TRY_ASSIGN(file_path, read_c_text(path, "path"));
    GLINT_TRY_ASSIGN(layout_options, read_options(options));
    GLINT_TRY_ASSIGN(loaded, core::Image::load_file(engine->engine, file_path, layout_options));
    *image = make_handle(std::move(loaded));
    return {};
  });
}

glint_status glint_image_load_bytes(glint_engine* engine, const void* data, uint64_t size,
                                    const glint_image_options* options, glint_image** image,
                                    glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    *image = nullptr;
    GLINT_REQUIRE(engine);
    if (size != 0) GLINT_REQUIRE(data);
    GLINT_TRY_ASSIGN(layout_options, read_options(options));
    GLINT_TRY_ASSIGN(loaded, core::Image::load(engine->engine, {static_cast<const std::byte*>(data), size},
                                               layout_options));
    *image = make_handle(std::move(loaded));
    return {};
  });
}

void glint_image_free(glint_image* image) noexcept { delete image; }

uint32_t glint_image_function_count(const glint_image* image) noexcept {
  return image == nullptr ? 0 : static_cast<uint32_t>(image->image->program().functions.size());
}

glint_status glint_image_get_function(const glint_image* image, uint32_t index, glint_function_info* info,
                                      glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    GLINT_REQUIRE(info);
    const auto& functions = image->image->program().functions;
    if (index >= functions.size()) return core::error(GLINT_E_NOT_FOUND, "no function of that number");
    const core::Function& from = functions[index];
    const std::vector<uint32_t>& params = image->params[index];
    glint_function_info value{};
    value.kind = from.kind == core::Function::Kind::kExport ? GLINT_EXPORTED : GLINT_IMPORTED;
    value.function = from.index;
    value.result = from.result;
    value.param_count = static_cast<uint32_t>(params.size());
    value.params = params.data();
    value.name = as_str(from.name);
    return write_struct(info, value, "glint_function_info");
  });
}

glint_status glint_image_find_export(const glint_image* image, glint_str name, uint32_t* function,
                                     glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    GLINT_REQUIRE(function);
    GLINT_TRY_ASSIGN(text, read_text(name, "name"));
    GLINT_TRY_ASSIGN(found, image->image->find_export(text));
    *function = found;
    return {};
  });
}

glint_status glint_image_get_info(const glint_image* image, glint_image_info* info,
                                  glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    GLINT_REQUIRE(info);
    const core::Program& program = image->image->program();
    const core::Layout& layout = image->image->layout();
    glint_image_info value{};
    value.pie = program.pie ? 1 : 0;
    value.entry = program.entry;
    value.memory_size = layout.memory_size;
    value.stack_size = layout.stack_size;
    value.heap_size = layout.arena_end - layout.arena_begin;
    value.segment_count = static_cast<uint32_t>(layout.mappings.size());
    value.symbol_count = static_cast<uint32_t>(program.symbols.size());
    return write_struct(info, value, "glint_image_info");
  });
}

glint_status glint_image_get_segment(const glint_image* image, uint32_t index, glint_segment_info* info,
                                     glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(image);
    GLINT_REQUIRE(info);
    const auto& mappings = image->image->layout().mappings;
    if (index >= mappings.size()) return core::error(GLINT_E_NOT_FOUND, "no segment of that number");
    const core::Mapping& from = mappings[index];
    glint_segment_info value{};
    value.writable = from.writable ? 1 : 0;
    value.executable = from.executable ? 1 : 0;
    value.address = from.gva;
    value.size = from.size;
    value.what = as_str(core::region_name(from.region));
    return write_struct(info, value, "glint_segment_info");
  });
}
