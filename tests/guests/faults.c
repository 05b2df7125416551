/* SPDX-License-Identifier: Apache-2.0 */
/* One fault each. What a compiler could see through goes through volatile variables. */
#include <glint_guest.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile uint64_t address_variable;
static void *at(uint64_t address) {
  address_variable = address;
  return (void *)address_variable;
}
static void write_at(uint64_t address) { *(volatile uint8_t *)at(address) = 1; }
static void read_at(uint64_t address) { (void)*(volatile uint8_t *)at(address); }
static void run_at(uint64_t address) { ((void (*)(void))at(address))(); }

/* Not a fault: shows that a sandbox is still good. */
GLINT_EXPORT(int32_t, fine, (void)) { return 42; }

GLINT_EXPORT(void, invalid_opcode, (void)) { __asm__ volatile("ud2"); }
GLINT_EXPORT(void, trap, (void)) { __builtin_trap(); }
GLINT_EXPORT(void, breakpoint, (void)) { __asm__ volatile("int3"); }
GLINT_EXPORT(void, divide_by_zero, (void)) {
  uint32_t low = 1, high = 0, divisor = 0;
  __asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(divisor) : "cc");
}

GLINT_EXPORT(void, null_read, (void)) { read_at(0); }
GLINT_EXPORT(void, null_write, (void)) { write_at(0); }
GLINT_EXPORT(void, null_execute, (void)) { run_at(0); }
GLINT_EXPORT(void, write_code, (void)) { write_at((uint64_t)&write_at); }
GLINT_EXPORT(void, write_constant, (void)) {
  static const char constant[] = "constant";
  write_at((uint64_t)constant);
}
GLINT_EXPORT(void, write_libos, (void)) { write_at(GLINT_GVA_LIBOS); }

static uint8_t code_in_data[16] = {0xc3}; /* ret */
GLINT_EXPORT(void, execute_data, (void)) { run_at((uint64_t)code_in_data); }
GLINT_EXPORT(void, execute_stack, (void)) {
  uint8_t code[16] = {0xc3};
  __asm__ volatile("" : : "r"(code) : "memory");
  run_at((uint64_t)code);
}
GLINT_EXPORT(void, execute_heap, (void)) {
  uint8_t *code = malloc(16);
  if (code == NULL) return;
  code[0] = 0xc3;
  __asm__ volatile("" : : "r"(code) : "memory");
  run_at((uint64_t)code);
}
GLINT_EXPORT(void, execute_transfer, (void)) { run_at(GLINT_GVA_TRANSFER + GLINT_TRANSFER_PAYLOAD); }

GLINT_EXPORT(void, supervisor_read, (void)) { read_at(GLINT_GVA_SYSTEM); }
GLINT_EXPORT(void, supervisor_write, (void)) { write_at(GLINT_GVA_SYSTEM); }
GLINT_EXPORT(void, supervisor_execute, (void)) { run_at(GLINT_GVA_SYSTEM); }
GLINT_EXPORT(void, guard_write, (void)) { write_at(GLINT_GVA_STACK_AREA); }
GLINT_EXPORT(void, unmapped_read, (void)) { read_at(GLINT_GVA_END - 4096); }
GLINT_EXPORT(void, high_half_read, (void)) { read_at(0xffff800000000000u); }
GLINT_EXPORT(void, non_canonical, (void)) { read_at(0x8000000000000000u); }
/* Reads one byte at any address, for a test that walks the address space. */
GLINT_EXPORT(uint32_t, peek, (uint64_t address)) { return *(volatile uint8_t *)at(address); }
GLINT_EXPORT(void, poke, (uint64_t address)) { write_at(address); }

static int recurse(volatile int *above) {
  volatile int frame[64];
  frame[0] = *above + 1;
  if (frame[0] == 0) return 0; /* never; without it the compiler complains */
  return recurse(frame) + frame[0];
}
GLINT_EXPORT(int32_t, stack_overflow, (void)) {
  volatile int start = 0;
  return recurse(&start);
}
/* The stack pointer points nowhere; also the exception's own frame must not need it. */
GLINT_EXPORT(void, lost_stack, (void)) { __asm__ volatile("xorl %%esp, %%esp; pushq %%rax" : : : "memory"); }
GLINT_EXPORT(void, lost_stack_invalid_opcode, (void)) {
  __asm__ volatile("movq $-1, %%rsp; ud2" : : : "memory");
}
/* `syscall` with a stack pointer into the supervisor pages: its entry must not write there. */
GLINT_EXPORT(void, syscall_on_supervisor_stack, (void)) {
  __asm__ volatile("movq %0, %%rsp; movl $39, %%eax; syscall; ud2"
                   :
                   : "r"(GLINT_GVA_SYSTEM + 0x800)
                   : "memory");
}

GLINT_EXPORT(void, halt, (void)) { __asm__ volatile("hlt"); }
GLINT_EXPORT(void, disable_interrupts, (void)) {
  /* With IOPL 3 `cli` is allowed in ring 3, and harmless; then `lgdt` must fault. */
  __asm__ volatile("cli; sti");
  uint64_t descriptor[2] = {0, 0};
  __asm__ volatile("lgdt %0" : : "m"(descriptor));
}
GLINT_EXPORT(void, write_cr3, (void)) { __asm__ volatile("movq %0, %%cr3" : : "r"(0ull)); }
GLINT_EXPORT(void, write_msr, (void)) { __asm__ volatile("wrmsr" : : "c"(0xc0000082), "a"(0), "d"(0)); }
GLINT_EXPORT(void, software_interrupt, (void)) { __asm__ volatile("int $0x80"); }
GLINT_EXPORT(void, out_other_port, (void)) { __asm__ volatile("outb %%al, $0x70" : : "a"(0)); }
GLINT_EXPORT(void, in_other_port, (void)) {
  uint8_t value = 0;
  __asm__ volatile("inb $0x60, %0" : "+a"(value));
}
GLINT_EXPORT(void, in_exit_port, (void)) {
  uint8_t value = 0;
  __asm__ volatile("inb $0x80, %0" : "+a"(value));
}
GLINT_EXPORT(void, out_fault_port, (void)) {
  __asm__ volatile("outl %%eax, %0" : : "i"(GLINT_FAULT_PORT), "a"(0));
}
/* The exit port by another width and by a string instruction. */
GLINT_EXPORT(void, out_exit_port_byte, (void)) { __asm__ volatile("outb %%al, $0x80" : : "a"(0)); }
GLINT_EXPORT(void, out_exit_port_string, (void)) {
  uint8_t bytes[64] = {0};
  const uint8_t *from = bytes;
  uint64_t count = sizeof bytes;
  __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x80) : "memory");
}
GLINT_EXPORT(void, single_step, (void)) {
  __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" : : : "memory", "cc");
}
GLINT_EXPORT(void, simd_exception, (void)) {
  uint32_t control = 0; /* no exception masked */
  float one = 1, zero = 0;
  __asm__ volatile("ldmxcsr %0; divss %2, %1" : : "m"(control), "x"(one), "x"(zero));
}

GLINT_EXPORT(void, call_abort, (void)) { abort(); }
GLINT_EXPORT(void, call_exit, (int32_t status)) { exit(status); }
GLINT_EXPORT(void, call_raise, (int32_t signal)) { raise(signal); }
/* False, or the program ended: an ignored signal goes by. */
GLINT_EXPORT(bool, raise_ignored, (int32_t number)) {
  return signal(number, SIG_IGN) != SIG_ERR && raise(number) == 0;
}
/* On Linux the handler would run; here the signal ends the program. */
GLINT_EXPORT(void, raise_fpe, (void)) { raise(SIGFPE); }

static void *exhaust(size_t piece) {
  void *memory;
  do memory = malloc(piece);
  while (memory != NULL);
  return memory;
}
GLINT_EXPORT(void, oom_null_write, (void)) { *(volatile uint8_t *)exhaust(1 << 20) = 1; }
GLINT_EXPORT(void, oom_abort, (void)) {
  if (exhaust(1 << 20) == NULL) abort();
}
/* Running out of memory is no fault for a program that looks. */
GLINT_EXPORT(bool, oom_handled, (void)) {
  void *memory = malloc(SIZE_MAX / 4);
  free(memory);
  return memory == NULL;
}

GLINT_EXPORT(void, print_then_fault, (void)) {
  printf("on stdout, before the fault\n");
  fprintf(stderr, "on stderr, before the fault\n");
  static const char last[] = "written, without a newline";
  if (write(STDOUT_FILENO, last, sizeof last - 1) < 0) return;
  __asm__ volatile("ud2");
}
GLINT_EXPORT(void, loop_for_ever, (void)) {
  for (;;) __asm__ volatile("pause");
}

/* One frame larger than all that lies unmapped around the stack. */
GLINT_EXPORT(void, large_frame, (void)) {
  char frame[100 << 20];
  frame[0] = 1;
  __asm__ volatile("" : : "r"(frame) : "memory");
}
