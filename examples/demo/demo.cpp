// SPDX-License-Identifier: Apache-2.0
// What it costs to run the guests of the examples, held against bare KVM, here and now.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <glint/glint.hpp>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/floor.h"
#include "bench/sampling.hpp"
#include "common/example.hpp"
#include "demo/table.hpp"

namespace {

using glint::bench::median;
using glint::bench::page_faults;
using glint::bench::Stopwatch;

// Images loaded, each anew, for the median of what starting takes.
constexpr unsigned kStarts = 15;
constexpr unsigned kRoundTrips = 300;

struct Subject {
  std::string what;
  std::string guest;  // relative to the directory of the examples
  std::function<void(glint::Sandbox&)> call;
  unsigned warm_calls;
};

double floor(double measured) {
  if (measured < 0)
    throw std::runtime_error(std::string("bare KVM cannot be measured: ") + glint_floor_error());
  return measured;
}

// Samples of one way to get a sandbox.
struct Samples {
  std::vector<double> create{}, first_call{}, floor{};
  unsigned pages = 0;  // touched the last time

  Start medians() const { return {median(create), median(first_call), median(floor)}; }
};

class Measurement {
 public:
  Measurement(const glint::Engine& engine, const glint::HostFunctions& host, const Subject& subject)
      : engine_(engine), host_(host), subject_(subject) {}

  Row run() {
    start_both();  // finds out how many pages are touched, and is not counted
    first_ = Samples{.pages = first_.pages};
    later_ = Samples{.pages = later_.pages};
    for (unsigned i = 0; i < kStarts; ++i) {
      // In turns, so that what disturbs the machine disturbs both; and before the image has a VM.
      first_.floor.push_back(floor(glint_floor_create_us(1, first_.pages)));
      later_.floor.push_back(floor(glint_floor_create_us(1, later_.pages)));
      start_both();
    }
    Row row{subject_.what, first_.medians(), later_.medians()};
    measure_warm_calls(row);
    return row;
  }

 private:
  // VMs belong to an image and end with it; so this makes one VM, and uses it twice.
  void start_both() {
    const glint::Image image = load();
    start(image, first_);
    start(image, later_);
  }

  void start(const glint::Image& image, Samples& samples) {
    const unsigned faults_before = page_faults();
    const Stopwatch create_watch;
    glint::Sandbox sandbox(image, host_);
    samples.create.push_back(create_watch.us());
    const Stopwatch call_watch;
    subject_.call(sandbox);
    samples.first_call.push_back(call_watch.us());
    samples.pages = page_faults() - faults_before;
  }

  void measure_warm_calls(Row& row) const {
    glint::Sandbox sandbox(load(), host_);
    subject_.call(sandbox);
    std::vector<double> calls;
    for (unsigned i = 0; i < subject_.warm_calls; ++i) {
      const uint64_t exits_before = sandbox.counters().exits;
      const Stopwatch watch;
      subject_.call(sandbox);
      calls.push_back(watch.us());
      row.exits = sandbox.counters().exits - exits_before;
    }
    row.warm_us = median(calls);
    row.round_trip_us = floor(glint_floor_round_trip_us(kRoundTrips));
  }

  glint::Image load() const {
    return engine_.load(example::beside_program("../" + subject_.guest).lexically_normal().string());
  }

  const glint::Engine& engine_;
  const glint::HostFunctions& host_;
  const Subject& subject_;
  Samples first_, later_;
};

void expect(bool good, std::string_view what) {
  if (!good) throw std::runtime_error("a guest gave a wrong result: " + std::string(what));
}

std::vector<Subject> subjects() {
  const auto picture = example::read_file(example::beside_program("../thumbnail/pictures/landscape.png"));
  return {
      {"add(1, 2) in C, one host call inside", "hello/adder",
       [](glint::Sandbox& sandbox) { expect(sandbox.call<int64_t>("add", 1, 2) == 3, "add"); }, 200},
      {"a Lua script: return 6 * 7", "lua/lua",
       [](glint::Sandbox& sandbox) {
         expect(sandbox.call<std::string>("run", "return 6 * 7") == "42", "run");
       },
       200},
      {"a thumbnail of landscape.png, 1600x1000", "thumbnail/thumbnail",
       [picture](glint::Sandbox& sandbox) {
         const glint::Result thumbnail = sandbox.call_view("thumbnail", picture, 160);
         expect(thumbnail.as<std::span<const std::byte>>().size() > 1000, "thumbnail");
       },
       5},
  };
}

int show_costs(int, char**) {
  const glint::Engine engine;
  glint::HostFunctions host;
  host.add("progress", [](uint32_t) {});
  host.add("lookup", [](std::string_view) { return std::string(); });
  host.add("write_log", [](std::string_view) {});

  std::vector<Row> rows;
  for (const Subject& subject : subjects()) {
    std::cout << "measuring: " << subject.what << '\n' << std::flush;
    rows.push_back(Measurement(engine, host, subject).run());
  }
  std::cout << "\nBackend: " << engine.backend() << ". Medians of this run.\n\n";
  print_table(std::cout, rows);
  std::cout << "\nThe floor is bare KVM here and now. Of a start (creation and first call): a VM, a vCPU, "
               "one run, and as many\n"
               "pages touched. Of a warm call: one exit and back, "
            << std::lround(rows.back().round_trip_us)
            << " us. What lies above it is further exits, one for each host call, and the guest's own work: "
               "start-up\n"
               "code here, decoding there. The bars of SPECIFICATION.md are for a guest that does nothing.\n";
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) { return example::run("demo", show_costs, argc, argv); }
