// SPDX-License-Identifier: Apache-2.0
// The shortest host: calls `add` of the guest ./adder, and offers it the function `progress`.
#include <cstdint>
#include <exception>
#include <glint/glint.hpp>
#include <iostream>

int main() try {
  glint::Engine engine;
  glint::HostFunctions host;
  host.add("progress", [](uint32_t percent) { std::cout << percent << "%\n"; });
  glint::Sandbox sandbox(engine.load("adder"), host);
  std::cout << sandbox.call<int64_t>("add", 1, 2) << '\n';
} catch (const std::exception& error) {
  std::cerr << "host: " << error.what() << '\n';
  return 1;
}
