// SPDX-License-Identifier: Apache-2.0
#include "base/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace glint::core {
namespace {

TEST(CurrentProcess, IsThisOneAlsoInChildrenOfChildren) {
  EXPECT_EQ(current_process(), ::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool right = current_process() == ::getpid() && current_process() == ::getpid();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) ::_exit(current_process() == ::getpid() ? 0 : 1);
    int status = 1;
    ::waitpid(grandchild, &status, 0);
    ::_exit(right && status == 0 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(current_process(), ::getpid()) << "the children have changed nothing here";
}

}  // namespace
}  // namespace glint::core
