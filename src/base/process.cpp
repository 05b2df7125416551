// SPDX-License-Identifier: Apache-2.0
#include "base/process.hpp"

#include <sys/mman.h>

#include <atomic>

#include "base/checked.hpp"

namespace glint::core {
namespace {

// A page that the kernel empties in children (MADV_WIPEONFORK, Linux 4.14); null where there is none. Never
// unmapped: it is asked as long as the process lives.
std::atomic<pid_t>* map_cache() {
  void* page = ::mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (::madvise(page, kPageSize, MADV_WIPEONFORK) != 0) {
    ::munmap(page, kPageSize);
    return nullptr;
  }
  return new (page) std::atomic<pid_t>(0);
}

}  // namespace

pid_t current_process() {
  static std::atomic<pid_t>* const cache = map_cache();
  if (cache == nullptr) return ::getpid();
  pid_t process = cache->load(std::memory_order_relaxed);
  if (process == 0) {
    process = ::getpid();
    cache->store(process, std::memory_order_relaxed);
  }
  return process;
}

}  // namespace glint::core
