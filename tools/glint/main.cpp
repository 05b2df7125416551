// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "exit_codes.hpp"
#include "output.hpp"

namespace {

// With a standard stream closed, the next file opened would take its number, and what a guest prints would go
// there.
bool open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest free number is `fd`, because those below it are open.
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace glint::cli;
  if (!open_standard_streams()) return kGlintFailed;
  try {
    return run_command_line(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const glint::Error& error) {
    complain(error.message());
    return exit_code_for(error);
  } catch (const std::bad_alloc&) {
    complain("no memory left");
  } catch (const std::exception& error) {
    complain(std::string("a defect of glint, please report it: ") + error.what());
  }
  return kGlintFailed;
}
