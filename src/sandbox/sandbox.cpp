// SPDX-License-Identifier: Apache-2.0
#include "sandbox/sandbox.hpp"

#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "base/checked.hpp"
#include "base/clock.hpp"
#include "sandbox/call_loop.hpp"
#include "sandbox/sandbox_scopes.hpp"
#include "sandbox/snapshot.hpp"
#include "shell/shell_pool.hpp"
#include "transfer/frame.hpp"
#include "transfer/header.hpp"

namespace glint::core {
namespace {

Result<Seed> random_seed() {
  Seed seed{};
  // Up to 256 bytes come whole once the kernel's generator is ready (getrandom(2)); before that, a signal may
  // interrupt.
  ssize_t got = 0;
  do {
    got = ::getrandom(seed.data(), seed.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(seed.size())) return system_error("getrandom", got < 0 ? errno : EIO);
  return seed;
}

// Page faults that this thread had when it last counted them; UINT64_MAX before that. Counting before a run
// as well as behind it would tell the guest's from others, but costs 0.3 µs a call; one too many costs the
// next restore a look for new pages, 4 µs.
thread_local uint64_t counted_faults = UINT64_MAX;

// Page faults that this thread had so far, those that it took for a guest included: the kernel counts a fault
// for whoever caused it (mm_account_fault).
uint64_t count_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);  // cannot fail: the arguments are good
  counted_faults = static_cast<uint64_t>(usage.ru_minflt) + static_cast<uint64_t>(usage.ru_majflt);
  return counted_faults;
}

bool points_into(std::span<const std::byte> bytes, std::span<const std::byte> area) {
  // std::less gives a total order over pointers, also of unrelated objects.
  const std::less<> before;
  return !bytes.empty() && before(bytes.data(), area.data() + area.size()) &&
         before(area.data(), bytes.data() + bytes.size());
}

}  // namespace

Sandbox::Sandbox(std::shared_ptr<Image> image, std::shared_ptr<const HostFunctions> functions,
                 SandboxOptions options)
    : image_(std::move(image)),
      functions_(std::move(functions)),
      options_(std::move(options)),
      deadline_place_(image_->engine()->timer().enroll(control_)) {
  auto& counters = image_->engine()->counters();
  ++counters.sandboxes_created;
  ++counters.sandboxes_live;
}

Sandbox::~Sandbox() {
  if (memory_) image_->shells().forget(*memory_);
  --image_->engine()->counters().sandboxes_live;
}

Result<std::unique_ptr<Sandbox>> Sandbox::create(std::shared_ptr<Image> image,
                                                 std::shared_ptr<const HostFunctions> functions,
                                                 SandboxOptions options) {
  if (!image->engine()->runs_guests()) {
    return error(GLINT_E_NO_HYPERVISOR, "this engine has no hypervisor: it can inspect images, not run them");
  }
  GLINT_TRY_ASSIGN(sandbox, make(std::move(image), std::move(functions), std::move(options)));
  GLINT_TRY(sandbox->prepare_strings());
  return sandbox;
}

Result<std::unique_ptr<Sandbox>> Sandbox::create(std::shared_ptr<const Snapshot> snapshot,
                                                 std::shared_ptr<const HostFunctions> functions,
                                                 SandboxOptions options) {
  GLINT_TRY(check_from_snapshot(options));
  GLINT_TRY_ASSIGN(sandbox, make(snapshot->image, std::move(functions), std::move(options)));
  sandbox->memory_ = std::make_unique<SandboxMemory>(snapshot->frozen, sandbox->options_.tenant,
                                                     sandbox->options_.dedicated_vm);
  sandbox->is_restored_ = true;
  sandbox->guest_epoch_ = snapshot->time_epoch;
  sandbox->snapshot_ = std::move(snapshot);
  sandbox->state_.store(State::kReady, std::memory_order_release);
  return sandbox;
}

Result<void> Sandbox::check_from_snapshot(const SandboxOptions& options) {
  if (options.arguments.empty() && options.environment.empty()) return {};
  return error(GLINT_E_INVALID_ARGUMENT,
               "the program of a snapshot has been started: arguments and environment come too late for it");
}

void Sandbox::lend(SandboxOptions&& options) {
  // The guest was told whether to trace when it came into its VM.
  if (options.trace_all != options_.trace_all) seen_attaches_ = 0;
  options.tenant = std::move(options_.tenant);
  options.dedicated_vm = options_.dedicated_vm;
  options_ = std::move(options);
}

void Sandbox::take_back() noexcept {
  finish();
  options_.output = nullptr;
  options_.input = nullptr;
  options_.trace = nullptr;
}

Result<std::unique_ptr<Sandbox>> Sandbox::make(std::shared_ptr<Image> image,
                                               std::shared_ptr<const HostFunctions> functions,
                                               SandboxOptions options) {
  auto sandbox =
      std::unique_ptr<Sandbox>(new Sandbox(std::move(image), std::move(functions), std::move(options)));
  GLINT_TRY(sandbox->link_imports());
  return sandbox;
}

Result<void> Sandbox::link_imports() {
  if (functions_) functions_->freeze();
  std::string missing;
  for (const Function& import : image_->program().functions) {
    if (import.kind != Function::Kind::kImport) continue;
    const HostFunctions::Entry* entry = functions_ ? functions_->find(import.name) : nullptr;
    if (entry == nullptr || !entry->signature.same_signature(import)) {
      missing += (missing.empty() ? "" : ", ") + import.name + signature_text(import);
      if (entry != nullptr) missing += " [the host offers it as " + signature_text(entry->signature) + "]";
      continue;
    }
    if (imports_.size() <= import.index) imports_.resize(import.index + 1);
    imports_[import.index] = entry;
  }
  if (missing.empty()) return {};
  return error(GLINT_E_MISSING_IMPORT, "the guest program imports what the host does not offer: " + missing);
}

Result<void> Sandbox::prepare_strings() {
  const auto append = [this](const std::string& text, const char* what) -> Result<void> {
    if (text.find('\0') != std::string::npos) {
      return error(GLINT_E_INVALID_ARGUMENT, std::string(what) + " holds a NUL character");
    }
    strings_.insert(strings_.end(), text.c_str(), text.c_str() + text.size() + 1);
    return {};
  };
  for (const std::string& argument : options_.arguments)
    GLINT_TRY(append(argument, "an argument of the program"));
  for (const std::string& variable : options_.environment)
    GLINT_TRY(append(variable, "an environment variable"));
  // They are copied to the top of the guest's stack, with two pointers each at most; and must leave it
  // useful.
  const uint64_t limit = std::min<uint64_t>(image_->layout().stack_size / 4, 131072);
  const uint64_t size = strings_.size() + 16 * (options_.arguments.size() + options_.environment.size());
  if (size > limit) {
    return error(GLINT_E_TOO_LARGE, "arguments and environment take " + std::to_string(size) +
                                        " bytes; at most " + std::to_string(limit) + " are possible");
  }
  return {};
}

Result<void> Sandbox::enter(Entry& entry, Purpose purpose) {
  if (!entry.try_enter()) {
    return error(
        GLINT_E_BUSY,
        "the sandbox is in a call already: one call at a time, and a host function may not enter the sandbox "
        "that called it");
  }
  if (t_depth > options_.max_depth) {
    return error(GLINT_E_DEPTH, "calls host to guest are nested " + std::to_string(t_depth) +
                                    " deep on this thread; the sandbox allows " +
                                    std::to_string(options_.max_depth));
  }
  // Whatever became of it, it will be put back first.
  if (purpose == Purpose::kCall && options_.restore_each_call && snapshot_) return {};
  switch (state()) {
    case State::kPoisoned:
      return error(GLINT_E_POISONED,
                   "the sandbox cannot be used as it is: restore it to a snapshot, or make a new one; it was "
                   "poisoned by: " +
                       poison_reason_);
    case State::kEnded:
      return error(
          GLINT_E_ENDED,
          "the guest program has ended with exit status " + std::to_string(exit_code_) +
              "; a program that is to be called must wait for calls (glint_serve, or no main of its own)");
    default:
      return {};
  }
}

// With what the guest needs to go on there.
Result<Shell*> Sandbox::attach() {
  auto shell = image_->shells().acquire(*memory_);
  if (!shell) {
    // The guest has not run: it is as it was, and the trouble may pass.
    if (memory_->lost()) poison(shell.error().message, false);
    return shell;
  }
  attached_ = true;
  if (memory_->attaches() == seen_attaches_) {
    // The guest takes the time that it is told for that of its next look at the clock.
    if (is_restored_) tell_time(**shell);
    return shell;
  }
  if (auto written = write_environment(**shell); !written) {
    finish();
    return std::move(written).error();
  }
  return shell;
}

Result<Shell*> Sandbox::attach_for_call() {
  GLINT_TRY_ASSIGN(shell, attach());
  if (call_deadline_ == 0) return shell;
  auto armed = image_->engine()->timer().arm(deadline_place_, call_number_, call_deadline_);
  if (!armed) {
    finish();
    return std::move(armed).error();
  }
  stop_if_late();
  return shell;
}

// What a guest needs that goes on in another VM than before, or at another time than it remembers.
Result<void> Sandbox::write_environment(Shell& shell) {
  const auto transfer = shell.transfer();
  if (is_restored_) {
    // What it would draw from the generator that it remembers, others draw, too.
    GLINT_TRY_ASSIGN(seed, random_seed());
    write_seed(transfer, seed);
  }
  write_identity(transfer, options_.trace_all);
  tell_time(shell);
  seen_attaches_ = memory_->attaches();
  return {};
}

void Sandbox::tell_time(Shell& shell) {
  // The guest compares for equality.
  do {
    ++time_epoch_;
  } while (time_epoch_ == guest_epoch_);
  GuestTime time;
  time.epoch = time_epoch_;
  time.tsc_khz = shell.vcpu().tsc_khz();
  time.realtime_ns = clock_ns(CLOCK_REALTIME);
  time.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
  write_time(shell.transfer(), time);
}

Result<void> Sandbox::start_if_new() {
  if (state() != State::kNew) return {};
  GLINT_TRY_ASSIGN(seed, random_seed());
  const Layout& layout = image_->layout();
  VcpuState start;
  start.registers.rip = layout.libos_entry;
  start.registers.rsp = layout.stack_top;
  memory_ =
      std::make_unique<SandboxMemory>(FrozenSandbox{image_->shells().initial_memory(), std::move(start)},
                                      options_.tenant, options_.dedicated_vm);
  auto attached = attach_for_call();
  if (!attached) {
    if (state() != State::kPoisoned) back_to_new();
    return std::move(attached).error();
  }
  Shell* shell = *attached;

  const Program& program = image_->program();
  glint_abi_boot boot{};
  boot.program_entry = program.entry;
  boot.program_base = program.base;
  boot.program_phdr = program.phdr;
  boot.program_phnum = program.phdr == 0 ? 0u : program.phnum;
  boot.argc = static_cast<uint32_t>(options_.arguments.size());
  boot.envc = static_cast<uint32_t>(options_.environment.size());
  boot.file_count = layout.file_count;
  boot.program_end = program.end;
  boot.stack_bottom = layout.stack_bottom;
  boot.stack_top = layout.stack_top;
  boot.arena_begin = layout.arena_begin;
  boot.arena_end = layout.arena_end;
  boot.files = layout.files;
  write_boot(shell->transfer(), boot, strings_, seed);

  auto outcome = run_guest(*shell, nullptr);
  if (!outcome) {
    if (state() != State::kPoisoned) back_to_new();
    return std::move(outcome).error();
  }
  if (outcome->kind == Outcome::Kind::kEnded) {
    end(outcome->exit_code);
    return {};
  }
  state_.store(State::kReady, std::memory_order_release);
  return {};
}

// Finding a VM may have taken all the time that the call had. Then the guest must not run, whenever the timer
// comes to it.
void Sandbox::stop_if_late() {
  if (clock_ns(CLOCK_MONOTONIC) >= call_deadline_) control_->stop(call_number_, StopReason::kDeadline);
}

// It was stopped before its start-up code ran.
void Sandbox::back_to_new() {
  counters_ = counters();  // what it has cost stays counted
  attached_ = false;
  seen_attaches_ = 0;
  image_->shells().forget(*memory_);
  memory_.reset();
  state_.store(State::kNew, std::memory_order_release);
}

// Runs the guest from where it waits. On every failure but an ordinary error the sandbox is poisoned, unless
// the guest did not run at all.
Result<Outcome> Sandbox::run_guest(Shell& shell, const Function* called) {
  state_.store(State::kRunning, std::memory_order_release);
  const Vcpu::Counters before = shell.vcpu().counters();
  clear_exit(shell.transfer());
  CallLoop loop(*this, shell, called);
  went_on_ = true;
  // Kept here, for a nested call counts as well.
  const uint64_t faults_before = counted_faults;
  auto outcome = loop.run();
  if (loop.entered()) {
    is_restored_ = false;
    guest_epoch_ = time_epoch_;
  }
  // A page that the guest writes first becomes its own by a fault of the thread that runs it.
  if (snapshot_ && count_faults() != faults_before) memory_->note_new_pages();
  const Vcpu::Counters& after = shell.vcpu().counters();
  counters_.exits += after.runs - before.runs;
  counters_.ioctls += after.ioctls - before.ioctls;
  if (!outcome && loop.entered()) poison(outcome.error().message, loop.vm_broken());
  return outcome;
}

Result<std::optional<int32_t>> Sandbox::run(const CallOptions& options) {
  Entry entry(*this);
  auto entered = enter(entry, Purpose::kOther);
  if (!entered) {
    // Asking once more for how the program ended is not an error.
    if (entered.error().code == GLINT_E_ENDED) return std::optional(exit_code_);
    return std::move(entered).error();
  }
  finish();
  if (state() == State::kReady) return std::optional<int32_t>();
  GLINT_TRY(check_owner(options.interrupt));
  const CallScope scope(*this, options);
  GLINT_TRY(scope.check());
  GLINT_TRY(start_if_new());
  finish();
  if (state() == State::kEnded) return std::optional(exit_code_);
  return std::optional<int32_t>();
}

Result<uint64_t> Sandbox::write_arguments(Shell& shell, std::span<const Value> arguments) {
  constexpr uint64_t kFrame = GLINT_TRANSFER_PAYLOAD;
  for (const Value& value : arguments) {
    if (points_into(value.bytes, shell.transfer())) {
      return error(GLINT_E_INVALID_ARGUMENT,
                   "an argument is a view of this sandbox's last result, which the call would overwrite; "
                   "copy it first");
    }
  }
  GLINT_TRY(shell.grow_transfer(kFrame + frame_size(arguments)));
  return write_frame(shell.transfer(), kFrame, arguments);
}

Result<Value> Sandbox::call(uint32_t function, std::span<const Value> arguments, const CallOptions& options) {
  Entry entry(*this);
  GLINT_TRY(enter(entry, Purpose::kCall));
  const Function* called = image_->function(function);
  if (called == nullptr || called->kind != Function::Kind::kExport) {
    return error(GLINT_E_NOT_FOUND, "the guest program has no export number " + std::to_string(function));
  }
  GLINT_TRY(check_values(called->name, called->params, arguments));
  GLINT_TRY(check_owner(options.interrupt));
  const CallScope scope(*this, options);
  GLINT_TRY(scope.check());
  if (options_.restore_each_call) GLINT_TRY(restore_for_call());
  GLINT_TRY(start_if_new());
  if (state() == State::kEnded) {
    return error(GLINT_E_ENDED, "the guest program ended with exit status " + std::to_string(exit_code_) +
                                    " before it could be called");
  }
  if (options_.restore_each_call && !snapshot_) {
    GLINT_TRY_ASSIGN(started, freeze());
    GLINT_TRY(restore_inside(std::move(started)));
  }
  GLINT_TRY_ASSIGN(shell, attach_for_call());
  went_on_ = true;  // the arguments stand in the transfer area from here on, whether the guest runs or not
  auto call_end = write_arguments(*shell, arguments);
  if (!call_end) {
    finish();
    return std::move(call_end).error();
  }
  write_call(shell->transfer(), function, static_cast<uint32_t>(arguments.size()), GLINT_TRANSFER_PAYLOAD,
             *call_end);
  ++counters_.calls;

  auto ran = run_guest(*shell, called);
  if (!ran) {
    if (state() == State::kPoisoned) return std::move(ran).error();
    state_.store(State::kReady, std::memory_order_release);
    finish();
    return std::move(ran).error();
  }
  Outcome& outcome = *ran;
  if (outcome.kind == Outcome::Kind::kEnded) {
    end(outcome.exit_code);
    return error(GLINT_E_ENDED, "the guest program ended itself with exit status " +
                                    std::to_string(exit_code_) + " during function '" + called->name + "'");
  }
  state_.store(State::kReady, std::memory_order_release);
  if (outcome.kind == Outcome::Kind::kFailed) {
    finish();
    return std::move(*outcome.failure);
  }
  if (outcome.result.bytes.empty()) finish();  // else the view keeps the shell
  return outcome.result;
}

void Sandbox::release_result() {
  Entry entry(*this);
  // A call of another thread, or of a host function further out, has ended the view already.
  if (entry.try_enter()) finish();
}

// The guest rests: its shell may be lent to another sandbox.
void Sandbox::finish() {
  if (!attached_) return;
  attached_ = false;
  image_->shells().release(*memory_);
}

void Sandbox::end(int32_t exit_code) {
  exit_code_ = exit_code;
  state_.store(State::kEnded, std::memory_order_release);
  attached_ = false;
  image_->shells().forget(*memory_);
}

void Sandbox::poison(const std::string& reason, bool vm_broken) {
  poison_reason_ = reason;
  went_on_ = true;
  // A guest that stops in the middle of an instruction may have it finished, and memory written, when its
  // vCPU is settled: long after its thread's faults were counted.
  if (memory_) memory_->note_new_pages();
  state_.store(State::kPoisoned, std::memory_order_release);
  if (snapshot_ && attached_ && !vm_broken) {
    finish();  // restore() makes its memory good again, where it is
    return;
  }
  attached_ = false;
  image_->shells().forget(*memory_, vm_broken);
}

Sandbox::Counters Sandbox::counters() const {
  Counters counters = counters_;
  if (memory_) {
    counters.attaches += memory_->attaches();
    counters.ioctls += memory_->attach_ioctls();
    counters.restored_pages += memory_->restored_pages();
  }
  return counters;
}

}  // namespace glint::core
