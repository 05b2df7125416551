// SPDX-License-Identifier: Apache-2.0
// A plain C++ program: reads numbers from standard input, one a line, and prints their sum; a line that is no
// number is reported on standard error through an exception, and makes the exit status 3.
#include <exception>
#include <iostream>
#include <string>

namespace {
struct Farewell {
  ~Farewell() { std::cout << "goodbye" << std::endl; }
};
Farewell farewell;
}  // namespace

int main() {
  long sum = 0;
  try {
    for (std::string line; std::getline(std::cin, line);) sum += std::stol(line);
  } catch (const std::exception& problem) {
    std::cerr << "not a number: " << problem.what() << '\n';
    return 3;
  }
  std::cout << "sum " << sum << '\n';
}
