// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "measurement.hpp"

namespace glint::bench {

using Results = std::map<std::string, Series>;  // by the benchmark's name

// Prints each bar, whether it holds, and by how much. One that is missed is measured anew, twice at most, and
// what was measured before stays in sight: the machine may have been busy with other things, but hardly three
// times in a row. How many are missed in the end.
int check_bars(const Results& results);

}  // namespace glint::bench
