// SPDX-License-Identifier: Apache-2.0
#include "glint/engine.h"

#include "capi/handles.hpp"
#include "capi/structs.hpp"

using namespace glint;
using namespace glint::capi;

namespace {

static_assert(GLINT_ENGINE_DEADLINE == core::kDefaultDeadline && GLINT_DEADLINE_NONE == core::kNoDeadline);

constexpr glint_engine_options kDefaults{
    sizeof(glint_engine_options), GLINT_BACKEND_DEFAULT, 0, 0, GLINT_DEADLINE_DEFAULT, 0, 0};

Result<core::EngineOptions> read_options(const glint_engine_options* from) {
  core::EngineOptions options;
  if (from == nullptr) return options;
  GLINT_TRY_ASSIGN(read, read_struct(from, kDefaults, "glint_engine_options"));
  switch (read.backend) {
    case GLINT_BACKEND_DEFAULT:
    case GLINT_BACKEND_KVM:
      options.backend = core::EngineOptions::Backend::kKvm;
      break;
    case GLINT_BACKEND_NONE:
      options.backend = core::EngineOptions::Backend::kNone;
      break;
    case GLINT_BACKEND_FAKE:
      options.backend = core::EngineOptions::Backend::kFake;
      break;
    default:
      return core::error(
          GLINT_E_INVALID_ARGUMENT,
          "glint_engine_options.backend is " + std::to_string(read.backend) + ", which is no GLINT_BACKEND_");
  }
  if (read.reserved != 0) return reserved_not_zero("glint_engine_options");
  options.max_shells = read.max_shells;
  options.max_vms = read.max_vms;
  options.kick_signal = read.kick_signal;
  if (read.deadline_ns != GLINT_DEADLINE_DEFAULT) options.deadline_ns = read.deadline_ns;
  return options;
}

}  // namespace

void glint_engine_options_init(glint_engine_options* options, uint32_t size) noexcept {
  init_struct(options, kDefaults, size);
}

glint_status glint_engine_create(const glint_engine_options* options, glint_engine** engine,
                                 glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(engine);
    *engine = nullptr;
    GLINT_TRY_ASSIGN(core_options, read_options(options));
    GLINT_TRY_ASSIGN(made, core::Engine::create(core_options));
    *engine = new glint_engine{std::move(made)};
    return {};
  });
}

void glint_engine_free(glint_engine* engine) noexcept { delete engine; }

glint_str glint_engine_backend(const glint_engine* engine) noexcept {
  if (engine == nullptr) return as_str({});
  return as_str(engine->engine->backend_name());
}

glint_status glint_engine_get_counters(const glint_engine* engine, glint_engine_counters* counters,
                                       glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(engine);
    GLINT_REQUIRE(counters);
    const core::Engine::Counters& from = engine->engine->counters();
    glint_engine_counters value{};
    value.vms_created = from.vms_created.load(std::memory_order_relaxed);
    value.vms_live = from.vms_live.load(std::memory_order_relaxed);
    value.sandboxes_created = from.sandboxes_created.load(std::memory_order_relaxed);
    value.sandboxes_live = from.sandboxes_live.load(std::memory_order_relaxed);
    value.attaches = from.attaches.load(std::memory_order_relaxed);
    value.parks = from.parks.load(std::memory_order_relaxed);
    return write_struct(counters, value, "glint_engine_counters");
  });
}

glint_status glint_doctor_create(glint_doctor** doctor, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(doctor);
    *doctor = nullptr;
    *doctor = new glint_doctor{core::examine_machine()};
    return {};
  });
}

void glint_doctor_free(glint_doctor* doctor) noexcept { delete doctor; }

uint8_t glint_doctor_usable(const glint_doctor* doctor) noexcept {
  return doctor != nullptr && doctor->report.usable() ? 1 : 0;
}

uint32_t glint_doctor_count(const glint_doctor* doctor) noexcept {
  return doctor == nullptr ? 0 : static_cast<uint32_t>(doctor->report.items.size());
}

glint_status glint_doctor_get(const glint_doctor* doctor, uint32_t index, glint_doctor_item* item,
                              glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(doctor);
    GLINT_REQUIRE(item);
    if (index >= doctor->report.items.size()) return core::error(GLINT_E_NOT_FOUND, "no item of that number");
    const core::DoctorItem& from = doctor->report.items[index];
    glint_doctor_item value{};
    value.severity = static_cast<uint32_t>(from.severity);
    value.name = as_str(from.name);
    value.detail = as_str(from.detail);
    value.advice = as_str(from.advice);
    return write_struct(item, value, "glint_doctor_item");
  });
}
