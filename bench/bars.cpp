// SPDX-License-Identifier: Apache-2.0
#include "bars.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace glint::bench {
namespace {

constexpr int kAttempts = 3;

struct Bar {
  const char* benchmark;
  const char* what;
  double limit;
  bool exact;  // a count, which must be just that; else at most the limit
  double (*value)(const Series& series);
};

double exits(const Series& series) { return series.counts().exits; }
double ioctls(const Series& series) { return series.counts().ioctls; }
double page_faults(const Series& series) { return series.counts().page_faults; }
double ratio(const Series& series) { return series.ratio(); }
double attaches(const Series& series) { return series.counts().attaches; }
double files(const Series& series) { return series.memory().files; }
// What is allowed is half as much again as copying the pages takes, 2 µs, and what setting registers takes.
double restore_ratio(const Series& series) {
  return series.us() / (1.5 * series.floor_us() + 2 + series.registers_us());
}
double kib_besides(const Series& series) {
  const MemoryEach memory = series.memory();
  return memory.user_kib + memory.tables_kib - memory.own_kib;
}

constexpr Bar kBars[] = {
    {"call/empty", "exits per call", 1, true, exits},
    {"call/empty", "ioctls per call", 1, true, ioctls},
    {"call/host_call", "exits per call", 2, true, exits},
    {"call/host_call", "ioctls per call", 2, true, ioctls},
    {"call/empty", "time / bare exit round trip", 1.10, false, ratio},
    {"create/hello/first", "time / bare VM to first exit with as many page touches", 1.5, false, ratio},
    {"create/hello/shell_free", "time / bare VM to first exit with as many page touches", 0.5, false, ratio},
    {"snapshot/create", "time / bare VM to first exit with as many page touches", 0.35, false, ratio},
    {"snapshot/create_parked", "time / new sandbox in a shared VM, without Glint", 1.3, false, ratio},
    {"snapshot/create_no_shell", "time / bare VM to first exit with as many page touches", 1.25, false,
     ratio},
    {"snapshot/create_2_threads", "time of two threads / time of one", 1 / 1.6, false, ratio},
    {"snapshot/call_parked", "time / attach, run and park without Glint", 1.3, false, ratio},
    {"snapshot/call_restored", "time / the same call of a warm sandbox", 1.05, false, ratio},
    {"snapshot/call_restored", "page faults per call", 0, true, page_faults},
    {"memory/large_pages", "time / on small pages", 0.5, false, ratio},
    {"pool/loan", "time / bare exit round trip", 1.15, false, ratio},
    {"pool/loan", "attaches per loan", 0, true, attaches},
    {"density/10000", "time of the last thousand / of the first", 2, false, ratio},
    {"density/10000", "KiB each, besides the pages that it dirtied", 16, false, kib_besides},
    {"density/10000", "file descriptors", 0, true, files},
    {"density/munmap", "time / without sandboxes", 2, false, ratio},
    {"density/thread", "time / without sandboxes", 2, false, ratio},
    {"snapshot/restore_1", "time / 1.5 x copying the pages + 2 us + setting registers", 1, false,
     restore_ratio},
    {"snapshot/restore_16", "time / 1.5 x copying the pages + 2 us + setting registers", 1, false,
     restore_ratio},
    {"snapshot/restore_256", "time / 1.5 x copying the pages + 2 us + setting registers", 1, false,
     restore_ratio},
    {"snapshot/restore_4096", "time / 1.5 x copying the pages + 2 us + setting registers", 1, false,
     restore_ratio},
    {"snapshot/restore_1", "page faults per restore", 0, true, page_faults},
    {"snapshot/restore_1", "exits per restore", 0, true, exits},
    {"snapshot/restore_1", "ioctls per restore", 2, true, ioctls},
    {"snapshot/restore_16", "page faults per restore", 0, true, page_faults},
    {"snapshot/restore_16", "exits per restore", 0, true, exits},
    {"snapshot/restore_16", "ioctls per restore", 2, true, ioctls},
    {"snapshot/restore_256", "page faults per restore", 0, true, page_faults},
    {"snapshot/restore_256", "exits per restore", 0, true, exits},
    {"snapshot/restore_256", "ioctls per restore", 2, true, ioctls},
    {"snapshot/restore_4096", "page faults per restore", 0, true, page_faults},
    {"snapshot/restore_4096", "exits per restore", 0, true, exits},
    {"snapshot/restore_4096", "ioctls per restore", 2, true, ioctls},
};

// Counts are whole numbers divided by how many operations there were, so they are exact where they are right.
bool holds(const Bar& bar, double value) { return bar.exact ? value == bar.limit : value <= bar.limit; }

Series measure_anew(const std::string& name) {
  const auto& all = benchmarks();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Benchmark& b) { return b.name == name; });
  if (found == all.end()) throw std::logic_error("a bar for a benchmark that does not exist: " + name);
  const auto subject = found->make();
  Series series;
  for (int i = 0; i < found->batches; ++i) series.add(subject->run_batch());
  return series;
}

bool judge_aloud(const Bar& bar, const Series& series, int attempt) {
  const double value = bar.value(series);
  std::printf("%-6s  %-24s  %8.3f  %s %5.2f  %s", holds(bar, value) ? "ok" : "MISSED", bar.benchmark, value,
              bar.exact ? "= " : "<=", bar.limit, bar.what);
  if (!bar.exact && series.disturbed() > 0.5) std::printf("; the machine is busy: CPU times are compared");
  if (attempt > 1) std::printf("  (attempt %d)", attempt);
  std::printf("\n");
  return holds(bar, value);
}

bool judge_repeatedly(const Bar& bar, const Series* measured) {
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    const Series series = attempt == 1 && measured != nullptr ? *measured : measure_anew(bar.benchmark);
    if (judge_aloud(bar, series, attempt)) return true;
  }
  return false;
}

}  // namespace

int check_bars(const Results& results) {
  int missed = 0;
  for (const Bar& bar : kBars) {
    const auto found = results.find(bar.benchmark);
    if (!judge_repeatedly(bar, found != results.end() ? &found->second : nullptr)) ++missed;
  }
  return missed;
}

}  // namespace glint::bench
