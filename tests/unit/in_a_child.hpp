// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace glint::test {

// A child of fork does `work`, and ends with what that returns, 0 … 255; 1000 and the signal's number when a
// signal ends it, as when it hangs. It has no other thread than the one that forked, and must not use
// GoogleTest's macros: their messages would be its own.
template <class Work>
int in_a_child(Work work) {
  constexpr unsigned kHangs = 60;  // seconds
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kHangs);
    ::_exit(work());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace glint::test
