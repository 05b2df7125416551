// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>

#include "glint/engine.h"
#include "sandbox/doctor.hpp"

namespace glint::core {
namespace {

using Severity = DoctorItem::Severity;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Doctor, WantsLinuxFiveThirteen) {
  const auto judged = [](const char* release) {
    MachineFacts facts;
    facts.kernel_release = release;
    return judge_kernel(facts);
  };
  EXPECT_EQ(judged("5.13.0").severity, Severity::kOk);
  EXPECT_EQ(judged("6.1.0-13-amd64").severity, Severity::kOk);
  EXPECT_EQ(judged("10.0").severity, Severity::kOk);
  EXPECT_EQ(judged("5.12.19").severity, Severity::kProblem);
  EXPECT_EQ(judged("4.19.0-25-amd64").severity, Severity::kProblem);
  EXPECT_TRUE(contains(judged("5.4.0").advice, "5.13"));
  for (const char* odd : {"", "6", "six.one", "6.", ".1"})
    EXPECT_EQ(judged(odd).severity, Severity::kNote) << odd;
}

MachineFacts without_kvm(int errno_value) {
  MachineFacts facts;
  facts.kvm_open_errno = errno_value;
  return facts;
}

TEST(Doctor, IsContentWhenKvmOpens) { EXPECT_EQ(judge_kvm_device(without_kvm(0)).severity, Severity::kOk); }

TEST(Doctor, AdvisesByTheReasonThatKvmIsMissing) {
  MachineFacts facts = without_kvm(ENOENT);
  EXPECT_EQ(judge_kvm_device(facts).severity, Severity::kProblem);
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "firmware"));

  facts.on_hypervisor = true;
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "nested virtualization"));

  facts.cpu_virtualizes = true;
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "modprobe kvm_amd"));
  facts.cpu_intel = true;
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "modprobe kvm_intel"));

  facts.in_container = true;
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "--device /dev/kvm"));
}

TEST(Doctor, AdvisesWhoMayNotOpenKvm) {
  MachineFacts facts = without_kvm(EACCES);
  EXPECT_EQ(judge_kvm_device(facts).severity, Severity::kProblem);
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "usermod -aG kvm"));
  facts.in_container = true;
  EXPECT_TRUE(contains(judge_kvm_device(facts).advice, "--group-add"));
}

TEST(Doctor, ReportsAnUnexpectedReasonAsItIs) {
  const DoctorItem item = judge_kvm_device(without_kvm(EBUSY));
  EXPECT_EQ(item.severity, Severity::kProblem);
  EXPECT_TRUE(contains(item.detail, "busy"));
}

TEST(Doctor, NotesLowLimits) {
  MachineFacts facts;
  facts.max_map_count = 65530;
  EXPECT_EQ(judge_map_count(facts).severity, Severity::kOk);
  facts.max_map_count = 30000;
  EXPECT_EQ(judge_map_count(facts).severity, Severity::kNote);
  EXPECT_TRUE(contains(judge_map_count(facts).advice, "vm.max_map_count"));
  facts.max_map_count = 0;
  EXPECT_EQ(judge_map_count(facts).severity, Severity::kNote);

  facts.open_files_soft = facts.open_files_hard = 1024;
  EXPECT_EQ(judge_open_files(facts).severity, Severity::kOk);
  facts.open_files_soft = 256;
  EXPECT_EQ(judge_open_files(facts).severity, Severity::kNote);
  EXPECT_TRUE(contains(judge_open_files(facts).advice, "ulimit -n 1024"));
  facts.open_files_hard = 256;
  EXPECT_TRUE(contains(judge_open_files(facts).advice, "hard limit"));

  facts.memory_total = 8ull << 30;
  facts.memory_available = 4ull << 30;
  EXPECT_EQ(judge_memory(facts).severity, Severity::kOk);
  facts.memory_available = 100u << 20;
  EXPECT_EQ(judge_memory(facts).severity, Severity::kNote);
  facts.memory_total = 0;
  EXPECT_EQ(judge_memory(facts).severity, Severity::kNote);
}

TEST(Doctor, DescribesHowTheHypervisorBehaves) {
  HypervisorInfo info;
  info.name = "kvm";
  info.api_version = 12;
  info.sync_regs = true;
  MachineTraits traits;
  traits.syscall_enters_ring3 = true;
  traits.tsc_khz = 2'000'000;
  std::set<std::string> notes;
  std::string details;
  for (const DoctorItem& item : judge_hypervisor(info, traits)) {
    EXPECT_NE(item.severity, Severity::kProblem) << item.name;
    if (item.severity == Severity::kNote) notes.insert(item.name);
    details += item.detail + "\n";
  }
  EXPECT_EQ(notes, (std::set<std::string>{"syscall_entry", "avx"}));
  EXPECT_TRUE(contains(details, "kvm, API version 12")) << details;
  EXPECT_TRUE(contains(details, "2000000 kHz")) << details;
}

TEST(Doctor, GathersTheFactsOfThisMachine) {
  const MachineFacts facts = gather_facts();
  EXPECT_FALSE(facts.kernel_release.empty());
  EXPECT_GT(facts.max_map_count, 0u);
  EXPECT_GT(facts.open_files_soft, 0u);
  EXPECT_GT(facts.memory_total, facts.memory_available);
  EXPECT_GT(facts.memory_available, 0u);
}

TEST(Doctor, AProblemMakesTheMachineUnusableAndANoteDoesNot) {
  DoctorReport report;
  EXPECT_TRUE(report.usable());
  report.items.push_back({Severity::kNote, "a", "", ""});
  EXPECT_TRUE(report.usable());
  report.items.push_back({Severity::kProblem, "b", "", ""});
  EXPECT_FALSE(report.usable());
}

TEST(CapiDoctor, ReportsWhateverTheMachineIs) {
  glint_doctor* doctor = nullptr;
  ASSERT_EQ(glint_doctor_create(&doctor, nullptr), GLINT_OK);
  const uint32_t count = glint_doctor_count(doctor);
  ASSERT_GE(count, 5u);
  std::set<std::string> names;
  bool problem = false;
  for (uint32_t i = 0; i < count; ++i) {
    glint_doctor_item item;
    item.struct_size = sizeof(item);
    ASSERT_EQ(glint_doctor_get(doctor, i, &item, nullptr), GLINT_OK);
    EXPECT_GT(item.detail.size, 0u);
    EXPECT_LE(item.severity, GLINT_DOCTOR_PROBLEM);
    problem |= item.severity == GLINT_DOCTOR_PROBLEM;
    EXPECT_TRUE(names.insert(std::string(item.name.data, item.name.size)).second) << "names are unique";
  }
  for (const char* name : {"kernel", "kvm_device", "max_map_count", "open_files", "memory"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(glint_doctor_usable(doctor), problem ? 0 : 1);
  glint_doctor_item item;
  item.struct_size = sizeof(item);
  EXPECT_EQ(glint_doctor_get(doctor, count, &item, nullptr), GLINT_E_NOT_FOUND);
  EXPECT_EQ(glint_doctor_get(doctor, 0, nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  item.struct_size = 1;
  EXPECT_EQ(glint_doctor_get(doctor, 0, &item, nullptr), GLINT_E_INVALID_ARGUMENT);
  glint_doctor_free(doctor);
}

TEST(CapiDoctor, RefusesNulls) {
  EXPECT_EQ(glint_doctor_create(nullptr, nullptr), GLINT_E_INVALID_ARGUMENT);
  EXPECT_EQ(glint_doctor_usable(nullptr), 0);
  EXPECT_EQ(glint_doctor_count(nullptr), 0u);
  glint_doctor_free(nullptr);
}

}  // namespace
}  // namespace glint::core
