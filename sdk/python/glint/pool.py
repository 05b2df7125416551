# SPDX-License-Identifier: Apache-2.0
"""Pools of sandboxes."""

import ctypes
import dataclasses
import math
from collections.abc import Callable, Mapping

from . import _native, _objects, errors, types
from . import _structs as c
from .host import HostFunctions
from .sandbox import Interrupt, Sandbox, Snapshot

_LAZY = 1  # GLINT_POOL_LAZY
_NO_THREAD = 2  # GLINT_POOL_NO_THREAD
_DEDICATED_VMS = 4  # GLINT_POOL_DEDICATED_VMS
_WAIT_NONE = 0
_WAIT_FOREVER = 2**64 - 1


def _fitting(number: int, bits: int, what: str) -> int:
    """ctypes would cut off what does not fit."""
    if not 0 <= number < 2**bits:
        raise ValueError(f"{what} is {number}: it must be 0 to 2^{bits} - 1")
    return number


def _wait_ns(timeout: float | None) -> int:
    if timeout is None or timeout == math.inf:
        return _WAIT_FOREVER
    if not 0 <= timeout < _WAIT_FOREVER / 1e9:
        raise ValueError(f"a timeout of {timeout} s: it must not be less than 0; None is for ever")
    return _WAIT_NONE if timeout == 0 else max(1, int(timeout * 1e9))


@dataclasses.dataclass(frozen=True)
class PoolCounters:
    """Counts of one moment, and since the pool was made; see glint_pool_counters."""
    live: int  # sandboxes that there are
    in_use: int  # acquired, and not given back
    ready: int  # at rest, as the snapshot has them
    returned: int  # given back, and not restored yet
    waiting: int  # threads that wait for one
    idle_memory: int  # bytes that the ready ones have of their own
    # Since the pool was made:
    acquired: int  # sandboxes handed out
    waited: int  # times that none was at rest, and there were as many as there may be
    restored: int  # restorings by the pool's thread, or by who gave the sandbox back
    restored_late: int  # restorings by who acquired the sandbox: the pool's thread was behind
    made: int  # sandboxes made
    replaced: int  # sandboxes dropped because they could not be restored
    dropped: int  # sandboxes dropped for their memory


class Pool(_objects.Owner):
    """Sandboxes of one snapshot, handed out one after the other, each as the snapshot has it, whatever became of it before.
    Used by any number of threads.

    `host`: the functions that the image imports, for all sandboxes; `size`: sandboxes that there are at most, those in use
    included (0: two per processor); `warm`: of them, those that are made beforehand, in VMs as far as the engine keeps any
    (0: as many as that); `lazy`: none is put into a VM before somebody asks for one; `use_thread`: a thread of the pool's
    restores what comes back, else who gives it back; `idle_memory`: bytes of their own that sandboxes at rest may keep
    together, above which those that were used longest ago are dropped (0: no limit); `dedicated_vms`: each of its sandboxes
    has a VM that serves no other; `tenant`: of all its sandboxes."""

    def __init__(self, snapshot: Snapshot, host: HostFunctions | Mapping[str, Callable[..., object]] | None = None, *,
                 size: int = 0, warm: int = 0, lazy: bool = False, use_thread: bool = True, idle_memory: int = 0,
                 dedicated_vms: bool = False, tenant: str = "") -> None:
        functions = host if isinstance(host, HostFunctions) else HostFunctions(host)
        encoded_tenant = tenant.encode()
        flags = (_LAZY if lazy else 0) | (0 if use_thread else _NO_THREAD) | (_DEDICATED_VMS if dedicated_vms else 0)
        options = c.PoolOptions(flags=flags, size=_fitting(size, 32, "size"), warm=_fitting(warm, 32, "warm"),
                                idle_memory=_fitting(idle_memory, 64, "idle_memory"), tenant=types.view(encoded_tenant))
        pointer = ctypes.c_void_p()
        with snapshot._handle as handle, functions._handle as functions_handle:
            errors.invoke("glint_pool_create", handle, functions_handle, options, ctypes.byref(pointer))
        self._own(pointer, _native.library().glint_pool_free, "pool")
        self.image = snapshot.image
        self.size: int = self._read_counters().size  # as it was made

    def acquire(self, timeout: float | None = None, interrupt: Interrupt | None = None, *,
                output: Callable[[int, bytes], object] | None = None, max_depth: int = 0, end_on_host_failure: bool = False,
                restore_each_call: bool = False) -> Sandbox:
        """A sandbox for the caller alone, who gives it back by closing it: `with pool.acquire() as sandbox:`. When all are in
        use, one is waited for; those who wait are served in the order in which they came. `timeout`: seconds to wait at most,
        then it is a PoolEmpty (None: for ever, 0: not at all); `interrupt` can end the waiting, from another thread. The
        others say what the sandbox does until it is given back; see Sandbox."""
        request = c.AcquireOptions(wait_ns=_wait_ns(timeout))

        def make(options: c.SandboxOptions, pointer: ctypes.c_void_p) -> None:
            request.sandbox = ctypes.pointer(options)
            with self._handle as handle:
                if interrupt is None:
                    errors.invoke("glint_pool_acquire", handle, request, ctypes.byref(pointer))
                else:
                    with interrupt._handle as request.interrupt:
                        errors.invoke("glint_pool_acquire", handle, request, ctypes.byref(pointer))

        sandbox = Sandbox.__new__(Sandbox)  # its __init__ would make one
        try:
            sandbox._open(self.image, make, c.SandboxOptions(), output, max_depth, end_on_host_failure, restore_each_call)
        except errors.UsageError as error:
            if error.code == errors.Code.ENDED:  # by close(), while this waited
                raise ValueError("the pool is closed") from None
            raise
        return sandbox

    def trim(self, idle_memory: int = 0) -> None:
        """Drops sandboxes at rest, those that were used longest ago first, until what they have of their own is no more than
        that many bytes."""
        with self._handle as handle:
            _native.library().glint_pool_trim(handle, _fitting(idle_memory, 64, "idle_memory"))

    def close(self) -> None:
        """Ends the pool: for those who wait or ask for a sandbox it is a ValueError. Sandboxes in use can be used on, and go
        when they are closed. Harmless when that was done."""
        try:
            with self._handle as handle:  # the handle alone would wait for those who wait
                _native.library().glint_pool_close(handle)
        except ValueError:
            return  # by another thread
        super().close()

    @property
    def counters(self) -> PoolCounters:
        counters = self._read_counters()
        return PoolCounters(**{field.name: getattr(counters, field.name) for field in dataclasses.fields(PoolCounters)})

    def _read_counters(self) -> c.PoolCounters:
        counters = c.PoolCounters()
        with self._handle as handle:
            errors.invoke("glint_pool_get_counters", handle, counters)
        return counters
