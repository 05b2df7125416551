// SPDX-License-Identifier: Apache-2.0
#include "measurement.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "floor.h"

namespace glint::bench {
namespace {

double checked(double us) {
  if (us < 0) throw std::runtime_error(std::string("the floor cannot be measured: ") + glint_floor_error());
  return us;
}

}  // namespace

double Series::median_of(double Batch::* member) const {
  std::vector<double> values;
  values.reserve(batches_.size());
  for (const Batch& batch : batches_) values.push_back(batch.*member);
  return median(std::move(values));
}

double Series::disturbed() const {
  double operations = 0;
  double disturbed = 0;
  for (const Batch& batch : batches_) {
    operations += 2 * static_cast<double>(batch.operations);
    disturbed += batch.disturbed;
  }
  return operations > 0 ? disturbed / operations : 0;
}

Counts Series::counts() const {
  Counts sum;
  uint64_t operations = 0;
  constexpr double Counts::* kMembers[] = {&Counts::exits,    &Counts::ioctls,      &Counts::host_calls,
                                           &Counts::attaches, &Counts::page_faults, &Counts::copied_bytes};
  for (const Batch& batch : batches_) {
    operations += batch.operations;
    for (double Counts::* member : kMembers) sum.*member += batch.total.*member;
  }
  for (double Counts::* member : kMembers) sum.*member /= static_cast<double>(operations);
  return sum;
}

double floor_round_trip_us(unsigned repetitions) { return checked(glint_floor_round_trip_us(repetitions)); }
double floor_registers_us(unsigned repetitions) { return checked(glint_floor_registers_us(repetitions)); }
double floor_create_us(unsigned repetitions, unsigned pages) {
  return checked(glint_floor_create_us(repetitions, pages));
}

glint_floor_parked floor_parked(unsigned repetitions, unsigned pages) {
  glint_floor_parked result{};
  if (!glint_floor_parked_us(repetitions, pages, &result)) checked(-1);
  return result;
}

double floor_kick_us(unsigned repetitions, double& p99) {
  return checked(glint_floor_kick_us(repetitions, &p99));
}

}  // namespace glint::bench
