/* SPDX-License-Identifier: Apache-2.0 */
/* How the guest enters the libos: at its start, and by `syscall`. */

  .section .text.entry, "ax", @progbits

/* The first instruction of a guest. Ring 3; rsp = boot.stack_top, all other registers zero.
 * boot_place() says where the program's initial stack will begin, so that boot_build() can run below it. */
  .globl glint_libos_entry
  .type glint_libos_entry, @function
glint_libos_entry:
  xorl %ebp, %ebp
  call boot_place
  movq %rax, %rsp
  movq %rax, %rbx
  movq %rax, %rdi
  call boot_build
  movq %rbx, %rsp
  xorl %ebx, %ebx
  xorl %edx, %edx /* no function for atexit(): System V ABI, 3.4.1 */
  jmp *%rax
  .size glint_libos_entry, . - glint_libos_entry

/* What LSTAR points to. Entered in ring 3 by a software KVM that emulates `syscall` (PVM), in ring 0 by a
 * processor. In ring 0 the stack pointer is the program's, so no instruction there may touch the stack; and
 * a software KVM may emulate each instruction of ring 0, so there are few.
 *
 * On entry rcx = return address, r11 = the program's RFLAGS, as the processor saved them. `sysretq` takes the
 * flags back from r11: they are the ones that ring 3 had, IOPL included. rcx is the address of our own
 * continuation, so the canonical-address hazard of `sysretq` cannot arise. Jumping here from ring 3 gains
 * nothing: it is the path of the software KVM. */
  .globl glint_syscall_entry
  .type glint_syscall_entry, @function
  .balign 16
glint_syscall_entry:
  movq %rcx, syscall_return(%rip)
  movl %cs, %ecx
  testb $3, %cl
  jnz 1f
  leaq 1f(%rip), %rcx
  sysretq

/* Ring 3 from here on. Linux keeps all registers but rax, rcx and r11; C keeps rbx, rbp, r12 to r15; vector
 * registers are not touched by code that is compiled with -mgeneral-regs-only. */
1:
  leaq -128(%rsp), %rsp /* the red zone belongs to the program */
  pushq syscall_return(%rip)
  pushq %r11
  cld
  pushq %rax
  pushq %r9
  pushq %r8
  pushq %r10
  pushq %rdx
  pushq %rsi
  pushq %rdi
  movq %rsp, %rdi /* struct syscall * */
  pushq %rbp
  movq %rsp, %rbp
  andq $-16, %rsp
  call syscall_dispatch
  movq %rbp, %rsp
  popq %rbp
  popq %rdi
  popq %rsi
  popq %rdx
  popq %r10
  popq %r8
  popq %r9
  leaq 8(%rsp), %rsp /* rax holds the result */
  movq (%rsp), %r11
  popfq /* Linux returns with the flags that it was entered with */
  popq %rcx
  leaq 128(%rsp), %rsp
  jmp *%rcx
  .size glint_syscall_entry, . - glint_syscall_entry

/* Where rcx stands until it can be pushed. One vCPU and no interrupts in ring 3: nothing comes between. */
  .section .data.hot, "aw", @progbits
  .balign 8
syscall_return:
  .quad 0

  .section .note.GNU-stack, "", @progbits
