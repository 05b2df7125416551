// SPDX-License-Identifier: Apache-2.0
// Sandboxes from a snapshot, and putting them back.
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "floor.h"
#include "subjects.hpp"

namespace glint::bench {
namespace {

constexpr size_t kPage = 4096;
constexpr unsigned kRestores = 50;   // in a batch
constexpr unsigned kCreations = 10;  // in a batch

HostFunctions functions() {
  HostFunctions host;
  host.add("nothing", [] {});
  return host;
}

Sandbox started(const Engine& engine) { return Sandbox(engine.load(GLINT_BENCH_CALLS), functions()); }

// What copying as many pages takes that lie apart, as a guest's do, with nothing else.
class Copy {
 public:
  explicit Copy(size_t pages) : from_(pages * kPage, 1), to_(pages * kPage, 2) {}

  double us() {
    const Stopwatch watch;
    for (size_t at = 0; at < to_.size(); at += kPage) std::memcpy(&to_[at], &from_[at], kPage);
    return watch.us();
  }

 private:
  std::vector<unsigned char> from_, to_;
};

// restore() of a sandbox whose call has written to `pages` pages that it has written to before.
class RestoreSubject final : public Subject {
 public:
  explicit RestoreSubject(uint32_t pages)
      : pages_(pages), original_(started(engine_)), sandbox_(original_.snapshot(), functions()) {
    for (int i = 0; i < 3; ++i) {
      write();
      sandbox_.restore();
    }
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kRestores;
    std::vector<double> samples, floors;
    const SandboxCounters first = sandbox_.counters();
    unsigned faults = 0;
    uint64_t ioctls = 0;
    for (unsigned i = 0; i < kRestores; ++i) {
      write();
      const SandboxCounters before = sandbox_.counters();
      const unsigned faults_before = page_faults();
      const Stopwatch watch;
      sandbox_.restore();
      samples.push_back(watch.us());
      faults += page_faults() - faults_before;
      ioctls += sandbox_.counters().ioctls - before.ioctls;
    }
    const auto restored =
        static_cast<size_t>((sandbox_.counters().restored_pages - first.restored_pages) / kRestores);
    Copy copy(restored);
    for (unsigned i = 0; i < kRestores; ++i) floors.push_back(copy.us());
    batch.total.ioctls = static_cast<double>(ioctls);
    batch.total.page_faults = faults;
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    return batch;
  }

 private:
  void write() { sandbox_.call("touch", pages_); }

  const uint32_t pages_;
  const Engine engine_;
  Sandbox original_;
  Sandbox sandbox_;
};

// The first call of a new sandbox of a snapshot, a VM being free.
class FromSnapshotSubject final : public Subject {
 public:
  FromSnapshotSubject() : snapshot_(started(engine_).snapshot()) {
    create();
    pages_ = static_cast<unsigned>(std::lround(create().total.page_faults));
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kCreations;
    std::vector<double> samples, floors, frees;
    for (unsigned i = 0; i < kCreations; ++i) {
      const Batch one = create();
      samples.push_back(one.us);
      frees.push_back(one.free_us);
      floors.push_back(floor_create_us(1, pages_));
      batch.disturbed += glint_floor_disturbed() + one.disturbed;
      add(batch.total, one.total);
    }
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    batch.free_us = median(std::move(frees));
    return batch;
  }

 private:
  Batch create() const {
    Batch one;
    const unsigned faults_before = page_faults();
    glint_floor_watch watch;
    glint_floor_start(&watch);
    auto sandbox = std::make_unique<Sandbox>(snapshot_, host_);
    sandbox->call("empty");
    bool disturbed = false;
    one.us = glint_floor_stop(&watch, &disturbed);
    one.disturbed = disturbed ? 1 : 0;
    one.total = difference(sandbox->counters(), SandboxCounters{});
    one.total.page_faults = page_faults() - faults_before;
    const Stopwatch free_watch;
    sandbox.reset();
    one.free_us = free_watch.us();
    return one;
  }

  const Engine engine_;
  const HostFunctions host_ = functions();
  Snapshot snapshot_;
  unsigned pages_ = 0;
};

}  // namespace

std::unique_ptr<Subject> restore_1() { return std::make_unique<RestoreSubject>(1); }
std::unique_ptr<Subject> restore_16() { return std::make_unique<RestoreSubject>(16); }
std::unique_ptr<Subject> restore_256() { return std::make_unique<RestoreSubject>(256); }
std::unique_ptr<Subject> restore_4096() { return std::make_unique<RestoreSubject>(4096); }
std::unique_ptr<Subject> create_from_snapshot() { return std::make_unique<FromSnapshotSubject>(); }

}  // namespace glint::bench
