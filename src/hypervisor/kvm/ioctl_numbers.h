/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* In C++ the kernel's flexible-array macro makes structs such as kvm_cpuid2 four bytes too large, and with
 * them the ioctl numbers, which hold the size. These are taken by a C compiler. */
#ifdef __cplusplus
extern "C" {
#endif
extern const unsigned long glint_kvm_get_supported_cpuid;
extern const unsigned long glint_kvm_set_cpuid2;
extern const unsigned long glint_kvm_set_msrs;
extern const unsigned long glint_kvm_get_xsave;
extern const unsigned long glint_kvm_set_xsave;
#ifdef __cplusplus
}
#endif
