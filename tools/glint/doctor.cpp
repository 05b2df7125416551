// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "exit_codes.hpp"
#include "output.hpp"

namespace glint::cli {
namespace {

std::string_view severity_name(DoctorItem::Severity severity) {
  switch (severity) {
    case DoctorItem::Severity::kOk:
      return "ok";
    case DoctorItem::Severity::kNote:
      return "note";
    case DoctorItem::Severity::kProblem:
      return "problem";
  }
  return "unknown";
}

Json report_json(const DoctorReport& report) {
  Json items = Json::array();
  for (const DoctorItem& item : report.items) {
    items.push_back({{"name", item.name},
                     {"severity", severity_name(item.severity)},
                     {"detail", item.detail},
                     {"advice", item.advice}});
  }
  return {{"usable", report.usable}, {"items", items}};
}

std::string padded(std::string_view text, size_t width) {
  std::string result(text);
  result.resize(std::max(width, text.size()), ' ');
  return result;
}

std::string report_text(const DoctorReport& report) {
  constexpr size_t kSeverityWidth = 9;  // "problem" and two spaces
  size_t name_width = 0;
  for (const DoctorItem& item : report.items) name_width = std::max(name_width, item.name.size() + 2);
  std::string text;
  for (const DoctorItem& item : report.items) {
    text += padded(severity_name(item.severity), kSeverityWidth) + padded(item.name, name_width) +
            printable(item.detail) + "\n";
    if (!item.advice.empty())
      text += std::string(kSeverityWidth + name_width, ' ') + "→ " + printable(item.advice) + "\n";
  }
  return text + "\n" +
         (report.usable ? "Sandboxes can run on this machine.\n"
                        : "Sandboxes cannot run on this machine until the problems above are mended.\n");
}

}  // namespace

int examine_machine(bool json) {
  const DoctorReport report = doctor();
  if (json) {
    print_json(report_json(report));
  } else {
    print(report_text(report));
  }
  return report.usable ? kSuccess : kNegativeAnswer;
}

}  // namespace glint::cli
