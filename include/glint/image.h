/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_IMAGE_H
#define GLINT_IMAGE_H

#include "glint/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A guest program, checked and laid out for loading: a static x86-64 Linux ELF file. Immutable; shared by any
 * number of sandboxes, which hold a reference to it: it may be freed first.
 *
 * All functions here: any thread. */
typedef struct glint_image glint_image;

/* A file that the guest may read under an absolute path. */
typedef struct glint_file {
  glint_str path; /* absolute, as the guest opens it: "/data/rules.txt" */
  const void *data;
  uint64_t size;
  uint64_t reserved; /* zero */
} glint_file;

#define GLINT_MIN_MEMORY 1048576ull      /* 1 MiB */
#define GLINT_MAX_MEMORY 17179869184ull  /* 16 GiB */
#define GLINT_DEFAULT_MEMORY 67108864ull /* 64 MiB */
#define GLINT_DEFAULT_STACK 1048576ull   /* 1 MiB */

/* Since 1.1. The heap of sandboxes may be backed by the host's pages of 2 MiB, where the snapshot that they
 * come from holds nothing. For guests that fill megabytes of fresh memory: ten times as fast. Each piece of 2
 * MiB of which a guest touches a byte takes 2 MiB and is restored whole, and such a sandbox takes longer to
 * attach. Where the kernel has no such pages (/sys/kernel/mm/transparent_hugepage/enabled), small ones do. */
#define GLINT_IMAGE_LARGE_PAGES 1u

typedef struct glint_image_options {
  uint32_t struct_size;    /* sizeof(glint_image_options) */
  uint32_t flags;          /* GLINT_IMAGE_*; before 1.1, reserved and zero */
  uint64_t memory_size;    /* bytes of writable memory a sandbox may use: data, stack, heap.
                              0: GLINT_DEFAULT_MEMORY. Rounded up to 2 MiB. Reserved, not committed. */
  uint64_t stack_size;     /* bytes of it for the stack. 0: GLINT_DEFAULT_STACK. Rounded up to 4 KiB. */
  const glint_file *files; /* read-only files; copied, shared by all sandboxes of the image */
  uint64_t file_count;
} glint_image_options;

/* Sets `options` to the defaults. `size` is sizeof(glint_image_options) as the caller knows it. */
GLINT_API void glint_image_options_init(glint_image_options *options, uint32_t size) GLINT_NOEXCEPT;

/* Loads a program from a file. `options` may be NULL. A file that cannot be read is GLINT_E_SYSTEM; the
 * GLINT_E_IMAGE_* codes say what is wrong with a program. */
GLINT_API glint_status glint_image_load_file(glint_engine *engine, glint_str path,
                                             const glint_image_options *options, glint_image **image,
                                             glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* The same from bytes, which need to live only until this returns. The GLINT_E_IMAGE_* codes say what is
 * wrong with a program. */
GLINT_API glint_status glint_image_load_bytes(glint_engine *engine, const void *data, uint64_t size,
                                              const glint_image_options *options, glint_image **image,
                                              glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Gives up the caller's reference; NULL is allowed. */
GLINT_API void glint_image_free(glint_image *image) GLINT_NOEXCEPT;

#define GLINT_EXPORTED 1u /* the host may call it  */
#define GLINT_IMPORTED 2u /* the guest calls it    */

typedef struct glint_function_info {
  uint32_t struct_size; /* in: sizeof(glint_function_info) */
  uint32_t kind;        /* GLINT_EXPORTED or GLINT_IMPORTED */
  uint32_t function;    /* the number that glint_call takes */
  uint32_t result;      /* GLINT_VOID … GLINT_BYTES */
  uint32_t param_count;
  uint32_t reserved;
  const uint32_t *params; /* param_count types */
  glint_str name;
} glint_function_info;

/* How many functions the program declares, exports and imports together. */
GLINT_API uint32_t glint_image_function_count(const glint_image *image) GLINT_NOEXCEPT;

/* Fills `info`, whose struct_size the caller has set, with one of them, in the program's order; `index`
 * counts from 0 and is not what glint_call takes. Its texts and types live as long as `image`.
 * GLINT_E_NOT_FOUND when there is none of that number, GLINT_E_INVALID_ARGUMENT when struct_size is no size
 * of it. */
GLINT_API glint_status glint_image_get_function(const glint_image *image, uint32_t index,
                                                glint_function_info *info,
                                                glint_error **error) GLINT_NOEXCEPT;

/* The number of the export called `name`, for glint_call. GLINT_E_NOT_FOUND lists what there is. */
GLINT_API glint_status glint_image_find_export(const glint_image *image, glint_str name, uint32_t *function,
                                               glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

typedef struct glint_segment_info {
  uint32_t struct_size; /* in: sizeof(glint_segment_info) */
  uint32_t writable;    /* 0 or 1 */
  uint32_t executable;  /* 0 or 1 */
  uint32_t reserved;
  uint64_t address; /* in the guest */
  uint64_t size;    /* bytes, whole pages */
  glint_str what;   /* "program", "libos", "stack", "heap", "transfer", "system", "files" */
} glint_segment_info;

typedef struct glint_image_info {
  uint32_t struct_size; /* in: sizeof(glint_image_info) */
  uint32_t pie;         /* 1 for a static PIE */
  uint64_t entry;       /* guest address */
  uint64_t memory_size; /* bytes, as rounded */
  uint64_t stack_size;  /* bytes, as rounded */
  uint64_t heap_size;   /* bytes left for heap and mmap */
  uint32_t segment_count;
  uint32_t symbol_count; /* function symbols known for fault reports */
} glint_image_info;

/* Fills `info`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of it. */
GLINT_API glint_status glint_image_get_info(const glint_image *image, glint_image_info *info,
                                            glint_error **error) GLINT_NOEXCEPT;

/* Fills `info`, whose struct_size the caller has set, with a range of the guest's addresses, in ascending
 * order. Nothing lies between them. Its text lives for ever. GLINT_E_NOT_FOUND when there is none of that
 * number, GLINT_E_INVALID_ARGUMENT when struct_size is no size of it. */
GLINT_API glint_status glint_image_get_segment(const glint_image *image, uint32_t index,
                                               glint_segment_info *info, glint_error **error) GLINT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
