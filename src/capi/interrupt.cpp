// SPDX-License-Identifier: Apache-2.0
#include "glint/interrupt.h"

#include "capi/handles.hpp"

using namespace glint;
using namespace glint::capi;

glint_status glint_interrupt_create(glint_interrupt** interrupt, glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(interrupt);
    *interrupt = nullptr;
    *interrupt = new glint_interrupt{std::make_shared<core::Interrupt>()};
    return {};
  });
}

glint_status glint_interrupt_clone(const glint_interrupt* interrupt, glint_interrupt** clone,
                                   glint_error** error) noexcept {
  return guarded(error, [&]() -> Result<void> {
    GLINT_REQUIRE(clone);
    *clone = nullptr;
    GLINT_REQUIRE(interrupt);
    *clone = new glint_interrupt{interrupt->interrupt};
    return {};
  });
}

void glint_interrupt_free(glint_interrupt* interrupt) noexcept { delete interrupt; }

uint32_t glint_interrupt_raise(glint_interrupt* interrupt) noexcept {
  if (interrupt == nullptr) return 0;
  // The caller's handle may be freed by another thread as soon as the calls end.
  const std::shared_ptr<core::Interrupt> held = interrupt->interrupt;
  return held->raise();
}

uint8_t glint_interrupt_raised(const glint_interrupt* interrupt) noexcept {
  return interrupt != nullptr && interrupt->interrupt->raised() ? 1 : 0;
}
