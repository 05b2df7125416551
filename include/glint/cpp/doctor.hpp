// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glint/cpp/error.hpp"
#include "glint/engine.h"

namespace glint {

// One thing that was examined on this machine.
struct DoctorItem {
  enum class Severity : uint32_t {
    kOk = GLINT_DOCTOR_OK,
    kNote = GLINT_DOCTOR_NOTE,
    kProblem = GLINT_DOCTOR_PROBLEM
  };
  Severity severity = Severity::kOk;
  std::string name;    // short and stable: "kernel", "kvm_device", …
  std::string detail;  // what was found
  std::string advice;  // what to do; may be empty
};

struct DoctorReport {
  bool usable = false;  // sandboxes can run here
  std::vector<DoctorItem> items;
};

// Examines the machine: is KVM there, how does it behave, which limits are near. Any thread.
inline DoctorReport doctor() {
  glint_doctor* made = nullptr;
  glint_error* error = nullptr;
  const glint_status status = glint_doctor_create(&made, &error);
  if (status != GLINT_OK) detail::raise(Error::take(status, error));
  const std::unique_ptr<glint_doctor, void (*)(glint_doctor*)> doctor(
      made, [](glint_doctor* d) { glint_doctor_free(d); });
  DoctorReport report;
  report.usable = glint_doctor_usable(doctor.get()) != 0;
  for (uint32_t i = 0; i < glint_doctor_count(doctor.get()); ++i) {
    glint_doctor_item item{};
    item.struct_size = sizeof(item);
    const glint_status got = glint_doctor_get(doctor.get(), i, &item, nullptr);
    if (got != GLINT_OK) detail::raise(Error::take(got, nullptr));
    report.items.push_back({static_cast<DoctorItem::Severity>(item.severity),
                            std::string(detail::view(item.name)), std::string(detail::view(item.detail)),
                            std::string(detail::view(item.advice))});
  }
  return report;
}

}  // namespace glint
