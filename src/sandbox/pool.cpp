// SPDX-License-Identifier: Apache-2.0
#include "sandbox/pool.hpp"

#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "base/clock.hpp"
#include "base/thread.hpp"
#include "sandbox/snapshot.hpp"

namespace glint::core {
namespace {

Error closed_error() { return error(GLINT_E_ENDED, "the pool was closed"); }

}  // namespace

// Ends one thread's waiting when the interrupt is raised. Made and ended without the pool's mutex, which it
// takes inside those of the interrupt and of the control.
class Pool::Interruption {
 public:
  Interruption(Pool& pool, Waiter& waiter, std::shared_ptr<Interrupt> interrupt)
      : interrupt_(std::move(interrupt)) {
    if (!interrupt_) return;
    control_.set_notify([&pool, &waiter] {
      const std::lock_guard lock(pool.mutex_);
      waiter.interrupted = true;
      waiter.changed.notify_one();
    });
    interrupt_->link(control_, control_.begin());
  }
  ~Interruption() {
    if (interrupt_) interrupt_->unlink(control_);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  const std::shared_ptr<Interrupt> interrupt_;
  CallControl control_;
};

Pool::Pool(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const HostFunctions> functions,
           PoolOptions options)
    : snapshot_(std::move(snapshot)), functions_(std::move(functions)), options_(std::move(options)) {}

// In a child of fork the mutex may be held by a thread that is not there; and nothing is at rest in a pool
// that was closed before.
Pool::~Pool() {
  if (!is_forked()) close();
}

Result<std::shared_ptr<Pool>> Pool::create(std::shared_ptr<const Snapshot> snapshot,
                                           std::shared_ptr<const HostFunctions> functions,
                                           PoolOptions options) {
  if (options.size == 0 || options.size > kMaxPool || options.warm > options.size) {
    return error(GLINT_E_INVALID_ARGUMENT, "a pool has 1 to " + std::to_string(kMaxPool) +
                                               " sandboxes, of which " + std::to_string(options.warm) +
                                               " of " + std::to_string(options.size) +
                                               " cannot be made beforehand");
  }
  if (snapshot->image->shells().threads_wait()) options.background = false;
  auto pool = std::shared_ptr<Pool>(new Pool(std::move(snapshot), std::move(functions), std::move(options)));
  // One at least, which shows that the options are good: not at the first acquire.
  GLINT_TRY(pool->make_warm());
  if (pool->options_.background) {
    GLINT_TRY_ASSIGN(
        thread, start_thread("glint-pool", [](void* self) { static_cast<Pool*>(self)->work(); }, pool.get()));
    pool->thread_ = thread;
  }
  return pool;
}

Result<void> Pool::make_warm() {
  const uint32_t shells = options_.dedicated_vms ? options_.size : snapshot_->image->engine()->kept_vms();
  for (uint32_t i = 0; i < std::max(options_.warm, 1u); ++i) {
    GLINT_TRY_ASSIGN(sandbox, make());
    if (i < std::min(options_.warm, shells)) GLINT_TRY(sandbox->prepare());
    ready_.push_back({std::move(sandbox), 0});
    ++counts_.live;
  }
  // Those that are in VMs go out first.
  std::reverse(ready_.begin(), ready_.end());
  counts_.made = counts_.live;
  returned_.reserve(ready_.size());
  return {};
}

// Does not throw: whoever makes one has been counted, and must be able to give its place up.
Result<std::unique_ptr<Sandbox>> Pool::make() try {
  SandboxOptions options;
  options.tenant = options_.tenant;
  options.dedicated_vm = options_.dedicated_vms;
  return Sandbox::create(snapshot_, functions_, std::move(options));
} catch (const std::bad_alloc&) {
  return error(GLINT_E_NO_MEMORY, "the host process has no memory left");
}

Result<void> Pool::check(const Request& request) {
  GLINT_TRY(check_owner(request.interrupt));
  if (!request.sandbox.tenant.empty() || request.sandbox.dedicated_vm) {
    return error(
        GLINT_E_INVALID_ARGUMENT,
        "a tenant or a dedicated VM is asked for one sandbox of a pool: that goes for all of them, in "
        "the options of the pool");
  }
  return Sandbox::check_from_snapshot(request.sandbox);
}

Result<std::unique_ptr<Sandbox>> Pool::acquire(Request&& request) {
  if (is_forked()) {
    return error(GLINT_E_UNSUPPORTED,
                 "a pool belongs to the process that made it: a child of fork must make its own");
  }
  GLINT_TRY(check(request));
  Waiter waiter;
  const Interruption interruption(*this, waiter, request.wait_ns == 0 ? nullptr : request.interrupt);
  std::unique_lock lock(mutex_);
  if (closed_) return closed_error();
  std::unique_ptr<Sandbox> sandbox;
  if (take(sandbox)) {
    count_loan();
  } else {
    auto waited = wait_for_one(lock, waiter, request.wait_ns);
    if (!waited) return waited;
    sandbox = std::move(*waited);
  }
  lock.unlock();
  GLINT_TRY_ASSIGN(fitting, fit(std::move(sandbox)));
  fitting->lend(std::move(request.sandbox));
  return fitting;
}

// Something for the caller, if it need not wait: a sandbox, or the right to make one, which is null. In the
// second case there is room in the lists for it to come back to.
bool Pool::take(std::unique_ptr<Sandbox>& sandbox) {
  // One that was just given back is in a VM still, and restoring it costs less than putting another one
  // there.
  const bool is_near = find_near();
  if (!ready_.empty() && (returned_.empty() || is_near)) {
    counts_.idle_bytes -= ready_.back().own_bytes;
    sandbox = std::move(ready_.back().sandbox);
    ready_.pop_back();
    return true;
  }
  if (!returned_.empty()) {
    sandbox = std::move(returned_.back());
    returned_.pop_back();
    return true;
  }
  if (counts_.live >= options_.size) return false;
  const size_t most = std::min<size_t>(2 * counts_.live + 2, options_.size);
  ready_.reserve(most);
  returned_.reserve(most);
  ++counts_.live;
  return true;
}

// Brings one that is ready and near to the end of its list, if there is one among those used last.
bool Pool::find_near() {
  constexpr size_t kLook = 32;
  const auto end = ready_.rbegin() + static_cast<ptrdiff_t>(std::min(ready_.size(), kLook));
  const auto found =
      std::find_if(ready_.rbegin(), end, [](const Ready& ready) { return ready.sandbox->is_near(); });
  if (found == end) return false;
  std::swap(*found, ready_.back());
  return true;
}

Result<std::unique_ptr<Sandbox>> Pool::wait_for_one(std::unique_lock<std::mutex>& lock, Waiter& waiter,
                                                    uint64_t ns) {
  const auto over = [&] { return waiter.served || waiter.interrupted || closed_; };
  // One that is being restored is in nobody's use: it comes, for whoever does not want to wait, too.
  if (ns == 0 && restoring_ > waiters_.size()) {
    ns = UINT64_MAX;
  } else if (ns != 0) {
    ++counts_.waited;
  }
  if (ns != 0) {
    waiters_.push_back(&waiter);
    const uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (ns >= static_cast<uint64_t>(INT64_MAX) - now) {
      waiter.changed.wait(lock, over);
    } else {
      // libstdc++'s steady_clock is CLOCK_MONOTONIC, and waits on it.
      const std::chrono::steady_clock::time_point due{std::chrono::nanoseconds(now + ns)};
      waiter.changed.wait_until(lock, due, over);
    }
    if (waiter.served) return std::move(waiter.sandbox);
    std::erase(waiters_, &waiter);
    if (closed_) return closed_error();
    if (waiter.interrupted) {
      return error(GLINT_E_INTERRUPTED,
                   "the interrupt was raised while all sandboxes of the pool were in use");
    }
  }
  return error(GLINT_E_POOL_EMPTY, "all " + std::to_string(options_.size) +
                                       " sandboxes of the pool are in use: give one back, wait longer, or "
                                       "make the pool larger");
}

// What was taken, fit to be handed out: restored if it was not yet, and replaced if it cannot be.
Result<std::unique_ptr<Sandbox>> Pool::fit(std::unique_ptr<Sandbox> sandbox) {
  if (sandbox) {
    if (sandbox->is_untouched(*snapshot_) && !sandbox->is_lost()) return sandbox;
    const bool restored = restore(*sandbox);
    if (!restored) sandbox.reset();
    const std::lock_guard lock(mutex_);
    ++(restored ? counts_.restored_late : counts_.replaced);
    if (restored) return sandbox;
  }
  auto made = make();
  const std::lock_guard lock(mutex_);
  if (made) {
    ++counts_.made;
  } else {
    --counts_.in_use;
    give_room();
  }
  return made;
}

bool Pool::restore(Sandbox& sandbox) const {
  try {
    return static_cast<bool>(sandbox.restore(snapshot_));
  } catch (const std::bad_alloc&) {
    return false;  // the sandbox goes, and another one may come when there is memory again
  }
}

void Pool::give_back(std::unique_ptr<Sandbox> sandbox) {
  if (is_forked()) return;  // drops it
  sandbox->take_back();
  std::unique_lock lock(mutex_);
  --counts_.in_use;
  if (closed_) {
    --counts_.live;
    lock.unlock();  // it is dropped without it
    return;
  }
  if (sandbox->is_untouched(*snapshot_)) {
    put(std::move(sandbox), lock);
    return;
  }
  // Who waits restores it: that is sooner than waiting for another thread.
  if (serve_waiter(sandbox)) return;
  if (!options_.background) {
    finish_returned(std::move(sandbox), lock);
    return;
  }
  returned_.push_back(std::move(sandbox));
  returns_.fetch_add(1, std::memory_order_relaxed);
  giver_cpu_ = ::sched_getcpu();
  if (doing_ == Thread::kSleeps || (doing_ == Thread::kNaps && runs_low())) work_.notify_one();
}

// No more than one is left that can be handed out as it is and where it is.
bool Pool::runs_low() const { return ready_.size() < 2 || !ready_[ready_.size() - 2].sandbox->is_attached(); }

// Restores one that is neither in the lists nor in use; replacing it is left to who needs one next.
void Pool::finish_returned(std::unique_ptr<Sandbox> sandbox, std::unique_lock<std::mutex>& lock) {
  ++restoring_;
  lock.unlock();
  const bool restored = restore(*sandbox);
  if (!restored) sandbox.reset();
  lock.lock();
  --restoring_;
  if (!restored) {
    ++counts_.replaced;
    give_room();
    return;
  }
  ++counts_.restored;
  if (closed_) {
    --counts_.live;
    lock.unlock();
    sandbox.reset();
    lock.lock();
    return;
  }
  put(std::move(sandbox), lock);
}

// One that is as the snapshot has it. Drops others where they have too much together.
void Pool::put(std::unique_ptr<Sandbox> sandbox, std::unique_lock<std::mutex>& lock) {
  const uint64_t own_bytes = sandbox->own_bytes();
  if (serve_waiter(sandbox)) return;
  counts_.idle_bytes += own_bytes;
  ready_.push_back({std::move(sandbox), own_bytes});  // there is room for all that there are
  if (counts_.idle_bytes <= options_.idle_memory) return;
  std::vector<Ready> surplus;
  try {
    surplus = take_over(options_.idle_memory);
  } catch (const std::bad_alloc&) {
    return;  // the next one that comes back tries again
  }
  lock.unlock();
  surplus.clear();
  lock.lock();
}

// One is gone: somebody else may make one.
void Pool::give_room() {
  std::unique_ptr<Sandbox> none;
  if (!serve_waiter(none)) --counts_.live;
}

void Pool::count_loan() {
  ++counts_.acquired;
  ++counts_.in_use;
}

// Hands it over to who waited longest, if anybody waits.
bool Pool::serve_waiter(std::unique_ptr<Sandbox>& sandbox) {
  if (waiters_.empty()) return false;
  Waiter& waiter = *waiters_.front();
  waiters_.pop_front();
  waiter.sandbox = std::move(sandbox);
  waiter.served = true;
  count_loan();
  waiter.changed.notify_one();
  return true;
}

// Takes ready ones out of the list, those used longest ago, until what the others have of their own is no
// more than that; the caller drops them. Those that have nothing stay.
std::vector<Pool::Ready> Pool::take_over(uint64_t idle_memory) {
  std::vector<Ready> taken;
  taken.reserve(ready_.size());
  size_t kept = 0;
  for (Ready& ready : ready_) {
    if (counts_.idle_bytes > idle_memory && ready.own_bytes != 0) {
      counts_.idle_bytes -= ready.own_bytes;
      taken.push_back(std::move(ready));
    } else {
      std::swap(ready_[kept++], ready);
    }
  }
  ready_.resize(kept);
  counts_.live -= taken.size();
  counts_.dropped += taken.size();
  return taken;
}

void Pool::trim(uint64_t idle_memory) {
  if (is_forked()) return;
  std::unique_lock lock(mutex_);
  const std::vector<Ready> surplus = take_over(idle_memory);
  lock.unlock();
}

// Waits for a while, at work, for the next one that is returned; true when there was one. Not where that
// would keep who gives back from running.
bool Pool::poll(std::unique_lock<std::mutex>& lock) {
  // More than a short loan takes, 28 µs. Loans that follow each other at that pace find the thread at work,
  // and none of them has to wake it. One nap in a millisecond at most is what else this comes to, 5 % of a
  // processor.
  constexpr uint64_t kPollNs = 50'000;
  if (giver_cpu_ == ::sched_getcpu()) return false;
  const uint32_t before = returns_.load(std::memory_order_relaxed);
  lock.unlock();
  const uint64_t start = clock_ns(CLOCK_MONOTONIC);
  bool came = false;
  do {
    _mm_pause();
    came = returns_.load(std::memory_order_relaxed) != before;
  } while (!came && clock_ns(CLOCK_MONOTONIC) - start < kPollNs);
  lock.lock();
  return came;
}

void Pool::work() {
  // It never takes a processor from who gave a sandbox back: that one comes for the next, and waking a thread
  // that preempts it costs it 24 µs instead of 7 (sched(7), SCHED_BATCH). Where it is forbidden, it does.
  constexpr sched_param kNoPriority{};
  static_cast<void>(::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &kNoPriority));
  // Where one was returned, more come soon. They gather meanwhile, for each waking costs who gives back 7 µs.
  constexpr std::chrono::milliseconds kNap{1};
  std::unique_lock lock(mutex_);
  while (!closed_) {
    if (!returned_.empty()) {
      std::unique_ptr<Sandbox> sandbox = std::move(returned_.back());
      returned_.pop_back();
      finish_returned(std::move(sandbox), lock);
      continue;
    }
    if (poll(lock)) continue;
    doing_ = Thread::kNaps;
    work_.wait_for(lock, kNap, [&] { return closed_ || (!returned_.empty() && runs_low()); });
    doing_ = Thread::kSleeps;
    work_.wait(lock, [&] { return closed_ || !returned_.empty(); });
    doing_ = Thread::kWorks;
    if (giver_cpu_ == ::sched_getcpu()) {
      // On a small machine Linux wakes it there again and again, though another one is idle; then who needs a
      // sandbox is faster, and restores it.
      const int cpu = giver_cpu_;
      lock.unlock();
      leave_processor(cpu);
      lock.lock();
    }
  }
}

void Pool::close() {
  // One after the other: whoever returns from here knows that the thread has ended.
  const std::lock_guard closing(closing_);
  std::vector<Ready> ready;
  std::vector<std::unique_ptr<Sandbox>> returned;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (Waiter* waiter : waiters_) waiter->changed.notify_one();
    work_.notify_one();
    ready.swap(ready_);
    returned.swap(returned_);
    counts_.live -= ready.size() + returned.size();
    counts_.idle_bytes = 0;
  }
  if (thread_) ::pthread_join(*thread_, nullptr);
}

Pool::Counters Pool::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counts_;
  counters.ready = ready_.size();
  counters.returned = returned_.size();
  counters.waiting = waiters_.size();
  return counters;
}

}  // namespace glint::core
