// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "capi/handles.hpp"
#include "capi/structs.hpp"

namespace glint::capi {
namespace {

std::string text(glint_str s) { return {s.data, s.size}; }

const std::set<glint_status> kCodes = {
    GLINT_OK,
    GLINT_E_INVALID_ARGUMENT,
    GLINT_E_BUSY,
    GLINT_E_NOT_FOUND,
    GLINT_E_SIGNATURE,
    GLINT_E_TOO_LARGE,
    GLINT_E_POISONED,
    GLINT_E_ENDED,
    GLINT_E_MISSING_IMPORT,
    GLINT_E_DEPTH,
    GLINT_E_TYPE,
    GLINT_E_POOL_EMPTY,
    GLINT_E_NO_MEMORY,
    GLINT_E_SYSTEM,
    GLINT_E_NO_HYPERVISOR,
    GLINT_E_UNSUPPORTED,
    GLINT_E_HYPERVISOR,
    GLINT_E_IMAGE_NOT_ELF,
    GLINT_E_IMAGE_TRUNCATED,
    GLINT_E_IMAGE_MACHINE,
    GLINT_E_IMAGE_CLASS,
    GLINT_E_IMAGE_DYNAMIC,
    GLINT_E_IMAGE_KIND,
    GLINT_E_IMAGE_SEGMENTS,
    GLINT_E_IMAGE_RANGE,
    GLINT_E_IMAGE_WX,
    GLINT_E_IMAGE_ENTRY,
    GLINT_E_IMAGE_TOO_LARGE,
    GLINT_E_IMAGE_FUNCTIONS,
    GLINT_E_IMAGE_ABI,
    GLINT_E_SNAPSHOT_FORMAT,
    GLINT_E_SNAPSHOT_TRUNCATED,
    GLINT_E_SNAPSHOT_CORRUPT,
    GLINT_E_SNAPSHOT_VERSION,
    GLINT_E_SNAPSHOT_IMAGE,
    GLINT_E_SNAPSHOT_MACHINE,
    GLINT_E_GUEST_ERROR,
    GLINT_E_GUEST_FAULT,
    GLINT_E_GUEST_ABORT,
    GLINT_E_GUEST_OUT_OF_MEMORY,
    GLINT_E_GUEST_PROTOCOL,
    GLINT_E_HOST_FUNCTION,
    GLINT_E_INTERRUPTED,
    GLINT_E_DEADLINE,
    GLINT_E_INTERNAL,
};

glint_error* make(core::Error error) {
  glint_error* made = nullptr;
  const glint_status status = report(&made, std::move(error));
  EXPECT_EQ(status, glint_error_code(made));
  return made;
}

TEST(CapiStatus, EveryCodeHasANameOfItsOwnAndNothingElseHas) {
  std::set<std::string> names;
  for (glint_status status = -200; status <= 200; ++status) {
    const std::string name = text(glint_status_name(status));
    if (kCodes.contains(status)) {
      EXPECT_NE(name, "GLINT_E_UNKNOWN") << status;
      EXPECT_TRUE(names.insert(name).second) << name;
    } else {
      EXPECT_EQ(name, "GLINT_E_UNKNOWN") << status;
    }
  }
  EXPECT_EQ(text(glint_status_name(GLINT_OK)), "GLINT_OK");
  EXPECT_EQ(text(glint_status_name(GLINT_E_BUSY)), "GLINT_E_BUSY");
}

TEST(CapiVersion, IsTheHeaders) {
  EXPECT_EQ(text(glint_version_string()), GLINT_VERSION_STRING);
  EXPECT_EQ(glint_abi_version() >> 16, GLINT_C_ABI_MAJOR);
  EXPECT_EQ(glint_abi_version() & 0xffff, GLINT_C_ABI_MINOR);
}

TEST(CapiError, CarriesCodeMessageAndGuestCode) {
  core::Error error = core::error(GLINT_E_GUEST_ERROR, "the guest says no");
  error.guest_code = 42;
  glint_error* made = make(error);
  EXPECT_EQ(glint_error_code(made), GLINT_E_GUEST_ERROR);
  EXPECT_EQ(text(glint_error_message(made)), "the guest says no");
  EXPECT_EQ(glint_error_guest_code(made), 42);
  glint_error_free(made);
}

TEST(CapiError, NullStandsForNoError) {
  EXPECT_EQ(glint_error_code(nullptr), GLINT_OK);
  EXPECT_EQ(text(glint_error_message(nullptr)), "no error");
  EXPECT_EQ(glint_error_guest_code(nullptr), 0);
  glint_fault fault{};
  fault.struct_size = sizeof(fault);
  EXPECT_EQ(glint_error_fault(nullptr, &fault), GLINT_E_INVALID_ARGUMENT);
  glint_error_free(nullptr);
}

core::Error page_fault() {
  core::Error error = core::error(GLINT_E_GUEST_FAULT, "page fault");
  auto fault = std::make_shared<core::Fault>();
  fault->vector = 14;
  fault->signal = 11;
  fault->name = "page fault";
  fault->access = "write";
  fault->address = 0x10;
  fault->instruction = 0x401000;
  fault->error_code = 6;
  fault->symbol = "crash";
  fault->symbol_offset = 4;
  error.fault = std::move(fault);
  return error;
}

TEST(CapiError, ShowsTheFault) {
  glint_error* made = make(page_fault());
  glint_fault fault{};
  fault.struct_size = sizeof(fault);
  ASSERT_EQ(glint_error_fault(made, &fault), GLINT_OK);
  EXPECT_EQ(fault.struct_size, sizeof(fault));
  EXPECT_EQ(fault.vector, 14u);
  EXPECT_EQ(fault.signal, 11);
  EXPECT_EQ(fault.address, 0x10u);
  EXPECT_EQ(fault.instruction, 0x401000u);
  EXPECT_EQ(fault.error_code, 6u);
  EXPECT_EQ(fault.symbol_offset, 4u);
  EXPECT_EQ(text(fault.name), "page fault");
  EXPECT_EQ(text(fault.access), "write");
  EXPECT_EQ(text(fault.symbol), "crash");
  EXPECT_EQ(glint_error_fault(made, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_error_free(made);
}

TEST(CapiError, RefusesAFaultStructOfUnknownSize) {
  glint_error* made = make(page_fault());
  for (const uint32_t size : {0u, 1u, 95u, 97u, 1u << 20}) {
    glint_fault fault{};
    fault.struct_size = size;
    EXPECT_EQ(glint_error_fault(made, &fault), GLINT_E_INVALID_ARGUMENT) << size;
    EXPECT_EQ(fault.vector, 0u);
  }
  glint_error_free(made);
}

TEST(CapiError, HasNoFaultWhereNoneHappened) {
  glint_error* made = make(core::error(GLINT_E_BUSY, "busy"));
  glint_fault fault{};
  fault.struct_size = sizeof(fault);
  EXPECT_EQ(glint_error_fault(made, &fault), GLINT_E_NOT_FOUND);
  glint_error_free(made);
}

TEST(CapiError, WithoutMemoryThereIsStillAnError) {
  glint_error* made = nullptr;
  EXPECT_EQ(report_no_memory(&made), GLINT_E_NO_MEMORY);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(glint_error_code(made), GLINT_E_NO_MEMORY);
  EXPECT_EQ(text(glint_error_message(made)), "out of memory");
  EXPECT_EQ(glint_error_guest_code(made), 0);
  glint_fault fault{};
  fault.struct_size = sizeof(fault);
  EXPECT_EQ(glint_error_fault(made, &fault), GLINT_E_NOT_FOUND);
  glint_error_free(made);
  glint_error_free(made);  // nothing is freed, so that this is harmless
  EXPECT_EQ(report_no_memory(nullptr), GLINT_E_NO_MEMORY);
}

TEST(CapiGuard, TurnsExceptionsIntoCodes) {
  glint_error* error = nullptr;
  EXPECT_EQ(guarded(&error, []() -> Result<void> { throw std::bad_alloc(); }), GLINT_E_NO_MEMORY);
  EXPECT_EQ(glint_error_code(error), GLINT_E_NO_MEMORY);
  glint_error_free(error);

  EXPECT_EQ(guarded(&error, []() -> Result<void> { throw std::runtime_error("odd"); }), GLINT_E_INTERNAL);
  EXPECT_EQ(glint_error_code(error), GLINT_E_INTERNAL);
  EXPECT_NE(text(glint_error_message(error)).find("odd"), std::string::npos);
  glint_error_free(error);

  EXPECT_EQ(guarded(&error, []() -> Result<void> { throw 7; }), GLINT_E_INTERNAL);
  glint_error_free(error);

  EXPECT_EQ(guarded(nullptr, []() -> Result<void> { throw 7; }), GLINT_E_INTERNAL);
}

TEST(CapiGuard, LeavesTheErrorAloneOnSuccess) {
  glint_error* const before = make(core::error(GLINT_E_BUSY, "before"));
  glint_error* error = before;
  EXPECT_EQ(guarded(&error, []() -> Result<void> { return {}; }), GLINT_OK);
  EXPECT_EQ(error, before);
  glint_error_free(before);
}

}  // namespace
}  // namespace glint::capi
