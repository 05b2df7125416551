// SPDX-License-Identifier: Apache-2.0
//
// Snapshots of a sandbox, putting it back, and what its pool asks about its memory.
#include "sandbox/sandbox_scopes.hpp"
#include "sandbox/snapshot.hpp"
#include "shell/shell_pool.hpp"

namespace glint::core {

// The call before may have left anything.
Result<void> Sandbox::restore_for_call() {
  if (!snapshot_ || !went_on_) return {};
  return restore_inside(snapshot_);
}

Result<std::shared_ptr<const Snapshot>> Sandbox::snapshot(const CallOptions& options) {
  Entry entry(*this);
  GLINT_TRY(enter(entry, Purpose::kOther));
  GLINT_TRY(check_owner(options.interrupt));
  const CallScope scope(*this, options);
  GLINT_TRY(scope.check());
  GLINT_TRY(start_if_new());
  if (state() != State::kReady) {
    return error(GLINT_E_ENDED, "the guest program has ended: only one that waits for calls has a snapshot");
  }
  return freeze();
}

Result<std::shared_ptr<const Snapshot>> Sandbox::freeze() {
  finish();
  GLINT_TRY_ASSIGN(frozen, image_->shells().freeze(*memory_));
  return std::make_shared<const Snapshot>(Snapshot{image_, std::move(frozen), guest_epoch_});
}

Result<void> Sandbox::restore(std::shared_ptr<const Snapshot> to) {
  Entry entry(*this);
  if (!entry.try_enter()) {
    return error(GLINT_E_BUSY, "the sandbox is in a call: it can be restored when that has ended");
  }
  if (!to) to = snapshot_;
  if (!to) {
    return error(GLINT_E_INVALID_ARGUMENT,
                 "the sandbox was not made from a snapshot: name the one that it is to be restored to");
  }
  if (to->image != image_) {
    return error(GLINT_E_INVALID_ARGUMENT, "the snapshot is of another image than the sandbox");
  }
  return restore_inside(std::move(to));
}

Result<void> Sandbox::prepare() {
  Entry entry(*this);
  GLINT_TRY(enter(entry, Purpose::kOther));
  if (!memory_) return {};  // its start-up code comes first
  GLINT_TRY(attach());
  finish();
  return {};
}

bool Sandbox::is_lost() const { return memory_ && image_->shells().is_lost(*memory_); }

bool Sandbox::is_near() const { return memory_ && image_->shells().is_near(*memory_); }

bool Sandbox::is_attached() const { return memory_ && image_->shells().is_attached(*memory_); }

uint64_t Sandbox::own_bytes() const { return memory_ ? memory_->own_bytes() : 0; }

Result<void> Sandbox::inspect(const Look& look) {
  Entry entry(*this);
  if (!entry.try_enter()) return error(GLINT_E_BUSY, "the sandbox is in a call");
  if (!memory_) return error(GLINT_E_NOT_FOUND, "the sandbox has no memory yet");
  GLINT_TRY_ASSIGN(shell, attach());
  auto state = shell->vcpu().look();
  if (state) look(shell->window(), *state, shell->transfer());
  finish();
  if (!state) return std::move(state).error();
  return {};
}

Result<void> Sandbox::restore_inside(std::shared_ptr<const Snapshot> to) {
  finish();
  if (memory_) {
    if (auto restored = image_->shells().restore(*memory_, to->frozen); !restored) {
      poison(restored.error().message, true);
      return restored;
    }
  } else {
    memory_ = std::make_unique<SandboxMemory>(to->frozen, options_.tenant, options_.dedicated_vm);
  }
  guest_epoch_ = to->time_epoch;
  snapshot_ = std::move(to);
  is_restored_ = true;
  seen_attaches_ = 0;
  went_on_ = false;
  ++counters_.restores;
  poison_reason_.clear();
  state_.store(State::kReady, std::memory_order_release);
  if (!is_attached()) return {};
  // What its next call needs in its VM it gets now, but for the time: restoring may be off the caller's path.
  // Where that fails, the call tries again, and says so; unless another thread, that parked it meanwhile, has
  // lost it.
  if (auto attached = attach(); !attached && memory_->lost()) return std::move(attached).error();
  finish();
  return {};
}

}  // namespace glint::core
