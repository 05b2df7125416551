/* SPDX-License-Identifier: Apache-2.0 */
/* C and not C++: there the flexible arrays of <linux/kvm.h> make the sizes, and so the ioctl numbers, wrong.
 */
#define _GNU_SOURCE /* memfd_create. NOLINT(bugprone-reserved-identifier): the libc gives it */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES ((size_t)4096)
#define LARGE_PAGE_BYTES ((size_t)2 << 20)
#define DATA_BYTES ((size_t)64 << 20)
#define WARM_UP_RUNS 100u
#define PORT 0x80

/* Guest-physical addresses, which are the guest's virtual ones, too. */
#define DATA_AT LARGE_PAGE_BYTES
#define MEMORY_BYTES (DATA_AT + DATA_BYTES)
enum {
  ROOT_AT = 0x1000,
  LEVEL3_AT = 0x2000,
  LEVEL2_AT = 0x3000,
  PING_AT = 0x11000,
  WRITE_AT = 0x12000,
  SPIN_AT = 0x13000
};

static char error_text[160];
static unsigned disturbed_samples;

const char *glint_floor_error(void) { return error_text; }

unsigned glint_floor_disturbed(void) { return disturbed_samples; }

static bool failed(const char *what) {
  int number = errno;
  (void)snprintf(error_text, sizeof error_text, "%s: %s", what, strerror(number));
  errno = number;
  return false;
}

static double clock_us(clockid_t clock) {
  struct timespec t;
  (void)clock_gettime(clock, &t); /* cannot fail for these clocks */
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double now_us(void) { return clock_us(CLOCK_MONOTONIC); }

void glint_floor_start(struct glint_floor_watch *watch) {
  watch->cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
  watch->wall_us = now_us();
}

double glint_floor_stop(const struct glint_floor_watch *watch, bool *disturbed) {
  double wall = now_us() - watch->wall_us;
  double cpu = clock_us(CLOCK_THREAD_CPUTIME_ID) - watch->cpu_us;
  *disturbed = wall > 1.25 * cpu;
  return *disturbed ? cpu : wall;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *samples, unsigned count) {
  qsort(samples, count, sizeof *samples, by_value);
  return count % 2 ? samples[count / 2] : (samples[count / 2 - 1] + samples[count / 2]) / 2;
}

/* ---- what all VMs share
 * ------------------------------------------------------------------------------------ */

struct host {
  int kvm;
  size_t run_size;
  struct kvm_cpuid2 *cpuid;
  int file;        /* 64 MiB */
  uint8_t *memory; /* the guest's, 2 MiB aligned, made anew for each VM: 2 MiB with page tables and code, then
                      a private mapping of the file */
  void *reserved;
};

static void host_close(struct host *h) {
  int number = errno;
  if (h->reserved != MAP_FAILED) munmap(h->reserved, MEMORY_BYTES + LARGE_PAGE_BYTES);
  if (h->file >= 0) close(h->file);
  free(h->cpuid);
  if (h->kvm >= 0) close(h->kvm);
  errno = number;
}

static bool load_cpuid(struct host *h) {
  const uint32_t entries = 256;
  h->cpuid = calloc(1, sizeof *h->cpuid + entries * sizeof(struct kvm_cpuid_entry2));
  if (!h->cpuid) return failed("calloc");
  h->cpuid->nent = entries;
  return ioctl(h->kvm, KVM_GET_SUPPORTED_CPUID, h->cpuid) == 0 || failed("KVM_GET_SUPPORTED_CPUID");
}

/* The pages that a guest will write to are there, as the pages of a loaded image are. */
static bool make_file(struct host *h, unsigned pages) {
  h->file = memfd_create("glint-floor", MFD_CLOEXEC);
  if (h->file < 0) return failed("memfd_create");
  if (ftruncate(h->file, (off_t)DATA_BYTES) != 0) return failed("ftruncate");
  void *all = mmap(NULL, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, h->file, 0);
  if (all == MAP_FAILED) return failed("mmap of the memory file");
  memset(all, 0x11, pages * PAGE_BYTES);
  munmap(all, DATA_BYTES);
  return true;
}

static bool host_open(struct host *h, unsigned pages) {
  *h = (struct host){.kvm = -1, .file = -1, .reserved = MAP_FAILED};
  h->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (h->kvm < 0) return failed("/dev/kvm");
  int size = ioctl(h->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < 0) return failed("KVM_GET_VCPU_MMAP_SIZE");
  h->run_size = (size_t)size;
  if (!load_cpuid(h) || !make_file(h, pages)) return false;
  h->reserved = mmap(NULL, MEMORY_BYTES + LARGE_PAGE_BYTES, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (h->reserved == MAP_FAILED) return failed("mmap");
  /* Large pages can only be aligned ones. */
  h->memory = (uint8_t *)h->reserved + (-(uintptr_t)h->reserved & (LARGE_PAGE_BYTES - 1));
  return true;
}

/* Mapping over what is there drops the pages that the last VM made its own. */
static bool map_memory(struct host *h) {
  int flags = MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED;
  if (mmap(h->memory, DATA_AT, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
    return failed("mmap of the control memory");
  return mmap(h->memory + DATA_AT, DATA_BYTES, PROT_READ | PROT_WRITE, flags, h->file, 0) != MAP_FAILED ||
         failed("mmap of the data");
}

/* ---- one VM
 * ------------------------------------------------------------------------------------------------- */

struct vm {
  int fd, vcpu;
  struct kvm_run *run;
  struct kvm_sregs sregs; /* as set_registers() sets them */
};

/* The same addresses virtual as physical, in 2 MiB pages that ring 3 may use, and two programs. */
static void fill_control(void *memory) {
  static const uint8_t ping[] = {0xe7, PORT, 0xeb, 0xfc};  /* 1: out %eax, $PORT; jmp 1b */
  static const uint8_t write[] = {0x88, 0x07,              /* 1: mov %al, (%rdi)         */
                                  0x48, 0x01, 0xd7,        /*    add %rdx, %rdi          */
                                  0x48, 0xff, 0xc9,        /*    dec %rcx                */
                                  0x75, 0xf6,              /*    jnz 1b                  */
                                  0xe7, PORT};             /*    out %eax, $PORT         */
  static const uint8_t spin[] = {0xeb, 0xfe};              /* 1: jmp 1b                  */
  const uint64_t user_table = 0x7, user_large_page = 0x87; /* present, writable, ring 3 (SDM vol. 3, 4.5) */
  uint8_t *bytes = memory;
  uint64_t *words = memory;
  uint64_t *root = words + ROOT_AT / sizeof *words;
  uint64_t *level3 = words + LEVEL3_AT / sizeof *words;
  uint64_t *level2 = words + LEVEL2_AT / sizeof *words;
  root[0] = LEVEL3_AT | user_table;
  level3[0] = LEVEL2_AT | user_table;
  for (size_t i = 0; i < MEMORY_BYTES / LARGE_PAGE_BYTES; ++i) {
    level2[i] = i * LARGE_PAGE_BYTES | user_large_page;
  }
  memcpy(bytes + PING_AT, ping, sizeof ping);
  memcpy(bytes + WRITE_AT, write, sizeof write);
  memcpy(bytes + SPIN_AT, spin, sizeof spin);
}

/* One slot, as Glint has one: each costs some 30 µs. */
static bool set_slot(const struct vm *v, const struct host *h) {
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY_BYTES,
                                               .userspace_addr = (uintptr_t)h->memory};
  return ioctl(v->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0 || failed("KVM_SET_USER_MEMORY_REGION");
}

/* Ring 3, with IOPL 3 and a busy TSS without a bitmap: whichever of the two this KVM looks at, `out` is
 * allowed. */
static void set_ring3(struct kvm_sregs *s) {
  struct kvm_segment segment = {
      .limit = 0xffffffff, .selector = 0x33, .type = 11, .present = 1, .dpl = 3, .s = 1, .l = 1, .g = 1};
  s->cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
  s->cr3 = ROOT_AT;
  s->cr4 = 0x620;  /* OSXMMEXCPT OSFXSR PAE */
  s->efer = 0xd01; /* NXE LMA LME SCE */
  s->cs = segment;
  segment.type = 3;
  segment.selector = 0x2b;
  segment.l = 0;
  segment.db = 1;
  s->ds = s->es = s->fs = s->gs = s->ss = segment;
  s->ldt = (struct kvm_segment){.unusable = 1};
  s->tr.present = 1;
  s->tr.type = 11;
  s->tr.base = 0x5000; /* a page of zeros in the control memory: every port is open */
  s->tr.limit = 0x2067;
}

static bool set_registers(const struct vm *v, unsigned pages) {
  if (ioctl(v->vcpu, KVM_SET_SREGS, &v->sregs) != 0) return failed("KVM_SET_SREGS");
  struct kvm_regs regs = {.rip = pages ? WRITE_AT : PING_AT,
                          .rflags = 0x3002,
                          .rdi = DATA_AT,
                          .rdx = PAGE_BYTES,
                          .rcx = pages,
                          .rax = 0x5a};
  return ioctl(v->vcpu, KVM_SET_REGS, &regs) == 0 || failed("KVM_SET_REGS");
}

static void vm_close(struct vm *v, size_t run_size) {
  int number = errno;
  if (v->run != MAP_FAILED) munmap(v->run, run_size);
  if (v->vcpu >= 0) close(v->vcpu);
  if (v->fd >= 0) close(v->fd);
  errno = number;
}

static bool vm_open(struct vm *v, const struct host *h, unsigned pages) {
  *v = (struct vm){.fd = -1, .vcpu = -1, .run = MAP_FAILED};
  v->fd = ioctl(h->kvm, KVM_CREATE_VM, 0);
  if (v->fd < 0) return failed("KVM_CREATE_VM");
  fill_control(h->memory);
  if (!set_slot(v, h)) return false;
  v->vcpu = ioctl(v->fd, KVM_CREATE_VCPU, 0);
  if (v->vcpu < 0) return failed("KVM_CREATE_VCPU");
  v->run = mmap(NULL, h->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->vcpu, 0);
  if (v->run == MAP_FAILED) return failed("mmap of kvm_run");
  if (ioctl(v->vcpu, KVM_SET_CPUID2, h->cpuid) != 0) return failed("KVM_SET_CPUID2");
  if (ioctl(v->vcpu, KVM_GET_SREGS, &v->sregs) != 0) return failed("KVM_GET_SREGS");
  set_ring3(&v->sregs);
  return set_registers(v, pages);
}

static bool vm_run(const struct vm *v) {
  int result = 0;
  do {
    result = ioctl(v->vcpu, KVM_RUN, 0);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return failed("KVM_RUN");
  if (v->run->exit_reason == KVM_EXIT_IO && v->run->io.port == PORT) return true;
  errno = EPROTO;
  return failed("KVM_RUN, which did not end with the port");
}

/* ---- measurements
 * ------------------------------------------------------------------------------------------- */

static bool sample_round_trips(const struct host *h, double *samples, unsigned count) {
  struct vm v;
  bool good = vm_open(&v, h, 0);
  for (unsigned i = 0; good && i < WARM_UP_RUNS; ++i) good = vm_run(&v);
  for (unsigned i = 0; good && i < count; ++i) {
    double start = now_us();
    good = vm_run(&v);
    samples[i] = now_us() - start;
  }
  vm_close(&v, h->run_size);
  return good;
}

static bool sample_creation(struct host *h, unsigned pages, double *sample, bool *disturbed) {
  if (!map_memory(h)) return false;
  struct vm v;
  struct glint_floor_watch watch;
  glint_floor_start(&watch);
  bool good = vm_open(&v, h, pages) && vm_run(&v);
  *sample = glint_floor_stop(&watch, disturbed);
  vm_close(&v, h->run_size);
  return good;
}

/* Registers may be set only after the last exit is complete: KVM_RUN does that, and returns at once
 * (Documentation/virt/kvm/api.rst, KVM_RUN, immediate_exit). */
static bool complete_exit(const struct vm *v) {
  v->run->immediate_exit = 1;
  bool good = ioctl(v->vcpu, KVM_RUN, 0) < 0 && errno == EINTR;
  v->run->immediate_exit = 0;
  return good;
}

static bool sample_registers(const struct host *h, double *samples, unsigned count) {
  struct vm v;
  static struct kvm_xsave vectors;
  struct kvm_regs regs;
  struct kvm_sregs sregs;
  bool good = vm_open(&v, h, 0) && vm_run(&v) && vm_run(&v);
  good = good && (ioctl(v.vcpu, KVM_GET_XSAVE, &vectors) == 0 || failed("KVM_GET_XSAVE"));
  good = good && (ioctl(v.vcpu, KVM_GET_REGS, &regs) == 0 || failed("KVM_GET_REGS"));
  good = good && (ioctl(v.vcpu, KVM_GET_SREGS, &sregs) == 0 || failed("KVM_GET_SREGS"));
  for (unsigned i = 0; good && i < count; ++i) {
    if (!vm_run(&v)) {
      good = false;
      break;
    }
    double start = now_us();
    good = complete_exit(&v) && ioctl(v.vcpu, KVM_SET_SREGS, &sregs) == 0 &&
           ioctl(v.vcpu, KVM_SET_REGS, &regs) == 0 && ioctl(v.vcpu, KVM_SET_XSAVE, &vectors) == 0;
    samples[i] = now_us() - start;
    if (!good) failed("setting registers");
  }
  vm_close(&v, h->run_size);
  return good;
}

static bool move_data(void *from, void *to) {
  int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP; /* what it leaves is pristine */
  return mremap(from, DATA_BYTES, DATA_BYTES, flags, to) != MAP_FAILED || failed("mremap");
}

static bool sample_parked(const struct host *h, uint8_t *homes, unsigned pages, double *creations,
                          double *calls, unsigned count) {
  struct vm v;
  uint8_t *window = h->memory + DATA_AT;
  bool good = vm_open(&v, h, pages) && vm_run(&v);
  for (unsigned i = 0; good && i < count; ++i) {
    double start = now_us();
    good = set_registers(&v, pages) && vm_run(&v) && move_data(window, homes + i * DATA_BYTES);
    creations[i] = now_us() - start;
  }
  for (unsigned i = 0; good && i < count; ++i) {
    uint8_t *home = homes + i * DATA_BYTES;
    double start = now_us();
    good = move_data(home, window) && set_registers(&v, pages) && vm_run(&v) && move_data(window, home);
    calls[i] = now_us() - start;
  }
  vm_close(&v, h->run_size);
  return good;
}

static bool sample_creations(struct host *h, double *samples, unsigned count, unsigned pages) {
  for (unsigned i = 0; i < count; ++i) {
    bool disturbed = true;
    for (int attempt = 0; disturbed && attempt < GLINT_FLOOR_ATTEMPTS; ++attempt) {
      if (!sample_creation(h, pages, &samples[i], &disturbed)) return false;
    }
    disturbed_samples += disturbed;
  }
  return true;
}

/* A guest that loops on a thread of its own, and who stops it. Who waits sleeps: a thread that waited in a
 * loop would take the processor that the other one needs. */
struct kick {
  struct vm *vm;
  double *samples;
  unsigned count;
  sem_t entering, left; /* the thread is about to enter the guest; it came back */
  double kicked_at;     /* written before the kick, read behind it */
  bool good;
};

static void ignore_kick(int number) { (void)number; }

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0) continue; /* EINTR */
}

static void *run_until_kicked(void *argument) {
  struct kick *k = argument;
  for (unsigned i = 0; i < k->count; ++i) {
    sem_post(&k->entering);
    int result = ioctl(k->vm->vcpu, KVM_RUN, 0);
    double now = now_us();
    if (result == 0 || errno != EINTR) k->good = failed("KVM_RUN of a guest that loops");
    k->samples[i] = now - k->kicked_at;
    k->vm->run->immediate_exit = 0;
    sem_post(&k->left);
  }
  return NULL;
}

static void kick_repeatedly(struct kick *k, pthread_t thread) {
  const struct timespec settled = {.tv_nsec = 300000}; /* several times what entering the guest takes */
  for (unsigned i = 0; i < k->count; ++i) {
    wait_for(&k->entering);
    nanosleep(&settled, NULL);
    k->kicked_at = now_us();
    k->vm->run->immediate_exit = 1;
    pthread_kill(thread, SIGRTMIN + 7);
    wait_for(&k->left);
  }
}

static bool begin_at(const struct vm *v, uint64_t address) {
  struct kvm_regs regs;
  if (ioctl(v->vcpu, KVM_GET_REGS, &regs) != 0) return failed("KVM_GET_REGS");
  regs.rip = address;
  return ioctl(v->vcpu, KVM_SET_REGS, &regs) == 0 || failed("KVM_SET_REGS");
}

static bool sample_kicks(const struct host *h, double *samples, unsigned count) {
  struct sigaction action = {.sa_handler = ignore_kick};
  if (sigaction(SIGRTMIN + 7, &action, NULL) != 0) return failed("sigaction");
  struct vm v;
  struct kick k = {.vm = &v, .samples = samples, .count = count, .good = true};
  sem_init(&k.entering, 0, 0);
  sem_init(&k.left, 0, 0);
  pthread_t thread;
  bool good = vm_open(&v, h, 0) && begin_at(&v, SPIN_AT);
  if (good) {
    errno = pthread_create(&thread, NULL, run_until_kicked, &k);
    good = errno == 0 || failed("pthread_create");
  }
  if (good) {
    kick_repeatedly(&k, thread);
    pthread_join(thread, NULL);
    good = k.good;
  }
  vm_close(&v, h->run_size);
  return good;
}

static double *new_samples(unsigned count) {
  disturbed_samples = 0;
  double *samples = count == 0 ? NULL : calloc(count, sizeof *samples);
  if (!samples) {
    if (count == 0) errno = EINVAL;
    failed("memory for the samples");
  }
  return samples;
}

double glint_floor_round_trip_us(unsigned repetitions) {
  double *samples = new_samples(repetitions);
  if (!samples) return -1;
  struct host h;
  bool good = host_open(&h, 0) && map_memory(&h) && sample_round_trips(&h, samples, repetitions);
  double result = good ? median(samples, repetitions) : -1;
  host_close(&h);
  free(samples);
  return result;
}

double glint_floor_registers_us(unsigned repetitions) {
  double *samples = new_samples(repetitions);
  if (!samples) return -1;
  struct host h;
  bool good = host_open(&h, 0) && map_memory(&h) && sample_registers(&h, samples, repetitions);
  double result = good ? median(samples, repetitions) : -1;
  host_close(&h);
  free(samples);
  return result;
}

double glint_floor_create_us(unsigned repetitions, unsigned pages) {
  if (pages > DATA_BYTES / PAGE_BYTES) {
    errno = EINVAL;
    failed("more pages than the VM has");
    return -1;
  }
  double *samples = new_samples(repetitions);
  if (!samples) return -1;
  struct host h;
  bool good = host_open(&h, pages) && sample_creations(&h, samples, repetitions, pages);
  double result = good ? median(samples, repetitions) : -1;
  host_close(&h);
  free(samples);
  return result;
}

bool glint_floor_parked_us(unsigned repetitions, unsigned pages, struct glint_floor_parked *result) {
  double *creations = new_samples(repetitions), *calls = creations ? new_samples(repetitions) : NULL;
  struct host h;
  bool good = calls && host_open(&h, pages) && map_memory(&h);
  size_t size = repetitions * DATA_BYTES + LARGE_PAGE_BYTES;
  void *homes =
      good ? mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) : MAP_FAILED;
  if (good && homes == MAP_FAILED) good = failed("mmap");
  if (good) {
    uint8_t *aligned = (uint8_t *)homes + (-(uintptr_t)homes & (LARGE_PAGE_BYTES - 1));
    good = sample_parked(&h, aligned, pages, creations, calls, repetitions);
    munmap(homes, size);
  }
  if (good) *result = (struct glint_floor_parked){median(creations, repetitions), median(calls, repetitions)};
  if (calls) host_close(&h);
  free(creations);
  free(calls);
  return good;
}

double glint_floor_kick_us(unsigned repetitions, double *p99) {
  double *samples = new_samples(repetitions);
  if (!samples) return -1;
  struct host h;
  bool good = host_open(&h, 0) && map_memory(&h) && sample_kicks(&h, samples, repetitions);
  double result = good ? median(samples, repetitions) : -1; /* sorts them */
  if (good && p99) *p99 = samples[(repetitions * 99 + 99) / 100 - 1];
  host_close(&h);
  free(samples);
  return result;
}
