/* SPDX-License-Identifier: Apache-2.0 */
/* What a program may ask about itself, and its end. */
#include <asm/prctl.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "libos.h"

/* FS and GS bases hold thread-local storage; ring 3 may set them itself (CR4.FSGSBASE). */
int64_t sys_arch_prctl(const struct syscall *call) {
  uint64_t value = call->args[1];
  switch (call->args[0]) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
      if (value >= GLINT_GVA_END) return -EPERM; /* also: not canonical, which would fault */
      if (call->args[0] == ARCH_SET_FS)
        __asm__ volatile("wrfsbase %0" : : "r"(value));
      else
        __asm__ volatile("wrgsbase %0" : : "r"(value));
      return 0;
    case ARCH_GET_FS:
      __asm__ volatile("rdfsbase %0" : "=r"(value));
      *(uint64_t *)call->args[1] = value;
      return 0;
    case ARCH_GET_GS:
      __asm__ volatile("rdgsbase %0" : "=r"(value));
      *(uint64_t *)call->args[1] = value;
      return 0;
    default:
      return -EINVAL;
  }
}

int64_t sys_one(const struct syscall *call) {
  (void)call;
  return 1;
}
int64_t sys_zero(const struct syscall *call) {
  (void)call;
  return 0;
}
int64_t sys_user_id(const struct syscall *call) {
  (void)call;
  return 1000;
}
int64_t sys_umask(const struct syscall *call) {
  (void)call;
  return 022;
}

int64_t sys_uname(const struct syscall *call) {
  struct new_utsname *out = (struct new_utsname *)call->args[0];
  memset(out, 0, sizeof *out);
  memcpy(out->sysname, "Linux", 6);
  memcpy(out->nodename, "glint", 6);
  memcpy(out->release, "6.1.0-glint", 12); /* static glibc refuses to start on a kernel it calls too old */
  memcpy(out->version, "#1", 3);
  memcpy(out->machine, "x86_64", 7);
  return 0;
}

int64_t sys_sysinfo(const struct syscall *call) {
  const struct memory *m = &libos.memory;
  struct sysinfo *out = (struct sysinfo *)call->args[0];
  memset(out, 0, sizeof *out);
  out->uptime = (int64_t)(time_monotonic_now() / 1000000000);
  out->totalram = m->end - m->begin;
  out->freeram = out->totalram - (m->brk - m->begin) - m->used * PAGE_SIZE;
  out->procs = 1;
  out->mem_unit = 1;
  return 0;
}

static struct rlimit64 limit_of(uint64_t resource) {
  uint64_t value = RLIM64_INFINITY;
  if (resource == RLIMIT_STACK) value = libos.boot.stack_top - libos.boot.stack_bottom;
  if (resource == RLIMIT_NOFILE) value = 64;
  if (resource == RLIMIT_NPROC) value = 1;
  if (resource == RLIMIT_CORE) value = 0;
  return (struct rlimit64){value, value};
}

int64_t sys_getrlimit(const struct syscall *call) {
  if (call->args[0] >= RLIM_NLIMITS) return -EINVAL;
  *(struct rlimit64 *)call->args[1] = limit_of(call->args[0]);
  return 0;
}

int64_t sys_prlimit64(const struct syscall *call) {
  if (call->args[1] >= RLIM_NLIMITS) return -EINVAL;
  if (call->args[2] != 0) return -EPERM; /* the limits are the host's */
  if (call->args[3] != 0) *(struct rlimit64 *)call->args[3] = limit_of(call->args[1]);
  return 0;
}

int64_t sys_sched_getaffinity(const struct syscall *call) {
  if (call->args[1] < 8) return -EINVAL;
  *(uint64_t *)call->args[2] = 1;
  return 8;
}

int64_t sys_exit(const struct syscall *call) {
  syscall_trace(call, 0); /* it does not return, so the dispatcher cannot */
  HEADER->exit_code = (int32_t)(call->args[0] & 0xff);
  for (;;) leave(GLINT_EXIT_PROGRAM); /* the host does not come back */
}

int64_t sys_absent(const struct syscall *call) {
  (void)call;
  return -ENOSYS;
}

int64_t sys_no_more_tasks(const struct syscall *call) {
  (void)call;
  return -EAGAIN;
}
