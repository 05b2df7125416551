/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_GLINT_H
#define GLINT_GLINT_H

/*
 * Glint: runs untrusted functions in micro-VMs. This is all of the C ABI; glint.hpp is the C++ layer over it.
 *
 *   engine    the connection to the hypervisor        (engine.h)
 *   image     a checked guest program                 (image.h)
 *   host      the functions that guests may call      (host.h)
 *   sandbox   one guest, and calls into it            (sandbox.h)
 *   interrupt what ends calls from outside            (interrupt.h)
 *   snapshot  a sandbox as it was at one moment       (snapshot.h)
 *   pool      sandboxes of a snapshot, lent out       (pool.h)
 *   error     what went wrong                         (error.h, status.h)
 *
 * Ownership: what a `create` or `load` gives, the matching `free` takes back, once. Objects below hold
 *   references to those above (sandbox → image → engine), so the order of freeing does not matter. Texts are
 *   views; each says how long it lives. A create or load that fails sets what it would have given to NULL.
 *
 * Threads: each function says which threads may call it, or its header does for all of its functions.
 *   "Any thread" includes several at once, also on one object. "One at a time": any thread, but not two at
 *   once on one object. "Callback only": on the thread of a callback, while it runs. As everywhere, nothing
 *   may use what another thread is freeing.
 *
 * fork: guest memory is not inherited by a child. A child may free the handles it inherited. Calling an
 *   inherited sandbox, or one made of an inherited image, is refused with GLINT_E_UNSUPPORTED: a child
 *   opens its own engine and loads its own images.
 *
 * Errors: a function that can fail returns a glint_status; the last parameter, if given, receives the
 *   details. A NULL where it is not allowed is GLINT_E_INVALID_ARGUMENT, and the message names the argument;
 *   functions that cannot fail then return zero, or an empty text.
 *
 * Structs that begin with `struct_size`: set it to sizeof, or call the `_init` function where there is one;
 *   reserved fields must be zero. A program compiled against an older header works with a newer library;
 *   against a newer one, as long as it leaves the fields at zero that the library does not know.
 */

#include "glint/base.h"
#include "glint/engine.h"
#include "glint/error.h"
#include "glint/host.h"
#include "glint/image.h"
#include "glint/interrupt.h"
#include "glint/pool.h"
#include "glint/sandbox.h"
#include "glint/snapshot.h"
#include "glint/status.h"

#endif
