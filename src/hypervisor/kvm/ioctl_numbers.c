/* SPDX-License-Identifier: Apache-2.0 */
#include "hypervisor/kvm/ioctl_numbers.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

const unsigned long glint_kvm_get_supported_cpuid = KVM_GET_SUPPORTED_CPUID;
const unsigned long glint_kvm_set_cpuid2 = KVM_SET_CPUID2;
const unsigned long glint_kvm_set_msrs = KVM_SET_MSRS;
const unsigned long glint_kvm_get_xsave = KVM_GET_XSAVE;
const unsigned long glint_kvm_set_xsave = KVM_SET_XSAVE;
