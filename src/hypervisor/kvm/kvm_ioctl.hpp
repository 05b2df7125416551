// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace glint::core {

// The error of a failed KVM ioctl: its name, errno, and what a person can do about that errno.
Error kvm_error(const char* name, int errno_value);

// An ioctl that is retried never: KVM's set-up ioctls do not return EINTR without effect worth repeating,
// except KVM_CREATE_VM under memory-cgroup pressure, which reports it and may be tried again by the caller.
template <class T>
Result<int> kvm_ioctl(int fd, unsigned long request, T argument, const char* name) {
  const int result = ::ioctl(fd, request, argument);
  if (result < 0) return kvm_error(name, errno);
  return result;
}

}  // namespace glint::core
