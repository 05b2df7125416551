/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait. There is one thread and nothing that could wake it, so a wait without end is a mistake of
 * the program, and is said to be one. */
#include <linux/futex.h>
#include <linux/poll.h>

#include "libos.h"

/* ---- readiness: files, standard input and output are always ready ---------------------------- */

static int16_t ready_events(const struct pollfd *entry) {
  if (entry->fd < 0) return 0;
  const struct open_file *file = file_of((uint64_t)entry->fd);
  if (file == NULL) return POLLNVAL;
  bool output = file->kind == FILE_STDOUT || file->kind == FILE_STDERR;
  return (int16_t)(entry->events & (output ? POLLOUT | POLLWRNORM
                                           : POLLIN | POLLRDNORM | (file->kind == FILE_NULL ? POLLOUT : 0)));
}

static int64_t poll_all(struct pollfd *entries, uint64_t count) {
  int64_t ready = 0;
  if (count > 64) return -EINVAL; /* as many as there are descriptors */
  for (uint64_t i = 0; i < count; ++i) {
    entries[i].revents = ready_events(&entries[i]);
    if (entries[i].revents != 0) ++ready;
  }
  return ready;
}

/* Sleeps when nothing is ready. `timeout` in ns; negative: for ever. */
static void wait_if_none(const struct syscall *call, int64_t ready, int64_t timeout) {
  if (ready != 0) return;
  if (timeout < 0)
    give_up("glint: the program waits for something that can never happen\n", call->return_address - 2);
  time_sleep((uint64_t)timeout);
}

/* The timespec that a call points to; -1 (for ever) for none. False when it is malformed. */
static bool read_timeout(uint64_t pointer, int64_t *timeout) {
  *timeout = -1;
  if (pointer == 0) return true;
  *timeout = time_from_spec((const struct time_spec *)pointer);
  return *timeout >= 0;
}

int64_t sys_poll(const struct syscall *call) {
  int32_t milliseconds = (int32_t)call->args[2];
  int64_t ready = poll_all((struct pollfd *)call->args[0], call->args[1]);
  wait_if_none(call, ready, milliseconds < 0 ? -1 : milliseconds * 1000000ll);
  return ready;
}

int64_t sys_ppoll(const struct syscall *call) {
  int64_t timeout;
  if (!read_timeout(call->args[2], &timeout)) return -EINVAL;
  int64_t ready = poll_all((struct pollfd *)call->args[0], call->args[1]);
  wait_if_none(call, ready, timeout);
  return ready;
}

/* One fd_set; all descriptors fit into its first word. The number of ready ones, or a negative errno. */
static int64_t select_set(uint64_t pointer, uint64_t descriptors, int16_t events) {
  uint64_t *set = (uint64_t *)pointer, ready = 0;
  if (set == NULL || descriptors == 0) return 0;
  for (uint64_t i = 0; i < descriptors; ++i) {
    struct pollfd entry = {.fd = (int)i, .events = events};
    if ((*set >> i & 1) == 0) continue;
    if (file_of(i) == NULL) return -EBADF;
    if (ready_events(&entry) != 0) ready |= 1ull << i;
  }
  *set = ready;
  return __builtin_popcountll(ready);
}

static int64_t select_all(const struct syscall *call, int64_t timeout) {
  uint64_t descriptors = call->args[0];
  if ((int32_t)descriptors < 0) return -EINVAL;
  if (descriptors > 64) descriptors = 64;
  int64_t in = select_set(call->args[1], descriptors, POLLIN);
  if (in < 0) return in;
  int64_t out = select_set(call->args[2], descriptors, POLLOUT);
  if (out < 0) return out;
  int64_t exceptions = select_set(call->args[3], descriptors, 0);
  if (exceptions < 0) return exceptions;
  wait_if_none(call, in + out, timeout);
  return in + out;
}

int64_t sys_select(const struct syscall *call) {
  const struct time_spec *interval = (const struct time_spec *)call->args[4]; /* a timeval */
  if (interval == NULL) return select_all(call, -1);
  struct time_spec spec = {interval->seconds, interval->nanoseconds * 1000};
  int64_t timeout = time_from_spec(&spec);
  return timeout < 0 ? -EINVAL : select_all(call, timeout);
}

int64_t sys_pselect6(const struct syscall *call) {
  int64_t timeout;
  if (!read_timeout(call->args[4], &timeout)) return -EINVAL;
  return select_all(call, timeout);
}

/* ---- futex ------------------------------------------------------------------------------------- */

/* FUTEX_WAIT has a duration, FUTEX_WAIT_BITSET a point in time on one of two clocks. */
static int64_t futex_wait(const struct syscall *call, bool absolute) {
  int64_t timeout;
  if (*(const volatile uint32_t *)call->args[0] != (uint32_t)call->args[2]) return -EAGAIN;
  if (!read_timeout(call->args[3], &timeout)) return -EINVAL;
  if (timeout < 0) give_up("glint: futex wait would never end\n", call->return_address - 2);
  if (absolute) {
    uint64_t now = call->args[1] & FUTEX_CLOCK_REALTIME ? time_realtime_now() : time_monotonic_now();
    timeout = (uint64_t)timeout > now ? timeout - (int64_t)now : 0;
  }
  time_sleep((uint64_t)timeout);
  return -ETIMEDOUT;
}

int64_t sys_futex(const struct syscall *call) {
  switch (call->args[1] & (uint64_t)FUTEX_CMD_MASK & 0xff) {
    case FUTEX_WAIT:
      return futex_wait(call, false);
    case FUTEX_WAIT_BITSET:
      return futex_wait(call, true);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return 0; /* nobody waits */
    default:
      return -ENOSYS;
  }
}
