/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_GUEST_ABI_H
#define GLINT_GUEST_ABI_H

/*
 * The one contract between the host library and what runs in a guest.
 *
 * Both sides include this header and nothing else of each other. It describes
 *   - where things lie in the guest's address space,
 *   - the transfer area, the memory through which calls travel,
 *   - the function table that guest programs carry in their ELF file.
 *
 * The guest is hostile: the host copies each field of the transfer header once,
 * and checks it before use. Numbers here are part of GLINT_ABI_VERSION; a change
 * that an old guest would not survive bumps it.
 */

#include <stdint.h>

#define GLINT_ABI_VERSION 1u
#define GLINT_ABI_MAGIC 0x544e4c47u /* "GLNT", little endian */

/* ---- guest virtual addresses ------------------------------------------------
 * All below 2^46, and above 2 MiB, so that an ordinary process could map the same
 * image. Everything of ours shares one 512 GiB page-table branch with programs
 * linked at the usual 4 MiB: fewer tables for the hypervisor to shadow.
 */
#define GLINT_GVA_PROGRAM_MIN 0x0000000000200000ull /* lowest address of a program     */
#define GLINT_GVA_PROGRAM_MAX 0x0000004000000000ull /* end of programs, exclusive      */
#define GLINT_GVA_PIE_BASE 0x0000000000400000ull    /* where a static PIE is put       */
#define GLINT_GVA_SYSTEM 0x0000004000000000ull      /* supervisor pages: GDT, IDT, TSS */
#define GLINT_GVA_LIBOS 0x0000004000200000ull       /* the libos; 2 MiB at most        */
#define GLINT_GVA_LIBOS_END 0x0000004000400000ull
#define GLINT_GVA_STACK_AREA 0x0000004000800000ull /* guard page, stack, guard page   */
#define GLINT_GVA_TRANSFER 0x0000004010000000ull   /* the transfer area               */
#define GLINT_GVA_ARENA 0x0000004040000000ull      /* heap and mmap, 2 MiB aligned    */
#define GLINT_GVA_FILES 0x0000005000000000ull      /* read-only files, if any         */
#define GLINT_GVA_END 0x0000008000000000ull        /* nothing of the guest's lies here or above */

/* ---- the way out ------------------------------------------------------------
 * `out %eax, $GLINT_EXIT_PORT` leaves the guest from ring 3. The value of eax means
 * nothing; what the guest wants stands in the transfer header.
 */
#define GLINT_EXIT_PORT 0x80u

/* The host finds the exit of the ring-0 exception stubs by another port, which the
 * I/O bitmap closes for ring 3. */
#define GLINT_FAULT_PORT 0x90u

/* ---- value types ------------------------------------------------------------ */
enum glint_abi_type {
  GLINT_ABI_VOID = 0, /* as a result only */
  GLINT_ABI_BOOL = 1,
  GLINT_ABI_I32 = 2,
  GLINT_ABI_U32 = 3,
  GLINT_ABI_I64 = 4,
  GLINT_ABI_U64 = 5,
  GLINT_ABI_F32 = 6,
  GLINT_ABI_F64 = 7,
  GLINT_ABI_STRING = 8, /* UTF-8, no terminating NUL counted */
  GLINT_ABI_BYTES = 9
};
#define GLINT_ABI_TYPE_COUNT 10u
#define GLINT_ABI_MAX_PARAMS 32u

/* One argument or result. Scalars stand in `bits`, zero-extended from their own
 * width (an i32 as its 32-bit pattern, a float as its IEEE bits, a bool as 0 or 1).
 * Strings and bytes are `length` bytes at offset `bits` of the transfer area. */
struct glint_abi_value {
  uint32_t type; /* enum glint_abi_type */
  uint32_t length;
  uint64_t bits;
};

/* ---- the function table -------------------------------------------------------
 * A program's exports and imports are an array of this struct in its section
 * `glint_functions`. The note GLINT_ABI_NOTE says where the array lies. A function's
 * index is its position in the array, counting every entry.
 */
#define GLINT_ABI_NAME_SIZE 64u
enum glint_abi_function_kind {
  GLINT_ABI_PADDING = 0, /* an entry to be skipped */
  GLINT_ABI_EXPORT = 1,  /* the host may call it   */
  GLINT_ABI_IMPORT = 2   /* the guest may call it  */
};
struct glint_abi_function {
  uint8_t kind;                         /* enum glint_abi_function_kind           */
  uint8_t result;                       /* enum glint_abi_type                    */
  uint8_t param_count;                  /* 0 to GLINT_ABI_MAX_PARAMS              */
  uint8_t reserved[5];                  /* zero                                   */
  uint8_t params[GLINT_ABI_MAX_PARAMS]; /* enum glint_abi_type; zero past param_count */
  char name[GLINT_ABI_NAME_SIZE];       /* NUL-terminated, at least one character     */
  uint64_t thunk; /* the guest's own: address of the code that decodes a call; the host ignores it */
};
#define GLINT_ABI_MAX_FUNCTIONS 4096u

/* An ELF note (in a PT_NOTE segment) of this owner and type, with this descriptor.
 * Both addresses are relative to the descriptor's own first byte, so that the note needs
 * no relocation in a static PIE. */
#define GLINT_ABI_NOTE_OWNER "Glint"
#define GLINT_ABI_NOTE_TYPE 1u
struct glint_abi_note {
  uint32_t abi_version;    /* GLINT_ABI_VERSION                             */
  uint32_t function_size;  /* sizeof(struct glint_abi_function)              */
  int64_t functions_begin; /* from the start of this struct to the array    */
  int64_t functions_end;   /* and to its end, exclusive                     */
};

/* ---- the transfer area ----------------------------------------------------------
 * offset 0                          struct glint_abi_header, one page
 * offset GLINT_TRANSFER_TEXT        text and trace records, GLINT_TRANSFER_TEXT_SIZE bytes
 * offset GLINT_TRANSFER_PAYLOAD     frames: values and their payloads, to header.size
 *
 * A frame is an array of struct glint_abi_value followed by the payloads of its strings and
 * bytes, each aligned to GLINT_TRANSFER_ALIGN. The host puts a call's frame at
 * GLINT_TRANSFER_PAYLOAD and says in `call_end` where it ends. The guest puts what it sends
 * (a host call's arguments, a result) anywhere from call_end on, so that the arguments of the call under
 * way stay valid; it names the place in which the host shall put the answer of a host call in `reply`.
 */
#define GLINT_TRANSFER_TEXT 4096u
#define GLINT_TRANSFER_TEXT_SIZE 12288u
#define GLINT_TRANSFER_PAYLOAD 16384u
#define GLINT_TRANSFER_ALIGN 16u
#define GLINT_TRANSFER_INITIAL 1048576ull /* backed from the start                     */
#define GLINT_TRANSFER_MAX 402653184ull   /* 384 MiB, backed on demand: see GLINT_EXIT_GROW */
#define GLINT_MAX_PAYLOAD 67108864u       /* 64 MiB: the longest string or bytes value */

/* Why the guest left: header.exit_kind. */
enum glint_abi_exit {
  GLINT_EXIT_NONE = 0,      /* the host sets this before it enters the guest              */
  GLINT_EXIT_READY = 1,     /* start-up is done; waits for the first call                 */
  GLINT_EXIT_RESULT = 2,    /* the call ended; `frame` holds one value                    */
  GLINT_EXIT_ERROR = 3,     /* the call ended with an ordinary error: code, frame = text  */
  GLINT_EXIT_HOST_CALL = 4, /* calls import `function` with `count` values at `frame`     */
  GLINT_EXIT_TEXT = 5,      /* the text area is full; nothing else                        */
  GLINT_EXIT_PROGRAM = 6,   /* the program ended with exit status `code`                  */
  GLINT_EXIT_SIGNAL = 7,    /* the program ended itself by signal `code` at `address`     */
  GLINT_EXIT_GROW = 8,      /* wants header.size >= `frame`; the host enlarges, or leaves it */
  GLINT_EXIT_INPUT = 9      /* read(0): up to `count` bytes to be put at `reply`; answers `code` */
};

/* What the host wants of a guest that waits: header.request. */
enum glint_abi_request {
  GLINT_REQUEST_NONE = 0,
  GLINT_REQUEST_CALL = 1 /* call export `function` with `count` values at `frame` */
};

/* How a host call ended: header.host_status. */
enum glint_abi_host_status {
  GLINT_HOST_OK = 0,   /* the result is one value at `reply`                          */
  GLINT_HOST_ERROR = 1 /* host_code holds the code, `reply` one string value, the text */
};

/* Every field is written by one side only, but the guest can write anywhere: the host never reads back
 * what it wrote itself. */
struct glint_abi_header {
  uint32_t magic;   /* host: GLINT_ABI_MAGIC                                             */
  uint32_t version; /* host: GLINT_ABI_VERSION                                           */
  uint64_t size;    /* host: bytes of the transfer area that may be touched now          */

  /* host → guest: a call */
  uint32_t request;  /* enum glint_abi_request                                           */
  uint32_t function; /* index in the function table                                      */
  uint32_t count;    /* number of argument values                                        */
  uint32_t flags;    /* GLINT_FLAG_*                                                     */
  uint64_t frame;    /* offset of the first argument value                               */
  uint64_t call_end; /* offset of the first byte behind the call's frame                 */

  /* host → guest: the answer to a host call, or to GLINT_EXIT_INPUT in host_code */
  uint32_t host_status; /* enum glint_abi_host_status                                    */
  int32_t host_code;

  /* host → guest: time. The guest pairs these with its TSC whenever time_epoch changes,
   * which is at start-up and whenever the guest continues on another VM, or from a snapshot. */
  uint32_t time_epoch;
  uint32_t tsc_khz;
  uint64_t realtime_ns;  /* CLOCK_REALTIME                                               */
  uint64_t monotonic_ns; /* CLOCK_MONOTONIC                                              */

  /* host → guest: at start-up the seed of the generator; whenever time_epoch changes, more for it, or zeros.
   * The libos wipes it. */
  uint8_t seed[48];
  uint64_t boot; /* start-up only: offset of struct glint_abi_boot                        */

  /* guest → host */
  uint32_t exit_kind;      /* enum glint_abi_exit                                         */
  uint32_t exit_function;  /* HOST_CALL: index of the import                              */
  uint32_t exit_count;     /* HOST_CALL: values; INPUT: bytes wanted                      */
  int32_t exit_code;       /* ERROR, PROGRAM, SIGNAL                                      */
  uint64_t exit_frame;     /* offset of the values; GROW: the size wanted                 */
  uint64_t exit_reply;     /* HOST_CALL, INPUT: offset at which the answer may be put     */
  uint64_t exit_address;   /* SIGNAL: the instruction that asked for it                   */
  uint32_t text_size;      /* bytes of records in the text area; the host empties it at each exit */
  uint32_t memory_refused; /* how often the libos refused memory since the last READY or RESULT */
};

/* header.flags */
#define GLINT_FLAG_TRACE 1u /* the libos reports every system call, not just the unknown ones */

/* Records in the text area follow each other, each padded to 8 bytes. */
enum glint_abi_text {
  GLINT_TEXT_STDOUT = 1,
  GLINT_TEXT_STDERR = 2,
  GLINT_TEXT_SYSCALL = 3,        /* payload: struct glint_abi_syscall; with GLINT_FLAG_TRACE */
  GLINT_TEXT_UNKNOWN_SYSCALL = 4 /* the same, for a call that the libos does not serve       */
};
struct glint_abi_text_record {
  uint32_t kind;   /* enum glint_abi_text                  */
  uint32_t length; /* bytes that follow, without padding   */
};
struct glint_abi_syscall {
  uint64_t number;
  uint64_t arguments[6];
  int64_t result;
};

/* What the libos needs to start a program; lies in the payload part at start-up. */
struct glint_abi_boot {
  uint64_t program_entry; /* gva                                                       */
  uint64_t program_base;  /* load bias: 0, or GLINT_GVA_PIE_BASE                       */
  uint64_t program_phdr;  /* gva of the program headers, 0 if they are not loaded      */
  uint32_t program_phnum;
  uint32_t argc;
  uint32_t envc;
  uint32_t file_count;
  uint64_t strings;      /* transfer offset of argc + envc NUL-terminated strings        */
  uint64_t strings_size; /* bytes                                                        */
  uint64_t program_end;  /* gva behind the program's last segment, page aligned          */
  uint64_t stack_bottom; /* gva, lowest usable byte                                      */
  uint64_t stack_top;    /* gva, exclusive                                               */
  uint64_t arena_begin;  /* gva: heap grows up from here, mmap comes down from arena_end */
  uint64_t arena_end;
  uint64_t files; /* gva of struct glint_abi_file[file_count], read-only          */
};

/* A read-only file that the guest sees. `data` and `name` are gvas of read-only memory. */
struct glint_abi_file {
  uint64_t name; /* NUL-terminated absolute path */
  uint64_t name_size;
  uint64_t data;
  uint64_t size;
};

/* ---- libos services for the guest SDK ---------------------------------------------
 * The auxiliary vector entry GLINT_AT_LIBOS holds the address of this table. A program that finds no such
 * entry runs as an ordinary Linux process.
 */
#define GLINT_AT_LIBOS 0x676c6e74u /* "glnt": far from the AT_* numbers of Linux */
struct glint_abi_libos {
  uint32_t version;  /* GLINT_ABI_VERSION */
  uint32_t in_use;   /* SDK: offset behind what it uses of the transfer area; the libos puts input there */
  uint8_t *transfer; /* the transfer area, as the guest sees it */
  /* Leaves the guest with `kind`, the other exit_* fields having been set by the caller; returns when
   * the host has answered. Clears nothing; the caller reads the answer from the header. */
  void (*leave)(uint32_t kind);
  /* Makes at least `size` bytes of the transfer area usable; 0, or -1 when the host refused. */
  int (*grow)(uint64_t size);
};

#ifdef __cplusplus
#define GLINT_ABI_STATIC_ASSERT static_assert
#else
#define GLINT_ABI_STATIC_ASSERT _Static_assert
#endif
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_abi_value) == 16, "layout");
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_abi_function) == 112, "layout");
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_abi_note) == 24, "layout");
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_abi_header) <= 4096, "the header is one page");
GLINT_ABI_STATIC_ASSERT(sizeof(struct glint_abi_boot) % 8 == 0, "layout");
GLINT_ABI_STATIC_ASSERT(GLINT_TRANSFER_TEXT + GLINT_TRANSFER_TEXT_SIZE == GLINT_TRANSFER_PAYLOAD, "layout");

#endif
