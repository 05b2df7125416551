// SPDX-License-Identifier: Apache-2.0
// glint_bench [--check] [--json FILE] [--benchmark_…]: see docs/benchmarks.md.
#include <benchmark/benchmark.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bars.hpp"
#include "subjects.hpp"
#include "table.hpp"

namespace glint::bench {
namespace {

unsigned s_crowd = 10'000;

}  // namespace

unsigned crowd_size() { return s_crowd; }

const std::vector<Benchmark>& benchmarks() {
  static const std::vector<Benchmark> all = {
      {"call/empty", 15, empty_call},
      {"call/host_call", 15, call_with_host_call},
      {"call/string_64B", 15, echo_64_bytes},
      {"call/string_1MiB", 15, echo_1_mib},
      {"call/interrupt", 5, interrupt_to_return},
      {"create/hello/first", 15, create_hello_first},
      {"create/hello/shell_free", 15, create_hello_shell_free},
      {"create/lua/first", 15, create_lua_first},
      {"create/lua/shell_free", 15, create_lua_shell_free},
      {"snapshot/create", 15, create_from_snapshot},
      {"snapshot/create_parked", 15, create_from_snapshot_parked},
      {"snapshot/create_no_shell", 15, create_from_snapshot_no_shell},
      {"snapshot/create_2_threads", 15, create_from_snapshot_two_threads},
      {"snapshot/call_parked", 15, call_of_parked},
      {"snapshot/call_restored", 15, call_after_restore},
      {"snapshot/restore_1", 15, restore_1},
      {"snapshot/restore_16", 15, restore_16},
      {"snapshot/restore_256", 15, restore_256},
      {"snapshot/restore_4096", 15, restore_4096},
      {"memory/large_pages", 5, fill_large_pages},
      {"pool/loan", 15, pool_loan},
      {"density/10000", 1, ten_thousand},
      {"density/munmap", 1, unrelated_munmap},
      {"density/thread", 1, unrelated_thread},
  };
  return all;
}

namespace {

constexpr char kUsage[] =
    "glint_bench [--check] [--json FILE] [--benchmark_filter=REGEX] [other options of Google Benchmark]\n"
    "  --check      exit with 1 where a bar is missed, and name it\n"
    "  --json FILE  write the results to FILE as well, in Google Benchmark's format\n"
    "  --crowd N    density/10000 and its kin with N sandboxes, 100 to 1000000\n";

struct Options {
  bool check = false;
  bool help = false;
  std::vector<std::string> others;  // for Google Benchmark
};

unsigned parse_crowd(const char* text) {
  unsigned long count = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, failure] = std::from_chars(text, end, count);
  if (failure != std::errc() || rest != end || count < 100 || count > 1'000'000) {
    throw std::invalid_argument("--crowd takes a number from 100 to 1000000");
  }
  return static_cast<unsigned>(count);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--check") {
      options.check = true;
    } else if (argument == "-h" || argument == "--help") {
      options.help = true;
    } else if (argument == "--json" && i + 1 < argc) {
      options.others.push_back("--benchmark_out=" + std::string(argv[++i]));
      options.others.push_back("--benchmark_out_format=json");
    } else if (argument == "--crowd" && i + 1 < argc) {
      s_crowd = parse_crowd(argv[++i]);
    } else {
      options.others.emplace_back(argument);
    }
  }
  return options;
}

void report(benchmark::State& state, const Series& series) {
  const Counts counts = series.counts();
  state.counters["us"] = series.us();
  state.counters["floor_us"] = series.floor_us();
  state.counters["ratio"] = series.ratio();
  state.counters["p99_us"] = series.p99_us();
  state.counters["floor_p99_us"] = series.floor_p99_us();
  state.counters["disturbed"] = series.disturbed();
  state.counters["free_us"] = series.free_us();
  state.counters["exits"] = counts.exits;
  state.counters["ioctls"] = counts.ioctls;
  state.counters["host_calls"] = counts.host_calls;
  state.counters["attaches"] = counts.attaches;
  state.counters["page_faults"] = counts.page_faults;
  state.counters["copied_bytes"] = counts.copied_bytes;
  const MemoryEach memory = series.memory();
  state.counters["own_kib"] = memory.own_kib;
  state.counters["user_kib"] = memory.user_kib;
  state.counters["tables_kib"] = memory.tables_kib;
  state.counters["machine_kib"] = memory.machine_kib;
  state.counters["files"] = memory.files;
  state.counters["sandboxes"] = memory.sandboxes;
}

// An iteration, as Google Benchmark counts, is a batch; its time is the batch's median.
void add_to_google_benchmark(const Benchmark& entry, Results& results) {
  const auto body = [&entry, &results](benchmark::State& state) {
    const auto subject = entry.make();
    Series series;
    for (auto _ : state) {
      const Batch batch = subject->run_batch();
      state.SetIterationTime(batch.us * 1e-6);
      series.add(batch);
    }
    report(state, series);
    results[entry.name] = series;
  };
  benchmark::RegisterBenchmark(entry.name.c_str(), body)
      ->UseManualTime()
      ->Iterations(entry.batches)
      ->Unit(benchmark::kMicrosecond);
}

int run(int argc, char** argv) {
  Options options = parse(argc, argv);
  if (options.help) {
    std::printf("%s", kUsage);
    return 0;
  }
  // Through a pipe, too, a line is to be seen when it is complete.
  static_cast<void>(std::setvbuf(stdout, nullptr, _IOLBF, 0));
  std::vector<char*> arguments;
  arguments.reserve(options.others.size() + 1);
  for (std::string& other : options.others) arguments.push_back(other.data());
  arguments.push_back(nullptr);
  int count = static_cast<int>(options.others.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) {
    std::cerr << kUsage;
    return 2;
  }

  Results results;
  for (const Benchmark& entry : benchmarks()) add_to_google_benchmark(entry, results);
  Table table;
  if (benchmark::RunSpecifiedBenchmarks(&table) == 0) return 2;
  if (!options.check) return 0;
  std::printf("\n");
  const int missed = check_bars(results);
  std::printf("%s\n", missed == 0 ? "all bars hold" : ("bars missed: " + std::to_string(missed)).c_str());
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace glint::bench

int main(int argc, char** argv) {
  try {
    return glint::bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "glint_bench: " << failure.what() << '\n';
    return 2;
  }
}
