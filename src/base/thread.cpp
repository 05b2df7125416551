// SPDX-License-Identifier: Apache-2.0
#include "base/thread.hpp"

#include <sched.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>

namespace glint::core {
namespace {

struct Start {
  void (*body)(void*);
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<const Start> owned(static_cast<const Start*>(start));
  owned->body(owned->argument);
  return nullptr;
}

}  // namespace

uint64_t thread_number() {
  static std::atomic<uint64_t> last{0};
  thread_local const uint64_t number = ++last;
  return number;
}

Result<pthread_t> start_thread(const char* name, void (*body)(void*), void* argument) {
  auto start = std::make_unique<Start>(Start{body, argument});
  // A thread inherits its mask. Those that a fault of the thread itself raises stay open: what runs in it may
  // be the program's code, and if they were blocked they would end the process unseen by its handler
  // (sigprocmask(2)).
  sigset_t all, old;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
  ::pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_t thread{};
  const int failed = ::pthread_create(&thread, nullptr, run, start.get());
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (failed != 0) return system_error(std::string("the thread ") + name + " cannot be started", failed);
  [[maybe_unused]] const auto* given = start.release();  // to the thread
  // A name that does not fit is not worth failing for.
  static_cast<void>(::pthread_setname_np(thread, name));
  return thread;
}

void leave_processor(int cpu) {
  cpu_set_t allowed;
  // Fails where there are more processors than the set has room for: there the thread stays.
  if (cpu < 0 || cpu >= CPU_SETSIZE || ::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpu_set_t others = allowed;
  CPU_CLR(static_cast<size_t>(cpu), &others);
  if (CPU_COUNT(&others) == 0 || ::sched_setaffinity(0, sizeof others, &others) != 0) return;
  static_cast<void>(::sched_setaffinity(0, sizeof allowed, &allowed));  // what was allowed a moment ago
}

}  // namespace glint::core
