/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_BENCH_FLOOR_H
#define GLINT_BENCH_FLOOR_H

/*
 * What bare KVM costs on this machine, with nothing of Glint on top: the floor that Glint's times are held
 * against.
 *
 * Machines differ, and one machine differs from minute to minute; so a floor is measured in the same run as
 * what it is compared with, in turns. All times are medians, in microseconds. A function that fails returns a
 * negative number, leaves errno as the failing system call set it, and glint_floor_error() says what failed.
 * One thread at a time.
 */

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stopwatch for work that should not wait. On a busy machine, making a VM of 0.6 ms takes 8: each memory
 * slot waits a timer tick of 4 ms for the kernel's worker threads (SRCU), and more slots wait longer. The
 * thread's CPU time hardly changes then; on a quiet machine the two differ by 2 to 5 %. */
struct glint_floor_watch {
  double wall_us, cpu_us;
};
void glint_floor_start(struct glint_floor_watch *watch);

/* The time since; or the thread's CPU time, with `*disturbed` set, where the thread was kept waiting for more
 * than a fifth of the time. Such work should be done and measured anew, GLINT_FLOOR_ATTEMPTS times at most.
 */
double glint_floor_stop(const struct glint_floor_watch *watch, bool *disturbed);
#define GLINT_FLOOR_ATTEMPTS 3

/* One exit and back: the guest executes `out` in ring 3, the host calls KVM_RUN again. Nothing else is done.
 */
double glint_floor_round_trip_us(unsigned repetitions);

/* A VM from nothing to its first exit: KVM_CREATE_VM, one memory slot (2 MiB with page tables and code, which
 * are written anew, and 64 MiB of a private mapping of a memory file), KVM_CREATE_VCPU, KVM_SET_CPUID2,
 * registers, KVM_RUN. Before it leaves, the guest writes to `pages` pages of the 64 MiB, each for the first
 * time; they are in the file already. File and mappings are made beforehand, as an image is loaded before its
 * sandboxes; closing
 * the VM is not counted. Each VM is closed before the next one is made. It costs less while another VM of the
 * process is open (vCPUs are made three times faster then), so a caller that compares what happens in a
 * process without VMs must hold none. */
double glint_floor_create_us(unsigned repetitions, unsigned pages);

/* The same for sandboxes that share a VM, as ../shared/floor/kvm_many.c measures it: each is a private
 * mapping of the file, which mremap moves into the VM's memory and out again. */
struct glint_floor_parked {
  double create_us; /* a new one: registers, KVM_RUN until it has written to `pages` pages, out again */
  double call_us;   /* one that ran before: in, registers, the same KVM_RUN, out */
};
bool glint_floor_parked_us(unsigned repetitions, unsigned pages, struct glint_floor_parked *result);

/* Setting all registers of a vCPU that has left its guest by a port: the KVM_RUN that completes the exit,
 * without which KVM does not allow it, KVM_SET_SREGS, KVM_SET_REGS and KVM_SET_XSAVE. */
double glint_floor_registers_us(unsigned repetitions);

/* From the moment at which a thread decides to stop a guest that loops until the KVM_RUN of another thread
 * has returned: kvm_run.immediate_exit and a signal. The median; `*p99`, if not NULL, is what 99 of 100 do
 * not exceed. Uses SIGRTMIN + 7, whose handler it installs. */
double glint_floor_kick_us(unsigned repetitions, double *p99);

/* How many of the repetitions of the last measurement stayed disturbed; see glint_floor_stop. */
unsigned glint_floor_disturbed(void);

/* What failed last: the name of a system call, with the system's text. */
const char *glint_floor_error(void);

#ifdef __cplusplus
}
#endif
#endif
