/* SPDX-License-Identifier: Apache-2.0 */
/* From a system call's number to the function that serves it. */
#include <asm/unistd.h>

#include "libos.h"

/* Some handlers serve several calls and none of their own name; they stand behind the numbers of Linux. */
enum {
  __NR_read_only = 480,
  __NR_one,
  __NR_zero,
  __NR_user_id,
  __NR_absent,
  __NR_no_more_tasks,
  LAST_OF_LINUX = __NR_read_only - 1
};

static syscall_handler *const handlers[] = {
#define HANDLER(name) [__NR_##name] = sys_##name,
#define ALIAS(name, handler) [__NR_##name] = sys_##handler,
#include "handlers.inc"
#undef HANDLER
};

static void report(uint32_t kind, const struct syscall *call, int64_t result) {
  struct glint_abi_syscall record = {.number = call->number, .result = result};
  for (int i = 0; i < 6; ++i) record.arguments[i] = call->args[i];
  text_append(kind, &record, sizeof record);
}

void syscall_trace(const struct syscall *call, int64_t result) {
  if (HEADER->flags & GLINT_FLAG_TRACE) report(GLINT_TEXT_SYSCALL, call, result);
}

static COLD int64_t unknown(const struct syscall *call) {
  report(GLINT_TEXT_UNKNOWN_SYSCALL, call, -ENOSYS);
  return -ENOSYS;
}

/* Called by entry.S, on the program's stack. */
int64_t syscall_dispatch(const struct syscall *call) {
  syscall_handler *handler = call->number <= LAST_OF_LINUX ? handlers[call->number] : NULL;
  if (handler == NULL) return unknown(call);
  int64_t result = handler(call);
  syscall_trace(call, result);
  return result;
}
