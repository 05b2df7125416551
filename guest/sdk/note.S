/* SPDX-License-Identifier: Apache-2.0 */
/* The note that leads the host to the table of functions: struct glint_abi_note. Its addresses are
 * differences, which the linker works out, so that a static PIE needs no relocation before it can be read. */
  .section .note.glint, "a", @note
  .balign 4
  .globl glint_sdk_note
  .hidden glint_sdk_note
glint_sdk_note:
  .long 2f - 1f /* size of the owner's name */
  .long 4f - 3f /* size of the descriptor */
  .long 1       /* GLINT_ABI_NOTE_TYPE */
1:
  .asciz "Glint"
2:
  .balign 4
3:
  .long 1   /* GLINT_ABI_VERSION */
  .long 112 /* sizeof(struct glint_abi_function) */
  .quad __start_glint_functions - 3b
  .quad __stop_glint_functions - 3b
4:

/* An entry of kind GLINT_ABI_PADDING, so that the section, and with it __start and __stop, always exists. */
  .section glint_functions, "a", @progbits
  .balign 16
  .zero 112

  .section .note.GNU-stack, "", @progbits
