// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sandbox/call_control.hpp"
#include "sandbox/deadline_timer.hpp"
#include "sandbox/host_functions.hpp"
#include "sandbox/image.hpp"
#include "sandbox/interrupt.hpp"
#include "transfer/value.hpp"

namespace glint::core {

class CallLoop;
class SandboxMemory;
class Shell;
struct Outcome;
struct Snapshot;

struct SyscallReport {
  uint64_t number = 0;
  uint64_t arguments[6] = {};
  int64_t result = 0;
  bool unknown = false;
  std::string_view name;  // of Linux; empty when there is none
};

struct SandboxOptions {
  std::vector<std::string> arguments;    // argv
  std::vector<std::string> environment;  // "NAME=value"
  std::function<void(uint32_t stream, std::span<const std::byte>)> output;
  std::function<uint64_t(std::span<std::byte> buffer)> input;  // returns how many bytes it wrote
  std::function<void(const SyscallReport&)> trace;
  bool trace_all = false;            // also the calls that the libos served
  bool end_on_host_failure = false;  // a failing host function ends the call; else the guest is told
  bool restore_each_call = false;    // every call begins with the snapshot, whatever became of the last one
  bool dedicated_vm = false;         // its VM serves no other sandbox, ever
  uint32_t max_depth = 16;
  std::string tenant;  // no VM ever serves two tenants
};

struct CallOptions {
  uint64_t deadline_ns = 0;  // ns from the beginning of the call; 0: the engine's; kNoDeadline: none
  std::shared_ptr<Interrupt> interrupt;  // what may end the call; may be null
};

// One guest: its memory and its processor state. May be used from any thread, by one at a time; a second one
// that enters meanwhile gets GLINT_E_BUSY.
class Sandbox {
 public:
  enum class State : uint32_t { kNew = 0, kReady = 1, kRunning = 2, kPoisoned = 3, kEnded = 4 };

  struct Counters {
    uint64_t calls = 0, host_calls = 0, exits = 0, ioctls = 0, attaches = 0, unknown_syscalls = 0,
             output_bytes = 0, restores = 0, restored_pages = 0;
  };

  // Links the imports; runs nothing. `functions` may be null.
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<Image> image,
                                                 std::shared_ptr<const HostFunctions> functions,
                                                 SandboxOptions options);
  // One that goes on where `snapshot` was taken: its start-up code does not run again, and the program's
  // arguments and environment are those of then; `options` must name none.
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Snapshot> snapshot,
                                                 std::shared_ptr<const HostFunctions> functions,
                                                 SandboxOptions options);
  ~Sandbox();  // not during a call
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // Runs the start-up code until the program ends or waits for calls. The exit status, if it ended.
  Result<std::optional<int32_t>> run(const CallOptions& options = {});

  // Calls guest function `function`; starts the program first when that is due. A string or bytes result is a
  // view, valid until the next operation on this sandbox or release_result().
  Result<Value> call(uint32_t function, std::span<const Value> arguments, const CallOptions& options = {});

  void release_result();

  // The sandbox as it is now; starts the program first when that is due. Only of one that is ready.
  Result<std::shared_ptr<const Snapshot>> snapshot(const CallOptions& options = {});

  // Makes it what `to` says, whatever became of it: also when it is poisoned or has ended. Null: the snapshot
  // that it was made from, or restored to last.
  Result<void> restore(std::shared_ptr<const Snapshot> to);

  // What must hold of the options of a sandbox that goes on from a snapshot.
  static Result<void> check_from_snapshot(const SandboxOptions& options);

  // Gives it other options, but for the tenant and the kind of VM. Not during a call.
  void lend(SandboxOptions&& options);

  // Ends the view of a result, and drops the callbacks. Not during a call.
  void take_back() noexcept;

  // Puts it into a VM, so that its next call need not. It may be parked again at any time.
  Result<void> prepare();

  // It is what `snapshot` says, and no call has begun since.
  bool is_untouched(const Snapshot& snapshot) const { return snapshot_.get() == &snapshot && !went_on_; }

  // What it was could not be kept while it was parked: only restoring helps. To be asked as is_attached().
  bool is_lost() const;

  // It is in a VM at this moment. To be asked by the thread that uses it.
  bool is_attached() const;

  // It is, and this thread can call it without waiting for another one's sake.
  bool is_near() const;

  // Bytes of memory that are its own, as the last restoring found them. To be asked by the thread that uses
  // it.
  uint64_t own_bytes() const;

  // For tests: shows all of its memory and registers, and the transfer area, as they are.
  using Look = std::function<void(std::span<const std::byte> memory, const VcpuState& state,
                                  std::span<const std::byte> transfer)>;
  Result<void> inspect(const Look& look);

  State state() const { return state_.load(std::memory_order_acquire); }
  // A thread is inside: in a call, or on its way into or out of one.
  bool in_use() const { return entered_.load(std::memory_order_acquire); }
  // To be asked by the thread that uses the sandbox.
  Counters counters() const;
  const Image& image() const { return *image_; }

 private:
  friend class CallLoop;
  class Entry;
  class CallScope;
  Sandbox(std::shared_ptr<Image> image, std::shared_ptr<const HostFunctions> functions,
          SandboxOptions options);

  static Result<std::unique_ptr<Sandbox>> make(std::shared_ptr<Image> image,
                                               std::shared_ptr<const HostFunctions> functions,
                                               SandboxOptions options);
  Result<void> link_imports();
  Result<void> prepare_strings();
  enum class Purpose : uint8_t { kCall, kOther };
  Result<void> enter(Entry& entry, Purpose purpose);
  Result<void> start_if_new();
  Result<void> restore_inside(std::shared_ptr<const Snapshot> to);
  Result<void> restore_for_call();
  Result<std::shared_ptr<const Snapshot>> freeze();
  Result<Shell*> attach();
  Result<Shell*> attach_for_call();
  Result<void> write_environment(Shell& shell);
  void tell_time(Shell& shell);
  Result<uint64_t> write_arguments(Shell& shell, std::span<const Value> arguments);
  void stop_if_late();
  void back_to_new();
  Result<Outcome> run_guest(Shell& shell, const Function* called);
  void end(int32_t exit_code);
  void poison(const std::string& reason, bool vm_broken);
  void finish();

  std::shared_ptr<Image> image_;
  std::shared_ptr<const HostFunctions> functions_;
  SandboxOptions options_;
  std::vector<char> strings_;                         // argv and environment, NUL-terminated
  std::vector<const HostFunctions::Entry*> imports_;  // by function index; null where it is no import
  std::atomic<State> state_{State::kNew};
  std::atomic<bool> entered_{false};  // a thread is inside; released last
  // The timer may be at work with it while the sandbox goes.
  const std::shared_ptr<CallControl> control_ = std::make_shared<CallControl>();
  const DeadlineTimer::Place deadline_place_;
  uint64_t call_number_ = 0;
  uint64_t call_deadline_ = 0;  // of the call under way, in ns of CLOCK_MONOTONIC; 0: none
  std::unique_ptr<SandboxMemory> memory_;
  std::shared_ptr<const Snapshot> snapshot_;  // what restore() goes back to; null: nothing
  bool went_on_ = false;                      // since it was made or restored, it was called
  uint32_t seen_attaches_ =
      0;  // the transfer area holds what the guest needs since that attach; 0: it does not
  bool is_restored_ = false;  // put back to snapshot_, and not run since: it needs new clocks and a new seed
  uint32_t time_epoch_ = 0;   // what stands in the transfer area
  uint32_t guest_epoch_ = 0;  // what the guest's memory remembers
  bool attached_ = false;     // a shell is in use by us: in a call, or for a result's view
  int32_t exit_code_ = 0;
  std::string poison_reason_;
  Counters counters_;
};

}  // namespace glint::core
