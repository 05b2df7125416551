# SPDX-License-Identifier: Apache-2.0
"""Says whether KVM can be used here, before anything of Glint is built."""

import errno
import fcntl
import os

DEVICE = "/dev/kvm"
# From <linux/kvm.h>: both take no structure.
KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
API_VERSION = 12


def problem():
    """None when VMs can be made; otherwise what is wrong and what to do."""
    try:
        device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return (f"{DEVICE} is missing: switch virtualization on in the firmware and load kvm_intel or kvm_amd; "
                "in a container, pass the device in")
    except PermissionError:
        return f"{DEVICE} may not be opened: add the user to its group (usually `usermod -aG kvm USER`), or run as root"
    except OSError as error:
        return f"{DEVICE} cannot be opened: {error.strerror}"
    try:
        version = fcntl.ioctl(device, KVM_GET_API_VERSION, 0)
        if version != API_VERSION:
            return f"{DEVICE} speaks API version {version}, not {API_VERSION}: a newer kernel is needed"
        os.close(fcntl.ioctl(device, KVM_CREATE_VM, 0))
    except OSError as error:
        name = errno.errorcode.get(error.errno, error.errno)
        return f"{DEVICE} is there, but KVM_CREATE_VM fails ({name}): another hypervisor may hold the processor"
    finally:
        os.close(device)
    return None
