// SPDX-License-Identifier: Apache-2.0
// A C++ host as a user writes it: `host GUEST` prints "50%" and "3".
#include <cstdint>
#include <glint/glint.hpp>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  glint::Engine engine;
  glint::HostFunctions host;
  host.add("progress", [](uint32_t percent) { std::cout << percent << "%\n"; });
  glint::Sandbox sandbox(engine.load(argv[1]), host);
  std::cout << sandbox.call<int64_t>("add", 1, 2) << '\n';
}
