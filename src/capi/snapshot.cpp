// SPDX-License-Identifier: Apache-2.0
#include "glint/snapshot.h"

#include "base/checked.hpp"
#include "capi/handles.hpp"
#include "capi/sandbox_options.hpp"
#include "capi/structs.hpp"
#include "sandbox/snapshot_file.hpp"

using namespace glint;
using namespace glint::capi;

glint_status glint_snapshot_create(glint_sandbox* sandbox, const glint_call_options* options,
                                   glint_snapshot** snapshot, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(snapshot);
    *snapshot = nullptr;
    GLINT_REQUIRE(sandbox);
    GLINT_TRY_ASSIGN(call_options, read_options(options));
    auto handle = std::make_unique<glint_snapshot>();
    GLINT_TRY_ASSIGN(taken, sandbox->sandbox->snapshot(call_options));
    handle->snapshot = std::move(taken);
    *snapshot = handle.release();
    return {};
  });
}

void glint_snapshot_free(glint_snapshot* snapshot) noexcept { delete snapshot; }

glint_status glint_snapshot_get_info(const glint_snapshot* snapshot, glint_snapshot_info* info,
                                     glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(snapshot);
    GLINT_REQUIRE(info);
    const core::WindowMemory& memory = *snapshot->snapshot->frozen.memory;
    glint_snapshot_info value{};
    value.memory_size = memory.size();
    value.stored_size = memory.page_count() * core::kPageSize;
    return write_struct(info, value, "glint_snapshot_info");
  });
}

glint_status glint_snapshot_save(const glint_snapshot* snapshot, glint_str path,
                                 glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(snapshot);
    GLINT_TRY_ASSIGN(file_path, read_c_text(path, "path"));
    return core::save_snapshot(*snapshot->snapshot, file_path);
  });
}

glint_status glint_snapshot_load(glint_image* image, glint_str path, glint_snapshot** snapshot,
                                 glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(snapshot);
    *snapshot = nullptr;
    GLINT_REQUIRE(image);
    GLINT_TRY_ASSIGN(file_path, read_c_text(path, "path"));
    auto handle = std::make_unique<glint_snapshot>();
    GLINT_TRY_ASSIGN(loaded, core::load_snapshot(image->image, file_path));
    handle->snapshot = std::move(loaded);
    *snapshot = handle.release();
    return {};
  });
}

glint_status glint_sandbox_restore(glint_sandbox* sandbox, glint_snapshot* snapshot,
                                   glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(sandbox);
    return sandbox->sandbox->restore(snapshot == nullptr ? nullptr : snapshot->snapshot);
  });
}
