// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "floor.h"
#include "sampling.hpp"

namespace glint::bench {

// What one operation took besides time. These do not vary from machine to machine as times do.
struct Counts {
  double exits = 0;       // returns of the vCPU to this process
  double ioctls = 0;      // hypervisor calls of the sandbox; those that make a VM are not among them
  double host_calls = 0;  // host functions called by the guest
  double attaches = 0;    // times the sandbox was put into a VM
  double page_faults =
      0;  // of this thread, those that KVM took for the guest included (getrusage, ru_minflt)
  double copied_bytes = 0;  // by restoring
};

// What one sandbox of many costs, in KiB; all zero where it was not measured.
struct MemoryEach {
  double own_kib = 0;      // pages that it has written to
  double user_kib = 0;     // of this process, those included
  double tables_kib = 0;   // page tables of this process
  double machine_kib = 0;  // what the machine has less
  double sandboxes = 0;    // of how many
  double files = 0;        // file descriptors of all together, but for those of VMs
};

// Some operations, measured one after the other right after the same was done to the floor, so that what
// disturbs the machine disturbs both.
struct Batch {
  double us = 0;            // median of the operations
  double floor_us = 0;      // median of what bare KVM takes for the same exits, VMs and page touches
  double registers_us = 0;  // restoring: what setting registers takes, besides the floor
  double p99_us = 0, floor_p99_us = 0;  // what 99 of 100 operations do not exceed; 0: not measured
  double free_us = 0;  // creations: median of what freeing the sandbox took, which is no part of `us`
  uint64_t operations = 0;
  unsigned disturbed =
      0;         // how many of them, and of the floor's as many, stayed disturbed: see glint_floor_stop
  Counts total;  // of all operations together
  MemoryEach memory;
};

// What is measured: made once, then run batch by batch.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Batch run_batch() = 0;
};

// Batches of one subject.
class Series {
 public:
  void add(const Batch& batch) { batches_.push_back(batch); }

  // Medians over the batches; the ratio is that of the two medians.
  double us() const { return median_of(&Batch::us); }
  double floor_us() const { return median_of(&Batch::floor_us); }
  double free_us() const { return median_of(&Batch::free_us); }
  double registers_us() const { return median_of(&Batch::registers_us); }
  double p99_us() const { return median_of(&Batch::p99_us); }
  double floor_p99_us() const { return median_of(&Batch::floor_p99_us); }
  double ratio() const { return us() / floor_us(); }

  // The share of operations, of the floor and of what it is compared with, of which only CPU time is known.
  double disturbed() const;

  // Of the last batch.
  MemoryEach memory() const { return batches_.empty() ? MemoryEach{} : batches_.back().memory; }

  // Per operation: exact where every operation counted the same.
  Counts counts() const;

 private:
  double median_of(double Batch::* member) const;
  std::vector<Batch> batches_;
};

struct Benchmark {
  std::string name;
  int batches;
  std::unique_ptr<Subject> (*make)();
};

// In the order in which they are shown.
const std::vector<Benchmark>& benchmarks();

// The floor, or an exception that says why there is none.
double floor_round_trip_us(unsigned repetitions);
double floor_create_us(unsigned repetitions, unsigned pages);
double floor_registers_us(unsigned repetitions);
glint_floor_parked floor_parked(unsigned repetitions, unsigned pages);
double floor_kick_us(unsigned repetitions, double& p99);

}  // namespace glint::bench
