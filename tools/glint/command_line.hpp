// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace glint::cli {

// Does what the command line says: parses it, runs the command, reports errors. Returns the exit code.
int run_command_line(const std::vector<std::string>& arguments);

}  // namespace glint::cli
