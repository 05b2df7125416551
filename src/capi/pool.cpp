// SPDX-License-Identifier: Apache-2.0
#include "glint/pool.h"

#include <algorithm>

#include "capi/handles.hpp"
#include "capi/sandbox_options.hpp"
#include "capi/structs.hpp"

using namespace glint;
using namespace glint::capi;

static_assert(GLINT_POOL_MAX_SIZE == core::kMaxPool);

namespace {

constexpr glint_pool_options kDefaults{sizeof(glint_pool_options), 0, 0, 0, 0, {nullptr, 0}};
constexpr glint_acquire_options kAcquireDefaults{sizeof(glint_acquire_options), 0, GLINT_WAIT_NONE, nullptr,
                                                 nullptr};

Result<core::PoolOptions> read_options(const glint_pool_options* from, uint32_t kept_vms) {
  glint_pool_options read = kDefaults;
  if (from != nullptr) {
    GLINT_TRY_ASSIGN(given, read_struct(from, kDefaults, "glint_pool_options"));
    read = given;
  }
  core::PoolOptions options;
  constexpr uint32_t kKnownFlags = GLINT_POOL_LAZY | GLINT_POOL_NO_THREAD | GLINT_POOL_DEDICATED_VMS;
  if ((read.flags & ~kKnownFlags) != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT, "glint_pool_options.flags has a flag that is not known");
  }
  const bool lazy = (read.flags & GLINT_POOL_LAZY) != 0;
  if (lazy && read.warm != 0) {
    return core::error(GLINT_E_INVALID_ARGUMENT,
                       "glint_pool_options.warm is not zero, although GLINT_POOL_LAZY is set");
  }
  options.background = (read.flags & GLINT_POOL_NO_THREAD) == 0;
  options.dedicated_vms = (read.flags & GLINT_POOL_DEDICATED_VMS) != 0;
  options.size = read.size == 0 ? core::default_shells() : read.size;
  if (!lazy) options.warm = read.warm == 0 ? std::min(options.size, kept_vms) : read.warm;
  if (read.idle_memory != 0) options.idle_memory = read.idle_memory;
  GLINT_TRY_ASSIGN(tenant, read_text(read.tenant, "glint_pool_options.tenant"));
  options.tenant = tenant;
  return options;
}

// The callbacks' user data is taken over first, as in glint_sandbox_create.
Result<void> read_options(const glint_acquire_options* from, core::Pool::Request& request) {
  if (from == nullptr) return {};
  GLINT_TRY_ASSIGN(read, read_struct(from, kAcquireDefaults, "glint_acquire_options"));
  GLINT_TRY(capi::read_options(read.sandbox, request.sandbox));
  if (read.reserved != 0) return reserved_not_zero("glint_acquire_options");
  request.wait_ns = read.wait_ns;
  if (read.interrupt != nullptr) request.interrupt = read.interrupt->interrupt;
  return {};
}

}  // namespace

void glint_pool_options_init(glint_pool_options* options, uint32_t size) noexcept {
  init_struct(options, kDefaults, size);
}

glint_status glint_pool_create(glint_snapshot* snapshot, glint_host_functions* functions,
                               const glint_pool_options* options, glint_pool** pool,
                               glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(pool);
    *pool = nullptr;
    GLINT_REQUIRE(snapshot);
    GLINT_TRY_ASSIGN(core_options, read_options(options, snapshot->snapshot->image->engine()->kept_vms()));
    auto handle = std::make_unique<glint_pool>();
    GLINT_TRY_ASSIGN(
        made, core::Pool::create(snapshot->snapshot, functions == nullptr ? nullptr : functions->functions,
                                 std::move(core_options)));
    handle->pool = std::move(made);
    *pool = handle.release();
    return {};
  });
}

void glint_acquire_options_init(glint_acquire_options* options, uint32_t size) noexcept {
  init_struct(options, kAcquireDefaults, size);
}

glint_status glint_pool_acquire(glint_pool* pool, const glint_acquire_options* options,
                                glint_sandbox** sandbox, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    if (sandbox != nullptr) *sandbox = nullptr;
    core::Pool::Request request;
    GLINT_TRY(read_options(options, request));
    GLINT_REQUIRE(sandbox);
    GLINT_REQUIRE(pool);
    auto handle = std::make_unique<glint_sandbox>();
    handle->pool = pool->pool;
    GLINT_TRY_ASSIGN(acquired, handle->pool->acquire(std::move(request)));
    handle->sandbox = std::move(acquired);
    *sandbox = handle.release();
    return {};
  });
}

void glint_pool_trim(glint_pool* pool, uint64_t idle_memory) noexcept {
  // Should there be no memory for the list of what is dropped, nothing is.
  static_cast<void>(guarded(nullptr, [&]() -> Result<void> {
    if (pool != nullptr) pool->pool->trim(idle_memory);
    return {};
  }));
}

void glint_pool_close(glint_pool* pool) noexcept {
  if (pool != nullptr && !pool->pool->is_forked()) pool->pool->close();
}

void glint_pool_free(glint_pool* pool) noexcept {
  if (pool == nullptr) return;
  if (pool->pool->is_forked()) {
    // A child of fork has the memory, but not the threads that may have been waiting in it: destroying what
    // they wait for would wait for them for ever. It is left behind.
    [[maybe_unused]] const auto* left_behind = new (std::nothrow) std::shared_ptr<core::Pool>(pool->pool);
  }
  glint_pool_close(pool);
  delete pool;
}

glint_status glint_pool_get_counters(const glint_pool* pool, glint_pool_counters* counters,
                                     glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(pool);
    GLINT_REQUIRE(counters);
    const core::Pool::Counters from = pool->pool->counters();
    glint_pool_counters value{};
    value.size = pool->pool->size();
    value.live = from.live;
    value.in_use = from.in_use;
    value.ready = from.ready;
    value.returned = from.returned;
    value.waiting = from.waiting;
    value.idle_memory = from.idle_bytes;
    value.acquired = from.acquired;
    value.waited = from.waited;
    value.restored = from.restored;
    value.restored_late = from.restored_late;
    value.made = from.made;
    value.replaced = from.replaced;
    value.dropped = from.dropped;
    return write_struct(counters, value, "glint_pool_counters");
  });
}
