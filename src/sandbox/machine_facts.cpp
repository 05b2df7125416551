// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "sandbox/doctor.hpp"

namespace glint::core {

namespace {

int errno_of_opening_kvm() {
  const int fd = ::open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

// The first number in `text` behind `key`; 0 when there is none.
uint64_t number_behind(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + key.size());
  const size_t digit = text.find_first_of("0123456789");
  if (digit == std::string_view::npos) return 0;
  uint64_t number = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), number);
  return number;
}

// Empty when the file cannot be read: everything asked of it is then unknown.
std::string contents(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// The flags of the first processor, with a space before and behind each.
std::string cpu_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) return line.substr(line.find(':') + 1) + " ";
  }
  return {};
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

}  // namespace

MachineFacts gather_facts() {
  MachineFacts facts;
  utsname name{};
  if (::uname(&name) == 0) facts.kernel_release = name.release;
  facts.kvm_open_errno = errno_of_opening_kvm();
  // The marks that Docker, Podman and Kubernetes leave.
  facts.in_container =
      exists("/.dockerenv") || exists("/run/.containerenv") || exists("/var/run/secrets/kubernetes.io");

  const std::string flags = cpu_flags();
  facts.cpu_intel = flags.find(" vmx ") != std::string::npos;
  facts.cpu_virtualizes = facts.cpu_intel || flags.find(" svm ") != std::string::npos;
  facts.on_hypervisor = flags.find(" hypervisor ") != std::string::npos;

  facts.max_map_count = number_behind(contents("/proc/sys/vm/max_map_count"), "");
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    facts.open_files_soft = files.rlim_cur;
    facts.open_files_hard = files.rlim_max;
  }
  const std::string memory = contents("/proc/meminfo");
  facts.memory_total = number_behind(memory, "MemTotal:") * 1024;
  facts.memory_available = number_behind(memory, "MemAvailable:") * 1024;
  return facts;
}

}  // namespace glint::core
