// SPDX-License-Identifier: Apache-2.0
// Calls of a guest that is started, attached and warm.
#include <functional>
#include <glint/glint.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "subjects.hpp"

namespace glint::bench {
namespace {

constexpr unsigned kWarmUpCalls = 20;

// An engine with one sandbox of guests/calls.c.
struct Guest {
  Engine engine;
  HostFunctions host;
  Sandbox sandbox;

  Guest() : sandbox(load(engine, host)) {}

  static Sandbox load(const Engine& engine, HostFunctions& host) {
    host.add("nothing", [] {});
    return Sandbox(engine.load(GLINT_BENCH_CALLS), host);
  }
};

class CallSubject final : public Subject {
 public:
  // The floor of a call is `exits` bare exits.
  CallSubject(std::unique_ptr<Guest> guest, std::function<void()> call, unsigned exits, unsigned calls)
      : guest_(std::move(guest)), call_(std::move(call)), exits_(exits), calls_(calls) {}

  Batch run_batch() override {
    Batch batch;
    batch.operations = calls_;
    batch.floor_us = exits_ * floor_round_trip_us(calls_);
    for (unsigned i = 0; i < kWarmUpCalls; ++i) call_();

    std::vector<double> samples(calls_);
    const SandboxCounters before = guest_->sandbox.counters();
    const double faults_before = page_faults();
    for (double& sample : samples) {
      const Stopwatch watch;
      call_();
      sample = watch.us();
    }
    batch.total = difference(guest_->sandbox.counters(), before);
    batch.total.page_faults = page_faults() - faults_before;
    batch.us = median(std::move(samples));
    return batch;
  }

 private:
  std::unique_ptr<Guest> guest_;
  std::function<void()> call_;
  const unsigned exits_;
  const unsigned calls_;
};

std::unique_ptr<Subject> call_of(const char* name, unsigned exits) {
  auto guest = std::make_unique<Guest>();
  auto function = guest->sandbox.function<void()>(name);
  return std::make_unique<CallSubject>(std::move(guest), [function] { function(); }, exits, 200);
}

std::unique_ptr<Subject> echo_of(size_t size, unsigned calls) {
  auto guest = std::make_unique<Guest>();
  auto echo = guest->sandbox.function<Result(std::string_view)>("echo_string");
  auto call = [echo, text = std::string(size, 'x')] {
    const Result echoed = echo(text);
    if (echoed.as<std::string_view>().size() != text.size())
      throw std::runtime_error("echo_string lost something");
  };
  return std::make_unique<CallSubject>(std::move(guest), std::move(call), 1, calls);
}

}  // namespace

Counts difference(const SandboxCounters& now, const SandboxCounters& before) {
  Counts counts;
  counts.exits = static_cast<double>(now.exits - before.exits);
  counts.ioctls = static_cast<double>(now.ioctls - before.ioctls);
  counts.host_calls = static_cast<double>(now.host_calls - before.host_calls);
  counts.attaches = static_cast<double>(now.attaches - before.attaches);
  return counts;
}

void add(Counts& sum, const Counts& counts) {
  sum.exits += counts.exits;
  sum.ioctls += counts.ioctls;
  sum.host_calls += counts.host_calls;
  sum.attaches += counts.attaches;
  sum.page_faults += counts.page_faults;
}

std::unique_ptr<Subject> empty_call() { return call_of("empty", 1); }
std::unique_ptr<Subject> call_with_host_call() { return call_of("empty_with_host_call", 2); }
std::unique_ptr<Subject> echo_64_bytes() { return echo_of(64, 200); }
std::unique_ptr<Subject> echo_1_mib() { return echo_of(1u << 20, 50); }

}  // namespace glint::bench
