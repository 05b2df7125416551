// SPDX-License-Identifier: Apache-2.0
// Loans of a warm pool.
#include "subjects.hpp"

namespace glint::bench {
namespace {

// In a batch: 30 ms, in which the scheduler gives the pool's thread a processor of its own. On a machine with
// two, it may have woken on the caller's, and Linux looks for an idle one at a tick only.
constexpr unsigned kLoans = 1000;

class LoanSubject final : public Subject {
 public:
  LoanSubject() : pool_(snapshot(), host_) { loans(kLoans); }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kLoans;
    batch.floor_us = floor_round_trip_us(kLoans);
    const double faults_before = page_faults();
    const uint64_t attaches_before = engine_.counters().attaches;
    batch.us = loans(kLoans);
    batch.total.page_faults = page_faults() - faults_before;
    batch.total.attaches = static_cast<double>(engine_.counters().attaches - attaches_before);
    return batch;
  }

 private:
  Snapshot snapshot() {
    host_.add("nothing", [] {});
    return Sandbox(engine_.load(GLINT_BENCH_CALLS), host_).snapshot();
  }

  double loans(unsigned count) {
    std::vector<double> samples;
    for (unsigned i = 0; i < count; ++i) {
      const Stopwatch watch;
      pool_.acquire().call("empty");
      samples.push_back(watch.us());
    }
    return median(std::move(samples));
  }

  const Engine engine_;
  HostFunctions host_;
  const Pool pool_;
};

}  // namespace

std::unique_ptr<Subject> pool_loan() { return std::make_unique<LoanSubject>(); }

}  // namespace glint::bench
