// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the larger example hosts share. Nothing of Glint's is hidden here.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <glint/glint.hpp>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace example {

// Exit codes; 125 is that of `glint run` when this machine cannot run micro-VMs.
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoMachine = 125;

// A file that the build has put beside the running program.
inline std::filesystem::path beside_program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

inline std::vector<std::byte> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> content;
  if (std::filesystem::is_regular_file(path)) content.resize(std::filesystem::file_size(path));
  // A stream reads chars; any object may be written as chars.
  file.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(content.size()));
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return content;
}

inline void write_file(const std::filesystem::path& path, std::span<const std::byte> content) {
  std::ofstream file(path, std::ios::binary);
  // The same the other way round.
  file.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

// Says what a person can do about a machine that cannot run micro-VMs.
inline void print_advice(std::ostream& out) {
  for (const glint::DoctorItem& item : glint::doctor().items) {
    if (item.severity != glint::DoctorItem::Severity::kProblem) continue;
    out << "  " << item.name << ": " << item.detail << '\n';
    if (!item.advice.empty()) out << "    " << item.advice << '\n';
  }
}

// Runs the body of main(), and turns what it throws into a message and an exit code.
inline int run(const char* program, const std::function<int(int, char**)>& body, int argc, char** argv) {
  try {
    return body(argc, argv);
  } catch (const glint::Error& error) {
    std::cout.flush();
    std::cerr << program << ": " << error.what() << '\n';
    if (error.code() != GLINT_E_NO_HYPERVISOR && error.code() != GLINT_E_UNSUPPORTED) return kFailed;
    print_advice(std::cerr);
    return kNoMachine;
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << program << ": " << error.what() << '\n';
    return kFailed;
  }
}

}  // namespace example
