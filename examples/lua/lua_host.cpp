// SPDX-License-Identifier: Apache-2.0
// Runs Lua scripts that nobody trusts, in one micro-VM: lua_host [SCRIPT.lua…]
// Without a script it runs report.lua, which is beside the program.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <glint/glint.hpp>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/example.hpp"

namespace {

std::string lookup(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> kData = {
      {"orders",
       "Ångström;SEK;18250.00\nBose;EUR;920.50\nCurie;EUR;1310.00\nBose;USD;415.80\nÅngström;EUR;75.25\n"},
      {"rate.SEK", "11.40"},
      {"rate.USD", "1.08"},
  };
  const auto found = kData.find(name);
  if (found == kData.end()) throw glint::HostError(1, "the host has no '" + std::string(name) + "'");
  return found->second;
}

// False when the script failed. That is an ordinary error: the sandbox goes on, with its globals.
bool run_script(glint::Sandbox& sandbox, const std::filesystem::path& path) {
  const std::vector<std::byte> script = example::read_file(path);
  // Bytes may be looked at as chars.
  const std::string_view text(reinterpret_cast<const char*>(script.data()), script.size());
  const glint::Expected<std::string> result = sandbox.try_call<std::string>("run", text);
  if (result) {
    std::cout << *result << '\n';
    return true;
  }
  if (result.error().code() != GLINT_E_GUEST_ERROR) throw glint::Error(result.error());
  std::cout.flush();
  std::cerr << path.filename().string() << ": " << result.error().what() << '\n';
  return false;
}

int run_scripts(int argc, char** argv) {
  std::vector<std::filesystem::path> scripts(argv + 1, argv + argc);
  if (scripts.empty()) scripts.push_back(example::beside_program("report.lua"));
  if (scripts.front() == "--help") {
    std::cout << "usage: lua_host [SCRIPT.lua…]\nRuns the scripts one after the other in one sandbox; "
                 "without one, report.lua.\n"
                 "Scripts can call host.lookup(name) and host.log(text).\n";
    return EXIT_SUCCESS;
  }
  const glint::Engine engine;
  glint::HostFunctions host;
  host.add("lookup", &lookup);
  host.add("write_log", [](std::string_view text) { std::cout << "[log] " << text << '\n'; });
  glint::SandboxOptions options;
  options.output = [](int stream, std::string_view text) { (stream == 1 ? std::cout : std::cerr) << text; };
  glint::Sandbox sandbox(engine.load(example::beside_program("lua").string()), host, std::move(options));
  bool all = true;
  for (const std::filesystem::path& script : scripts) all = run_script(sandbox, script) && all;
  return all ? EXIT_SUCCESS : example::kFailed;
}

}  // namespace

int main(int argc, char** argv) { return example::run("lua_host", run_scripts, argc, argv); }
