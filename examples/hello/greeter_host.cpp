// SPDX-License-Identifier: Apache-2.0
// Strings both ways, a function of the host that refuses, and the errors of a call: greeter_host GUEST NAME…
#include <cstdlib>
#include <glint/glint.hpp>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "common/example.hpp"

namespace {

std::string title_of(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> kTitles = {{"Lovelace", "Countess"},
                                                                          {"Curie", "Professor"}};
  const auto found = kTitles.find(name);
  // The guest receives this code and text as an error value. Any other exception reaches it as a fixed text.
  if (found == kTitles.end()) throw glint::HostError(1, "no title is known");
  return found->second;
}

int greet_all(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: greeter_host GUEST NAME…\n";
    return example::kUsage;
  }
  const glint::Engine engine;
  glint::HostFunctions host;
  host.add("title_of", &title_of);
  glint::Sandbox sandbox(engine.load(argv[1]), host);
  // Looked up and checked once.
  const auto greet = sandbox.function<std::string(std::string_view)>("greet");
  for (int i = 2; i < argc; ++i) std::cout << greet(argv[i]) << '\n';
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) { return example::run("greeter_host", greet_all, argc, argv); }
