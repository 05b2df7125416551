# SPDX-License-Identifier: Apache-2.0
"""Glint: runs untrusted functions in micro-VMs.

    with glint.Engine() as engine, engine.load("adder") as image:
        with glint.Sandbox(image, {"progress": show}) as sandbox:
            print(sandbox.call("add", 1, 2))
"""

from . import _native
from ._native import LibraryError, load
from .errors import (Code, DeadlineExceeded, Error, Fault, GuestError, GuestFault, HostFunctionError, ImageError,
                     InternalError, Interrupted, MachineError, PoolEmpty, SnapshotError, UsageError)
from .host import HostCall, HostFailure, HostFunctions
from .pool import Pool, PoolCounters
from .sandbox import Engine, EngineCounters, Image, Interrupt, Sandbox, SandboxCounters, Snapshot, State
from .types import F32, F64, I32, I64, U32, U64, Signature, Type


def version() -> str:
    """The version of the library that is loaded."""
    return _native.library().glint_version_string().text


__all__ = ["Code", "DeadlineExceeded", "Engine", "EngineCounters", "Error", "F32", "F64", "Fault", "GuestError",
           "GuestFault", "HostCall", "HostFailure", "HostFunctionError", "HostFunctions", "I32", "I64", "Image",
           "ImageError", "InternalError", "Interrupt", "Interrupted", "LibraryError", "MachineError", "Pool",
           "PoolCounters", "PoolEmpty", "Sandbox", "SandboxCounters", "Signature", "Snapshot", "SnapshotError", "State",
           "Type", "U32", "U64", "UsageError", "load", "version"]
