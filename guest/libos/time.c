/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, from the TSC: the host gives both clocks' values once, the TSC tells what has passed since. */
#include "libos.h"

#define SECOND 1000000000ull
/* ns per tick as a fraction: (10^6 << 40) / kHz stays below 2^60 for all frequencies from 2 kHz up, and the
 * error of 2^-40 ns a tick is below a nanosecond in five minutes. */
#define TIME_SHIFT 40

__extension__ typedef unsigned __int128 wide;

static uint64_t read_tsc(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

void time_pair(void) {
  libos.time_epoch = HEADER->time_epoch;
  libos.time_tsc = read_tsc();
  libos.time_realtime = HEADER->realtime_ns;
  libos.time_monotonic = HEADER->monotonic_ns;
  /* Without a frequency the clocks stand still. */
  uint32_t khz = HEADER->tsc_khz;
  libos.time_multiplier = khz != 0 ? (1000000ull << TIME_SHIFT) / khz : 0;
}

static uint64_t elapsed(void) {
  uint64_t ticks = read_tsc() - libos.time_tsc;
  return (uint64_t)((wide)ticks * libos.time_multiplier >> TIME_SHIFT);
}

uint64_t time_monotonic_now(void) { return libos.time_monotonic + elapsed(); }

uint64_t time_realtime_now(void) { return libos.time_realtime + elapsed(); }

/* The guest keeps its processor while it sleeps: there is no exit for it, and the host's deadline still
 * holds. */
void time_sleep(uint64_t nanoseconds) {
  uint64_t begin = time_monotonic_now();
  if (libos.time_multiplier == 0) return; /* it would never end */
  while (time_monotonic_now() - begin < nanoseconds) __builtin_ia32_pause();
}

int64_t time_from_spec(const struct time_spec *spec) {
  if (spec->seconds < 0 || spec->nanoseconds < 0 || spec->nanoseconds >= (int64_t)SECOND) return -1;
  if (spec->seconds >= INT64_MAX / (int64_t)SECOND) return INT64_MAX;
  return spec->seconds * (int64_t)SECOND + spec->nanoseconds;
}

static struct time_spec spec_of(uint64_t nanoseconds) {
  return (struct time_spec){(int64_t)(nanoseconds / SECOND), (int64_t)(nanoseconds % SECOND)};
}

/* ---- system calls ------------------------------------------------------------------------ */

/* REALTIME, REALTIME_COARSE and TAI tell the time of day; the others the time that has passed. The processor
 * time of the guest is taken to be that, too. */
static bool is_realtime(uint64_t clock) { return clock == 0 || clock == 5 || clock == 11; }
static bool is_clock(uint64_t clock) { return clock <= 11 && clock != 10; }

int64_t sys_clock_gettime(const struct syscall *call) {
  uint64_t clock = (uint32_t)call->args[0];
  if (!is_clock(clock)) return -EINVAL;
  *(struct time_spec *)call->args[1] =
      spec_of(is_realtime(clock) ? time_realtime_now() : time_monotonic_now());
  return 0;
}

int64_t sys_clock_getres(const struct syscall *call) {
  if (!is_clock((uint32_t)call->args[0])) return -EINVAL;
  if (call->args[1] != 0) *(struct time_spec *)call->args[1] = spec_of(1);
  return 0;
}

int64_t sys_gettimeofday(const struct syscall *call) {
  struct time_spec now = spec_of(time_realtime_now());
  now.nanoseconds /= 1000; /* a timeval counts microseconds */
  if (call->args[0] != 0) *(struct time_spec *)call->args[0] = now;
  if (call->args[1] != 0) memset((void *)call->args[1], 0, 8); /* UTC */
  return 0;
}

int64_t sys_time(const struct syscall *call) {
  int64_t seconds = (int64_t)(time_realtime_now() / SECOND);
  if (call->args[0] != 0) *(int64_t *)call->args[0] = seconds;
  return seconds;
}

int64_t sys_nanosleep(const struct syscall *call) {
  int64_t duration = time_from_spec((const struct time_spec *)call->args[0]);
  if (duration < 0) return -EINVAL;
  time_sleep((uint64_t)duration);
  return 0;
}

int64_t sys_clock_nanosleep(const struct syscall *call) {
  uint64_t clock = (uint32_t)call->args[0];
  int64_t duration = time_from_spec((const struct time_spec *)call->args[2]);
  if (!is_clock(clock) || duration < 0) return -EINVAL;
  if (call->args[1] & 1) { /* TIMER_ABSTIME */
    uint64_t now = is_realtime(clock) ? time_realtime_now() : time_monotonic_now();
    duration = (uint64_t)duration > now ? duration - (int64_t)now : 0;
  }
  time_sleep((uint64_t)duration);
  return 0;
}

/* Processor time is what has passed since the clocks were paired. */
int64_t sys_times(const struct syscall *call) {
  int64_t ticks = (int64_t)(elapsed() / (SECOND / 100));
  int64_t out[4] = {ticks, 0, 0, 0};
  if (call->args[0] != 0) memcpy((void *)call->args[0], out, sizeof out);
  return (int64_t)(time_monotonic_now() / (SECOND / 100));
}

int64_t sys_getrusage(const struct syscall *call) {
  int64_t out[18] = {0}; /* struct rusage; it starts with the user time, a timeval */
  struct time_spec spent = spec_of(elapsed());
  out[0] = spent.seconds;
  out[1] = spent.nanoseconds / 1000;
  memcpy((void *)call->args[1], out, sizeof out);
  return 0;
}
