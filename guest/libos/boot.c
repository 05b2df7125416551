/* SPDX-License-Identifier: Apache-2.0 */
/* From the first instruction of a guest to the entry point of its program. */
#include <linux/auxvec.h>

#include "libos.h"

struct libos_state libos __attribute__((section(".bss.hot")));

uint64_t boot_place(void);
uint64_t boot_build(uint64_t *stack);

#define AUXILIARY_ENTRIES 18
#define RANDOM_SIZE 16
#define USER_ID 1000

static const struct glint_abi_boot *boot_of_host(void) {
  return (const struct glint_abi_boot *)(TRANSFER + HEADER->boot);
}

/* The initial stack of a Linux process (System V ABI, 3.4.1), from its lowest address up: argc, argv, envp
 * and the auxiliary vector, then what they point to. */
uint64_t boot_place(void) {
  const struct glint_abi_boot *boot = boot_of_host();
  uint64_t pointers = 1 + boot->argc + 1ull + boot->envc + 1ull + 2ull * AUXILIARY_ENTRIES;
  uint64_t size = pointers * 8 + RANDOM_SIZE + boot->strings_size;
  if (HEADER->magic != GLINT_ABI_MAGIC || HEADER->version != GLINT_ABI_VERSION)
    give_up("glint: this libos is of another version than the host\n", 0);
  /* Linux, too, leaves three quarters of the stack to the program. */
  if (size > (boot->stack_top - boot->stack_bottom) / 4)
    give_up("glint: arguments and environment do not fit into a quarter of the stack\n", 0);
  return (boot->stack_top - size) & ~15ull;
}

/* Stores pointers to `count` strings that follow each other, and a null; where the next strings begin. */
static const char *point_to_strings(uint64_t **slot, const char *text, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    *(*slot)++ = (uint64_t)text;
    text += strlen(text) + 1;
  }
  *(*slot)++ = 0;
  return text;
}

static void add_auxiliary(uint64_t **slot, uint64_t type, uint64_t value) {
  *(*slot)++ = type;
  *(*slot)++ = value;
}

/* What static glibc and musl look for. AT_HWCAP is left at 0: CPUID is dear under a software KVM, and libcs
 * ask the processor themselves. */
static void add_auxiliaries(uint64_t *slot, const uint8_t *random) {
  const struct glint_abi_boot *boot = &libos.boot;
  add_auxiliary(&slot, AT_PHDR, boot->program_phdr);
  add_auxiliary(&slot, AT_PHENT, 56);
  add_auxiliary(&slot, AT_PHNUM, boot->program_phdr != 0 ? boot->program_phnum : 0);
  add_auxiliary(&slot, AT_PAGESZ, PAGE_SIZE);
  add_auxiliary(&slot, AT_BASE, 0);
  add_auxiliary(&slot, AT_FLAGS, 0);
  add_auxiliary(&slot, AT_ENTRY, boot->program_entry);
  add_auxiliary(&slot, AT_UID, USER_ID);
  add_auxiliary(&slot, AT_EUID, USER_ID);
  add_auxiliary(&slot, AT_GID, USER_ID);
  add_auxiliary(&slot, AT_EGID, USER_ID);
  add_auxiliary(&slot, AT_SECURE, 0);
  add_auxiliary(&slot, AT_RANDOM, (uint64_t)random);
  add_auxiliary(&slot, AT_HWCAP, 0);
  add_auxiliary(&slot, AT_CLKTCK, 100);
  add_auxiliary(&slot, AT_EXECFN, (uint64_t)libos.program_name);
  add_auxiliary(&slot, GLINT_AT_LIBOS, (uint64_t)&libos_table);
  add_auxiliary(&slot, AT_NULL, 0);
}

/* 32 bytes of the seed are the key of random.c, the rest is AT_RANDOM. Not a byte stays where it was. */
static void take_seed(uint8_t *at_random) {
  uint8_t *seed = (uint8_t *)HEADER->seed;
  memcpy(libos.random_key, seed, sizeof libos.random_key);
  memcpy(at_random, seed + sizeof libos.random_key, RANDOM_SIZE);
  memset(seed, 0, sizeof HEADER->seed);
}

/* Runs on the stack below `stack`, which boot_place() gave. The program's entry point. */
uint64_t boot_build(uint64_t *stack) {
  libos.boot = *boot_of_host();
  const struct glint_abi_boot *boot = &libos.boot;
  uint64_t *slot = stack;
  uint8_t *random = (uint8_t *)(stack + 1 + boot->argc + 1 + boot->envc + 1 + 2 * AUXILIARY_ENTRIES);
  char *strings = (char *)random + RANDOM_SIZE;

  time_pair();
  take_seed(random);
  memory_init(&libos.memory, boot->arena_begin, boot->arena_end);
  memcpy(strings, TRANSFER + boot->strings, boot->strings_size);
  libos.program_name = boot->argc != 0 ? strings : "";
  *slot++ = boot->argc;
  const char *environment = point_to_strings(&slot, strings, boot->argc);
  point_to_strings(&slot, environment, boot->envc);
  add_auxiliaries(slot, random);
  return boot->program_entry;
}
