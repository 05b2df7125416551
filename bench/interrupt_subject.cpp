// SPDX-License-Identifier: Apache-2.0
// Interrupting a guest that loops.
#include <glint/glint.hpp>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "subjects.hpp"

namespace glint::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Several times what entering the guest takes: it loops when the interrupt is raised.
constexpr std::chrono::microseconds kSettled{300};

class InterruptSubject final : public Subject {
 public:
  Batch run_batch() override {
    constexpr unsigned kCalls = 100;
    Batch batch;
    batch.operations = kCalls;
    batch.floor_us = floor_kick_us(kCalls, batch.floor_p99_us);
    std::vector<double> samples(kCalls);
    for (double& sample : samples) sample = interrupt_once(batch.total);
    batch.p99_us = p99(samples);
    batch.us = median(std::move(samples));
    return batch;
  }

 private:
  double interrupt_once(Counts& total) {
    Sandbox sandbox(image_, host_);
    sandbox.call("empty");  // started, and in a VM
    const SandboxCounters before = sandbox.counters();
    const Interrupt interrupt;
    std::binary_semaphore calling{0};
    Clock::time_point raised, returned;
    std::thread other([&] {
      calling.acquire();
      std::this_thread::sleep_for(kSettled);
      raised = Clock::now();
      interrupt.raise();
    });
    calling.release();
    const auto ended = sandbox.try_call({.deadline = kNoDeadline, .interrupt = interrupt}, "spin");
    returned = Clock::now();
    other.join();
    if (ended || ended.error().code() != GLINT_E_INTERRUPTED) {
      throw std::runtime_error("a guest that loops was not interrupted");
    }
    const Counts counts = difference(sandbox.counters(), before);
    total.exits += counts.exits;
    total.ioctls += counts.ioctls;
    return std::chrono::duration<double, std::micro>(returned - raised).count();
  }

  Engine engine_;
  Image image_ = engine_.load(GLINT_BENCH_CALLS);
  HostFunctions host_ = with_nothing();

  static HostFunctions with_nothing() {
    HostFunctions host;
    host.add("nothing", [] {});
    return host;
  }
};

}  // namespace

std::unique_ptr<Subject> interrupt_to_return() { return std::make_unique<InterruptSubject>(); }

}  // namespace glint::bench
