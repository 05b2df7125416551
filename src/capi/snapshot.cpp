// SPDX-License-Identifier: Apache-2.0
#include "glint/snapshot.h"

#include "base/checked.hpp"
#include "capi/handles.hpp"
#include "capi/sandbox_options.hpp"
#include "capi/structs.hpp"

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

glint_status glint_sandbox_create_from(glint_snapshot* snapshot, glint_host_functions* functions,
                                       const glint_sandbox_options* options, glint_sandbox** sandbox,
                                       glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (sandbox != nullptr) *sandbox = nullptr;
    // Before anything else can fail: it takes the callbacks' user data over.
    GLINT_TRY_ASSIGN(core_options, read_options(options));
    GLINT_REQUIRE(sandbox);
    GLINT_REQUIRE(snapshot);
    auto handle = std::make_unique<glint_sandbox>();
    GLINT_TRY_ASSIGN(
        made, core::Sandbox::create(snapshot->snapshot, functions == nullptr ? nullptr : functions->functions,
                                    std::move(core_options)));
    handle->sandbox = std::move(made);
    *sandbox = handle.release();
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
