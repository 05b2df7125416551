/* SPDX-License-Identifier: Apache-2.0 */
/* Signals. None is ever delivered: faults go to the host, and there is nobody else who could send one. What
 * the program asks for is remembered, and a signal to itself ends it unless it is ignored. */
#include "libos.h"

#define SIGNALS 64
#define MASK_SIZE 8
enum { SIGKILL = 9, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGURG = 23, SIGWINCH = 28 };
#define DEFAULT_ACTION 0
#define IGNORE_ACTION 1

struct action {
  uint64_t handler, flags, restorer, mask;
};
static struct action actions[SIGNALS];
static uint64_t alternate_stack[3] = {0, 2 /* SS_DISABLE */, 0};

int64_t sys_rt_sigaction(const struct syscall *call) {
  uint64_t signal = call->args[0];
  const struct action *wanted = (const struct action *)call->args[1];
  struct action *old = (struct action *)call->args[2];
  if (call->args[3] != MASK_SIZE || signal < 1 || signal > SIGNALS) return -EINVAL;
  if (wanted != NULL && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
  struct action previous = actions[signal - 1];
  if (wanted != NULL) actions[signal - 1] = *wanted;
  if (old != NULL) *old = previous;
  return 0;
}

int64_t sys_rt_sigprocmask(const struct syscall *call) {
  const uint64_t *set = (const uint64_t *)call->args[1];
  uint64_t old = libos.signal_mask;
  if (call->args[3] != MASK_SIZE) return -EINVAL;
  if (set != NULL) {
    switch (call->args[0]) {
      case 0:
        libos.signal_mask |= *set;
        break;
      case 1:
        libos.signal_mask &= ~*set;
        break;
      case 2:
        libos.signal_mask = *set;
        break;
      default:
        return -EINVAL;
    }
  }
  if (call->args[2] != 0) *(uint64_t *)call->args[2] = old;
  return 0;
}

int64_t sys_sigaltstack(const struct syscall *call) {
  uint64_t old[3];
  memcpy(old, alternate_stack, sizeof old);
  if (call->args[0] != 0) memcpy(alternate_stack, (const void *)call->args[0], sizeof alternate_stack);
  if (call->args[1] != 0) memcpy((void *)call->args[1], old, sizeof old);
  return 0;
}

static bool is_ignored(uint64_t signal) {
  uint64_t handler = actions[signal - 1].handler;
  if (handler == IGNORE_ACTION) return signal != SIGKILL && signal != SIGSTOP;
  if (handler != DEFAULT_ACTION) return false;
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

/* The mask does not hold a signal back: musl's raise() blocks all, sends, and unblocks again. */
static int64_t send_to_self(const struct syscall *call, uint64_t signal) {
  if (signal > SIGNALS) return -EINVAL;
  if (signal == 0 || is_ignored(signal)) return 0;
  syscall_trace(call, 0);
  end_by_signal((int32_t)signal, call->return_address - 2 /* the `syscall` instruction */);
}

int64_t sys_kill(const struct syscall *call) {
  int32_t process = (int32_t)call->args[0];
  return process == 1 || process == 0 || process == -1 ? send_to_self(call, call->args[1]) : -ESRCH;
}
int64_t sys_tkill(const struct syscall *call) {
  return (int32_t)call->args[0] == 1 ? send_to_self(call, call->args[1]) : -ESRCH;
}
int64_t sys_tgkill(const struct syscall *call) {
  return (int32_t)call->args[0] == 1 && (int32_t)call->args[1] == 1 ? send_to_self(call, call->args[2])
                                                                    : -ESRCH;
}
