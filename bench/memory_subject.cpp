// SPDX-License-Identifier: Apache-2.0
// Guests that fill much fresh memory.
#include "subjects.hpp"

namespace glint::bench {
namespace {

constexpr uint64_t kBytes = 16u << 20;
constexpr unsigned kFills = 3;  // in a batch

// The first call of a new sandbox, on large pages; the floor is the same on small ones.
class FillSubject final : public Subject {
 public:
  Batch run_batch() override {
    Batch batch;
    batch.operations = kFills;
    std::vector<double> samples, floors;
    for (unsigned i = 0; i < kFills; ++i) {
      floors.push_back(fill(small_, nullptr));
      samples.push_back(fill(large_, &batch.total));
    }
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    return batch;
  }

 private:
  Snapshot snapshot(bool large_pages) const {
    return Sandbox(engine_.load(GLINT_BENCH_CALLS, {.large_pages = large_pages}), host_).snapshot();
  }

  double fill(const Snapshot& snapshot, Counts* total) const {
    Sandbox sandbox(snapshot, host_);
    sandbox.call("empty");
    const SandboxCounters before = sandbox.counters();
    const unsigned faults_before = page_faults();
    const Stopwatch watch;
    sandbox.call("fill", kBytes);
    const double us = watch.us();
    if (total != nullptr) {
      add(*total, difference(sandbox.counters(), before));
      total->page_faults += page_faults() - faults_before;
    }
    return us;
  }

  static HostFunctions functions() {
    HostFunctions host;
    host.add("nothing", [] {});
    return host;
  }

  const Engine engine_;
  const HostFunctions host_ = functions();
  const Snapshot small_ = snapshot(false), large_ = snapshot(true);
};

}  // namespace

std::unique_ptr<Subject> fill_large_pages() { return std::make_unique<FillSubject>(); }

}  // namespace glint::bench
