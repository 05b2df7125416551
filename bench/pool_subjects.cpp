// SPDX-License-Identifier: Apache-2.0
// Loans of a warm pool, through the C ABI, on which all languages stand: the C++ layer adds handles that
// share the sandbox, and finds functions by name.
#include "subjects.hpp"

namespace glint::bench {
namespace {

// In a batch: 30 ms, in which the scheduler gives the pool's thread a processor of its own. On a machine with
// two, it may have woken on the caller's, and Linux looks for an idle one at a tick only.
constexpr unsigned kLoans = 1000;

class LoanSubject final : public Subject {
 public:
  LoanSubject() : pool_(snapshot(), host_) {
    const glint_image* image = pool_.snapshot().image().handle();
    if (glint_image_find_export(image, glint_str{"empty", 5}, &empty_, nullptr) != GLINT_OK)
      throw std::runtime_error("the guest has no function 'empty'");
    loans(kLoans);
  }

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
      glint_sandbox* sandbox = nullptr;
      glint_status status = glint_pool_acquire(pool_.handle(), nullptr, &sandbox, nullptr);
      if (status == GLINT_OK) status = glint_call(sandbox, empty_, nullptr, 0, nullptr, nullptr, nullptr);
      glint_sandbox_free(sandbox);
      samples.push_back(watch.us());
      if (status != GLINT_OK) throw std::runtime_error("a loan failed: " + std::to_string(status));
    }
    return median(std::move(samples));
  }

  const Engine engine_;
  HostFunctions host_;
  const Pool pool_;
  uint32_t empty_ = 0;
};

}  // namespace

std::unique_ptr<Subject> pool_loan() { return std::make_unique<LoanSubject>(); }

}  // namespace glint::bench
