// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <cstdio>
#include <string>

namespace glint::bench {

bool Table::ReportContext(const Context& context) {
  std::printf("%s; %d processors; times in microseconds\n\n", context.sys_info.name.c_str(),
              context.cpu_info.num_cpus);
  std::printf("%-24s %9s %9s %6s %6s %7s %6s %9s %7s %9s %8s\n", "", "time", "floor", "ratio", "exits",
              "ioctls", "host", "attaches", "faults", "copied", "free");
  return true;
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const auto value = [&run](const char* name) {
      const auto found = run.counters.find(name);
      return found != run.counters.end() ? found->second.value : 0.0;
    };
    if (run.error_occurred) {
      std::printf("%-24s %s\n", run.run_name.function_name.c_str(), run.error_message.c_str());
      continue;
    }
    std::printf("%-24s %9.1f %9.1f %6.2f %6.4g %7.4g %6.4g %9.4g %7.3g %9.0f",
                run.run_name.function_name.c_str(), value("us"), value("floor_us"), value("ratio"),
                value("exits"), value("ioctls"), value("host_calls"), value("attaches"), value("page_faults"),
                value("copied_bytes"));
    if (value("free_us") > 0) std::printf(" %8.1f", value("free_us"));
    if (value("p99_us") > 0) std::printf("  p99 %.1f, floor %.1f", value("p99_us"), value("floor_p99_us"));
    if (value("user_kib") > 0) {
      std::printf("  KiB each of %.0f: own %.1f, process %.1f, page tables %.1f, machine %.1f; %.0f files",
                  value("sandboxes"), value("own_kib"), value("user_kib"), value("tables_kib"),
                  value("machine_kib"), value("files"));
    }
    if (value("disturbed") > 0)
      std::printf("  %.0f %% are CPU times: the machine is busy", 100 * value("disturbed"));
    std::printf("\n");
  }
}

}  // namespace glint::bench
