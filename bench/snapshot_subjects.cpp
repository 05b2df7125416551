// SPDX-License-Identifier: Apache-2.0
// Sandboxes from a snapshot, and putting them back.
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <thread>
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
  explicit RestoreSubject(uint32_t pages) : pages_(pages), sandbox_(snapshot(), functions()) {
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
    uint64_t exits = 0, ioctls = 0;
    for (unsigned i = 0; i < kRestores; ++i) {
      write();
      const SandboxCounters before = sandbox_.counters();
      const unsigned faults_before = page_faults();
      const Stopwatch watch;
      sandbox_.restore();
      samples.push_back(watch.us());
      faults += page_faults() - faults_before;
      exits += sandbox_.counters().exits - before.exits;
      ioctls += sandbox_.counters().ioctls - before.ioctls;
    }
    const uint64_t restored = sandbox_.counters().restored_pages - first.restored_pages;
    Copy copy(restored / kRestores);
    for (unsigned i = 0; i < kRestores; ++i) floors.push_back(copy.us());
    batch.total.exits = static_cast<double>(exits);
    batch.total.ioctls = static_cast<double>(ioctls);
    batch.total.copied_bytes = static_cast<double>(restored * kPage);
    batch.total.page_faults = faults;
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    batch.registers_us = floor_registers_us(kRestores);
    return batch;
  }

 private:
  // It holds these pages: they are copied back, not wiped.
  Snapshot snapshot() const {
    Sandbox original = started(engine_);
    original.call("touch", pages_);
    return original.snapshot();
  }
  void write() { sandbox_.call("touch", pages_); }

  const uint32_t pages_;
  const Engine engine_;
  Sandbox sandbox_;
};

// The first call of a new sandbox of a snapshot. `Floor` gives microseconds for so many page faults.
class FromSnapshotSubject final : public Subject {
 public:
  enum class Vm { kFree, kNone };
  using Floor = double (*)(unsigned pages);

  // `series`: how many of it the floor measures in a row, of which it takes the median; so many are measured
  // here, for the caches to be as warm.
  FromSnapshotSubject(Vm vm, Floor floor, unsigned series) : vm_(vm), floor_(floor), series_(series) {
    create();
    pages_ = static_cast<unsigned>(std::lround(create().total.page_faults));
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kCreations * series_;
    std::vector<double> samples, floors, frees;
    for (unsigned i = 0; i < kCreations; ++i) {
      std::vector<double> in_a_row;
      for (unsigned j = 0; j < series_; ++j) {
        const Batch one = create();
        in_a_row.push_back(one.us);
        frees.push_back(one.free_us);
        batch.disturbed += one.disturbed;
        add(batch.total, one.total);
      }
      samples.push_back(median(std::move(in_a_row)));
      floors.push_back(floor_(pages_));
      batch.disturbed += glint_floor_disturbed();
    }
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    batch.free_us = median(std::move(frees));
    return batch;
  }

 private:
  struct Machine {
    Engine engine;
    HostFunctions host = functions();
    Snapshot snapshot = started(engine).snapshot();
  };

  Batch create() {
    if (vm_ == Vm::kFree) return create_in(machine_);
    // The VM that its start-up code ran in is taken; the next machine has none but that.
    const Machine machine;
    Sandbox other(machine.snapshot, machine.host);
    const Result held = other.call_view("echo_string", std::string_view("holds the VM"));
    return create_in(machine);
  }

  static Batch create_in(const Machine& machine) {
    Batch one;
    const unsigned faults_before = page_faults();
    glint_floor_watch watch;
    glint_floor_start(&watch);
    auto sandbox = std::make_unique<Sandbox>(machine.snapshot, machine.host);
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

  const Vm vm_;
  const Floor floor_;
  const unsigned series_;
  const Machine machine_;
  unsigned pages_ = 0;
};

double bare_vm(unsigned pages) { return floor_create_us(1, pages); }
constexpr unsigned kSharedSeries = 5;
double shared_vm(unsigned pages) { return floor_parked(kSharedSeries, pages).create_us; }

// Two sandboxes with one VM, called in turns.
class ParkedSubject final : public Subject {
 public:
  ParkedSubject() {
    for (Sandbox& sandbox : sandboxes_) touch(sandbox);
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = 2 * kRestores;
    std::vector<double> samples;
    const SandboxCounters first[] = {sandboxes_[0].counters(), sandboxes_[1].counters()};
    for (unsigned i = 0; i < kRestores; ++i) {
      for (Sandbox& sandbox : sandboxes_) {
        const Stopwatch watch;
        touch(sandbox);
        samples.push_back(watch.us());
      }
    }
    for (int i = 0; i < 2; ++i) add(batch.total, difference(sandboxes_[i].counters(), first[i]));
    batch.us = median(std::move(samples));
    batch.floor_us = floor_parked(20, pages_).call_us;
    return batch;
  }

 private:
  static void touch(Sandbox& sandbox) { sandbox.call("touch", 8u); }

  // How many pages such a call writes to: those of the program, and of its stack and the libos.
  unsigned count_pages() const {
    Sandbox sandbox(snapshot_, host_);
    touch(sandbox);
    sandbox.restore();
    return static_cast<unsigned>(sandbox.counters().restored_pages);
  }

  const Engine engine_{{.max_shells = 1}};
  const HostFunctions host_ = functions();
  const Snapshot snapshot_ = started(engine_).snapshot();
  const unsigned pages_ = count_pages();
  Sandbox sandboxes_[2] = {Sandbox(snapshot_, host_), Sandbox(snapshot_, host_)};
};

// The same call of one sandbox, with and without restoring before it.
class AfterRestoreSubject final : public Subject {
 public:
  AfterRestoreSubject() {
    for (int i = 0; i < 5; ++i) {
      call();
      sandbox_.restore();
    }
  }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kRestores;
    std::vector<double> samples, floors;
    for (unsigned i = 0; i < kRestores; ++i) {
      floors.push_back(call());
      floors.push_back(call());
      sandbox_.restore();
      const unsigned faults_before = page_faults();
      samples.push_back(call());
      batch.total.page_faults += page_faults() - faults_before;
    }
    batch.us = median(std::move(samples));
    batch.floor_us = median(std::move(floors));
    return batch;
  }

 private:
  double call() {
    const Stopwatch watch;
    function_(16);
    return watch.us();
  }

  const Engine engine_;
  Sandbox sandbox_{started(engine_).snapshot(), functions()};
  const Function<void(uint32_t)> function_ = sandbox_.function<void(uint32_t)>("touch");
};

// Creations by one thread, and by two at once.
class TwoThreadsSubject final : public Subject {
 public:
  TwoThreadsSubject() { create_many(1); }

  Batch run_batch() override {
    Batch batch;
    batch.operations = kEach * 2;
    batch.floor_us = create_many(1);
    batch.us = create_many(2);
    return batch;
  }

 private:
  // 20 ms and more: Linux may begin with both threads on one processor, until a tick.
  static constexpr unsigned kEach = 400;

  // Microseconds for each sandbox.
  double create_many(unsigned threads) {
    const Stopwatch watch;
    std::vector<std::jthread> all;
    for (unsigned t = 0; t < threads; ++t) {
      all.emplace_back([this] {
        for (unsigned i = 0; i < kEach; ++i) Sandbox(snapshot_, host_).call("empty");
      });
    }
    all.clear();
    return watch.us() / (kEach * threads);
  }

  const Engine engine_;
  const HostFunctions host_ = functions();
  const Snapshot snapshot_ = started(engine_).snapshot();
};

}  // namespace

std::unique_ptr<Subject> restore_1() { return std::make_unique<RestoreSubject>(1); }
std::unique_ptr<Subject> restore_16() { return std::make_unique<RestoreSubject>(16); }
std::unique_ptr<Subject> restore_256() { return std::make_unique<RestoreSubject>(256); }
std::unique_ptr<Subject> restore_4096() { return std::make_unique<RestoreSubject>(4096); }
std::unique_ptr<Subject> create_from_snapshot() {
  return std::make_unique<FromSnapshotSubject>(FromSnapshotSubject::Vm::kFree, bare_vm, 1);
}
std::unique_ptr<Subject> create_from_snapshot_parked() {
  return std::make_unique<FromSnapshotSubject>(FromSnapshotSubject::Vm::kFree, shared_vm, kSharedSeries);
}
std::unique_ptr<Subject> create_from_snapshot_no_shell() {
  return std::make_unique<FromSnapshotSubject>(FromSnapshotSubject::Vm::kNone, bare_vm, 1);
}
std::unique_ptr<Subject> create_from_snapshot_two_threads() { return std::make_unique<TwoThreadsSubject>(); }
std::unique_ptr<Subject> call_of_parked() { return std::make_unique<ParkedSubject>(); }
std::unique_ptr<Subject> call_after_restore() { return std::make_unique<AfterRestoreSubject>(); }

}  // namespace glint::bench
