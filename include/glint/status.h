/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_STATUS_H
#define GLINT_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function of Glint returns: GLINT_OK, or one of the negative codes below. A code never changes its
 * meaning; new ones may be added, so treat an unknown one as an error of its group. */
typedef int32_t glint_status;

#define GLINT_OK 0

/* -1 … -19: the caller asked for something that cannot be */
#define GLINT_E_INVALID_ARGUMENT (-1) /* an argument is out of range, or NULL where it may not be */
#define GLINT_E_BUSY (-2)             /* in use: a sandbox in a call, functions that a sandbox has */
#define GLINT_E_NOT_FOUND (-3)        /* no function, file or item of that name or number */
#define GLINT_E_SIGNATURE (-4)        /* number or types of arguments are not the declared ones    */
#define GLINT_E_TOO_LARGE (-5)        /* a value or a size is over its limit                       */
#define GLINT_E_POISONED (-6)         /* a call faulted or was interrupted: restore or free it */
#define GLINT_E_ENDED (-7)            /* the guest program has ended                               */
#define GLINT_E_MISSING_IMPORT (-8)   /* the image imports what the host does not offer            */
#define GLINT_E_DEPTH (-9)            /* host and guest call each other too deeply                 */
#define GLINT_E_TYPE (-10)            /* a value was read as another type than it has              */
#define GLINT_E_POOL_EMPTY (-11)      /* all sandboxes of the pool are in use; since 1.1           */

/* -20 … -39: this machine */
#define GLINT_E_NO_MEMORY (-20)     /* the host process has no memory left                        */
#define GLINT_E_SYSTEM (-21)        /* a call to the operating system failed                      */
#define GLINT_E_NO_HYPERVISOR (-22) /* /dev/kvm is missing or may not be opened                   */
#define GLINT_E_UNSUPPORTED (-23)   /* the hypervisor or kernel lacks something that is needed    */
#define GLINT_E_HYPERVISOR (-24)    /* a hypervisor call failed, or it gave up running the guest  */

/* -40 … -59: the guest image */
#define GLINT_E_IMAGE_NOT_ELF (-40)
#define GLINT_E_IMAGE_TRUNCATED (-41) /* a header or segment points behind the end of the file */
#define GLINT_E_IMAGE_MACHINE (-42)   /* not for x86-64                                        */
#define GLINT_E_IMAGE_CLASS (-43)     /* 32-bit, or big endian                                 */
#define GLINT_E_IMAGE_DYNAMIC (-44)   /* needs a dynamic linker: link with -static             */
#define GLINT_E_IMAGE_KIND (-45)      /* an object file or core dump, not a program            */
#define GLINT_E_IMAGE_SEGMENTS (-46)  /* overlapping, wrapping or malformed segments           */
#define GLINT_E_IMAGE_RANGE (-47)     /* a segment outside the addresses a guest may use       */
#define GLINT_E_IMAGE_WX (-48)        /* a segment or page both writable and executable        */
#define GLINT_E_IMAGE_ENTRY (-49)     /* the entry point is not in executable memory           */
#define GLINT_E_IMAGE_TOO_LARGE (-50) /* does not fit the memory limit                         */
#define GLINT_E_IMAGE_FUNCTIONS (-51) /* the table of exports and imports is malformed         */
#define GLINT_E_IMAGE_ABI (-52)       /* built for another version of the guest ABI            */

/* -53 … -59: a snapshot's file; since 1.1 */
#define GLINT_E_SNAPSHOT_FORMAT (-53)    /* not a snapshot's file                                */
#define GLINT_E_SNAPSHOT_TRUNCATED (-54) /* shorter than it says it is                           */
#define GLINT_E_SNAPSHOT_CORRUPT (-55)   /* not what was saved: a checksum or a field is wrong   */
#define GLINT_E_SNAPSHOT_VERSION (-56)   /* made by another version of Glint than this one reads */
#define GLINT_E_SNAPSHOT_IMAGE (-57)     /* of another guest program, or of other options for it */
#define GLINT_E_SNAPSHOT_MACHINE (-58)   /* needs a processor or a backend that is not here      */

/* -60 … -79: what the guest did */
#define GLINT_E_GUEST_ERROR (-60)         /* the guest function reported an ordinary error         */
#define GLINT_E_GUEST_FAULT (-61)         /* the guest faulted; see the fault details              */
#define GLINT_E_GUEST_ABORT (-62)         /* the guest ended itself by a signal, such as abort()   */
#define GLINT_E_GUEST_OUT_OF_MEMORY (-63) /* it faulted or aborted after memory was refused to it  */
#define GLINT_E_GUEST_PROTOCOL (-64)      /* the guest sent something that is not valid            */

/* -80 … : the host program's own functions, and Glint itself */
#define GLINT_E_HOST_FUNCTION (-80) /* a host function failed                                      */
#define GLINT_E_INTERRUPTED (-81)   /* the call was ended by an interrupt                          */
#define GLINT_E_DEADLINE (-82)      /* the call was ended because its time was over                */
#define GLINT_E_INTERNAL (-99)      /* a defect of Glint; please report it                         */

#ifdef __cplusplus
}
#endif
#endif
