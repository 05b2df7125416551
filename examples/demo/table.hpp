// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

// Medians of one way to get a sandbox, in microseconds. The floor is what bare KVM takes to make a VM and to
// touch as many pages.
struct Start {
  double create_us = 0;
  double first_call_us = 0;
  double floor_us = 0;
};

struct Row {
  std::string what;
  Start first;  // the first sandbox of an image: a VM is made
  Start later;  // a VM is free
  double warm_us = 0;
  double round_trip_us = 0;  // the floor of a warm call: one exit and back on bare KVM
  uint64_t exits = 0;        // of a warm call
};

void print_table(std::ostream& out, const std::vector<Row>& rows);
