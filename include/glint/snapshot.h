/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_SNAPSHOT_H
#define GLINT_SNAPSHOT_H

#include "glint/sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A sandbox as it was at one moment: memory and registers. Immutable; independent of the sandbox that it was
 * taken of, and shared by all that are made from it. Holds a reference to the image.
 *
 * A guest that goes on from a snapshot does not repeat what others do: its generator of random bytes gets a
 * new seed, and its clocks go on from now. What the program itself keeps for being unpredictable is as it
 * was, such as a generator of its own that has been seeded, or the canaries of its stack. */
typedef struct glint_snapshot glint_snapshot;

/* Takes a snapshot of a sandbox that waits for calls; one that has not started is started first, for which
 * `options` count, which may be NULL. The sandbox goes on as it is. Costs in proportion to the pages of the
 * guest that are not zero; of one that was made from a snapshot, to those that were written since, as long as
 * they lie together: parts of 4 MiB and more that did not change are shared.
 *
 * Fails as glint_sandbox_run does; with GLINT_E_POISONED and GLINT_E_ENDED when the sandbox is not ready,
 * with GLINT_E_UNSUPPORTED where /proc/self/pagemap cannot be read. One at a time, with the sandbox. */
GLINT_API glint_status glint_snapshot_create(glint_sandbox *sandbox, const glint_call_options *options,
                                             glint_snapshot **snapshot,
                                             glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Gives up the caller's reference; NULL is allowed. Sandboxes made from it hold one, too, and a VM at rest
 * may keep its memory until the VM is used for something else, or the image goes. Any thread. */
GLINT_API void glint_snapshot_free(glint_snapshot *snapshot) GLINT_NOEXCEPT;

typedef struct glint_snapshot_info {
  uint32_t struct_size; /* in: sizeof(glint_snapshot_info) */
  uint32_t reserved;
  uint64_t memory_size; /* bytes of writable memory that the guest has */
  uint64_t stored_size; /* bytes of it that were stored: whole pages that are not zero. Pages of zeros that
                           guests have touched since are added to the shared memory, and not counted */
} glint_snapshot_info;

/* Fills `info`, whose struct_size the caller has set; GLINT_E_INVALID_ARGUMENT when that is no size of it.
 * Any thread. */
GLINT_API glint_status glint_snapshot_get_info(const glint_snapshot *snapshot, glint_snapshot_info *info,
                                               glint_error **error) GLINT_NOEXCEPT;

/* Writes the snapshot to a file, for this program or another one to load: a sandbox can then be made without
 * that its start-up code ever runs again. The file holds what the guest's memory holds, secrets too, so only
 * its owner may read it (mode 0400); it is sparse, and takes stored_size on the disk.
 *
 * It appears under `path` at once and whole, when it is on the disk: until then it has another name in the
 * same directory. A file that is there already is replaced, and stays what it was for whoever has loaded it.
 * GLINT_E_SYSTEM when it cannot be written. Any thread. */
GLINT_API glint_status glint_snapshot_save(const glint_snapshot *snapshot, glint_str path,
                                           glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* The snapshot of a file that glint_snapshot_save wrote, of the same image: loaded from the same program with
 * the same options by the same build of Glint, on the same backend, on a machine whose guests have at least
 * the processor features of the one that it was taken on. It holds a reference to the image, is freed by
 * glint_snapshot_free, and is good for all that a snapshot is good for.
 *
 * The file's memory is mapped, not read into memory; but all of it is checked once, here. Any bytes at all
 * give a snapshot or an error:
 *   GLINT_E_SNAPSHOT_FORMAT     it is no snapshot's file: something else, a directory, empty
 *   GLINT_E_SNAPSHOT_TRUNCATED  it is shorter than it says
 *   GLINT_E_SNAPSHOT_CORRUPT    a checksum is wrong, or a value that cannot be
 *   GLINT_E_SNAPSHOT_VERSION    its format is that of another version of Glint
 *   GLINT_E_SNAPSHOT_IMAGE      it is of another program, other options, another build of Glint: says which
 *   GLINT_E_SNAPSHOT_MACHINE    it is of another backend, or needs processor features that are not here
 *   GLINT_E_SYSTEM              it cannot be opened, read or mapped
 *   GLINT_E_NO_HYPERVISOR       the image's engine runs no guests
 *
 * While a snapshot or a sandbox of it lives, the file must not be written to or shortened in place, which a
 * mapping would show: to replace it, rename another one over it, as glint_snapshot_save does; it may be
 * removed. A file that others than this user and root may write to is copied into memory instead of being
 * mapped. Checksums find damage, not forgery: whoever can make a file can make any guest that a hostile
 * program could have made of itself, which the host withstands. Any thread. */
GLINT_API glint_status glint_snapshot_load(glint_image *image, glint_str path, glint_snapshot **snapshot,
                                           glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Makes a sandbox that goes on where the snapshot was taken: no start-up code runs, and no memory is copied.
 * All else is as for glint_sandbox_create, with the image that the snapshot is of; only that the options may
 * name neither arguments nor environment, which is GLINT_E_INVALID_ARGUMENT: the program has had its own. Any
 * thread. */
GLINT_API glint_status glint_sandbox_create_from(glint_snapshot *snapshot, glint_host_functions *functions,
                                                 const glint_sandbox_options *options,
                                                 glint_sandbox **sandbox,
                                                 glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

/* Makes the sandbox what the snapshot says, whatever became of it, and in whatever way its last call ended:
 * it is ready then, also if it was poisoned or had ended. `snapshot` is one of the same image, or NULL for
 * the one that it was made from, or restored to last, or that GLINT_SANDBOX_RESTORE_EACH_CALL took. Nothing
 * that its calls have written can be found afterwards. A result's view ends.
 *
 * Where it goes back to the same snapshot again and again, only the pages that it ever wrote are copied, in
 * place: the next calls find them there, without a page fault.
 *
 * GLINT_E_INVALID_ARGUMENT when there is no snapshot to go back to, or it is of another image; GLINT_E_BUSY
 * during a call; GLINT_E_UNSUPPORTED in a child of fork. After another failure the sandbox is poisoned, and
 * restoring can be tried again. One at a time. */
GLINT_API glint_status glint_sandbox_restore(glint_sandbox *sandbox, glint_snapshot *snapshot,
                                             glint_error **error) GLINT_NOEXCEPT GLINT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
