# SPDX-License-Identifier: Apache-2.0
"""Engines, images, sandboxes and interrupts."""

import ctypes
import dataclasses
import enum
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from . import _native, _objects, errors, types
from . import _structs as c
from .host import HostFunctions

_BACKENDS = {"default": 0, "kvm": 1, "none": 2, "fake": 3}
_NO_DEADLINE = 2**64 - 1
_EXPORTED = 1
_END_ON_HOST_FAILURE = 2
_RESTORE_EACH_CALL = 4  # GLINT_SANDBOX_RESTORE_EACH_CALL
_LARGE_PAGES = 1  # GLINT_IMAGE_LARGE_PAGES
_DEDICATED_VM = 8  # GLINT_SANDBOX_DEDICATED_VM


class State(enum.IntEnum):
    NEW = 0
    READY = 1
    RUNNING = 2
    POISONED = 3
    ENDED = 4


@dataclasses.dataclass(frozen=True)
class EngineCounters:
    """Counts of one moment, and since the engine was made; see glint_engine_counters. Each is exact; together they may
    be of slightly different moments while other threads work."""
    vms_live: int  # VMs that there are
    sandboxes_live: int  # sandboxes that there are
    # Since the engine was made:
    vms_created: int  # VMs made
    sandboxes_created: int  # sandboxes made
    attaches: int  # times that a sandbox was put into a VM
    parks: int  # times that a sandbox was taken out of a VM to make room


@dataclasses.dataclass(frozen=True)
class SandboxCounters:
    """Counts since the sandbox was made; see glint_sandbox_counters. Those of a pool's go on from use to use."""
    calls: int  # guest calls begun
    host_calls: int  # host functions called by the guest
    exits: int  # returns of the virtual processor to the host process
    ioctls: int  # hypervisor calls, those that ran the virtual processor included
    attaches: int  # times that it was put into a VM
    unknown_syscalls: int  # system calls that the libos does not serve
    output_bytes: int  # bytes that the guest printed
    restores: int  # times that it was put back to a snapshot
    restored_pages: int  # pages of 4 KiB that were copied for that


def _nanoseconds(deadline: float | None) -> int:
    """None is the default, math.inf is none at all."""
    if deadline is None:
        return 0
    if deadline == math.inf:
        return _NO_DEADLINE
    if not 0 < deadline < _NO_DEADLINE / 1e9:
        raise ValueError(f"a deadline of {deadline} s: it must be more than 0; math.inf is none at all")
    return max(1, int(deadline * 1e9))


class Engine(_objects.Owner):
    """The connection to the hypervisor. `backend`: "kvm", "none" to look at images only, "fake" for tests without KVM;
    `deadline`: seconds that a call may take when it is not told otherwise (None: 5 s, math.inf: any time);
    `max_shells`, `max_vms`: VMs kept for each image (0: two per processor), and over all images (0: as many as one image
    may keep, and 32 at least), while no call needs more."""

    def __init__(self, backend: str = "default", deadline: float | None = None, max_shells: int = 0,
                 max_vms: int = 0) -> None:
        if backend not in _BACKENDS:
            raise ValueError(f"there is no backend {backend!r}; there are {', '.join(_BACKENDS)}")
        options = c.EngineOptions(backend=_BACKENDS[backend], max_shells=max_shells, max_vms=max_vms,
                                  deadline_ns=_nanoseconds(deadline))
        pointer = ctypes.c_void_p()
        errors.invoke("glint_engine_create", options, ctypes.byref(pointer))
        self._own(pointer, _native.library().glint_engine_free, "engine")

    @property
    def backend(self) -> str:
        with self._handle as handle:
            return _native.library().glint_engine_backend(handle).text

    @property
    def counters(self) -> EngineCounters:
        counters = c.EngineCounters()
        with self._handle as handle:
            errors.invoke("glint_engine_get_counters", handle, counters)
        names = [field.name for field in dataclasses.fields(EngineCounters)]
        return EngineCounters(**{name: getattr(counters, name) for name in names})

    def load(self, program: str | os.PathLike[str] | bytes, memory_size: int = 0, stack_size: int = 0,
             files: Mapping[str, bytes] | None = None, large_pages: bool = False) -> "Image":
        """Loads a guest program from a path, or from its bytes; see Image."""
        return Image(self, program, memory_size, stack_size, files, large_pages)


class Image(_objects.Owner):
    """A guest program, checked and laid out for loading; any number of sandboxes may be made of it. `memory_size` and
    `stack_size` are bytes, 0 for the defaults (64 MiB, 1 MiB); `files` is what the guest may read, by absolute path;
    `large_pages` backs the heap by pages of 2 MiB, for guests that fill megabytes of fresh memory."""

    def __init__(self, engine: Engine, program: str | os.PathLike[str] | bytes, memory_size: int = 0, stack_size: int = 0,
                 files: Mapping[str, bytes] | None = None, large_pages: bool = False) -> None:
        kept = [(path.encode(), data) for path, data in (files or {}).items()]
        array = (c.File * len(kept))(*(c.File(types.view(path), types.view(data).data, len(data)) for path, data in kept))
        options = c.ImageOptions(flags=_LARGE_PAGES if large_pages else 0, memory_size=memory_size, stack_size=stack_size,
                                 files=array, file_count=len(kept))
        pointer = ctypes.c_void_p()
        with engine._handle as handle:
            if isinstance(program, bytes):
                source = types.view(program)
                errors.invoke("glint_image_load_bytes", handle, source.data, source.size, options, ctypes.byref(pointer))
            else:
                path = os.fsencode(program)
                errors.invoke("glint_image_load_file", handle, types.view(path), options, ctypes.byref(pointer))
        self._own(pointer, _native.library().glint_image_free, "image")
        self.exports: dict[str, types.Signature] = {}  # what the host may call
        self.imports: dict[str, types.Signature] = {}  # what it must offer
        self._numbers: dict[str, int] = {}
        self._read_functions()

    def _read_functions(self) -> None:
        with self._handle as handle:
            for index in range(_native.library().glint_image_function_count(handle)):
                info = c.FunctionInfo()
                errors.invoke("glint_image_get_function", handle, index, info)
                signature = types.Signature(tuple(map(types.Type, info.params[:info.param_count])), types.Type(info.result))
                if info.kind == _EXPORTED:
                    self._numbers[info.name.text] = info.function
                    self.exports[info.name.text] = signature
                else:
                    self.imports[info.name.text] = signature

    def _find(self, name: str) -> tuple[int, types.Signature]:
        if name not in self._numbers:
            with self._handle as handle:  # the library's error lists what there is
                errors.invoke("glint_image_find_export", handle, types.view(name.encode()), ctypes.c_uint32())
        return self._numbers[name], self.exports[name]


class Interrupt(_objects.Owner):
    """Ends the calls that it is given to, from any thread. Once raised it stays raised: make a new one for other calls."""

    def __init__(self) -> None:
        pointer = ctypes.c_void_p()
        errors.invoke("glint_interrupt_create", ctypes.byref(pointer))
        self._own(pointer, _native.library().glint_interrupt_free, "interrupt")

    def raise_(self) -> int:
        """Ends the calls that have it, now and from now on; returns how many running ones were told."""
        with self._handle as handle:
            return _native.library().glint_interrupt_raise(handle)

    @property
    def raised(self) -> bool:
        with self._handle as handle:
            return _native.library().glint_interrupt_raised(handle) != 0


class Snapshot(_objects.Owner):
    """A sandbox as it was at one moment, made by Sandbox.snapshot(), or by Snapshot.load(); others go on from it:
    Sandbox(snapshot, …). Immutable; may be used from any thread. `memory_size`: bytes of writable memory that the guest has;
    `stored_size`: bytes of it that are stored, pages that are not zero."""

    def __init__(self, image: Image, pointer: ctypes.c_void_p) -> None:
        self._own(pointer, _native.library().glint_snapshot_free, "snapshot")
        self.image = image
        info = c.SnapshotInfo()
        with self._handle as handle:
            errors.invoke("glint_snapshot_get_info", handle, info)
        self.memory_size: int = info.memory_size
        self.stored_size: int = info.stored_size

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file, which appears under `path` at once and whole, in place of one that is there. The file holds
        what the guest's memory holds, secrets too: only its owner may read it."""
        encoded = os.fsencode(path)
        with self._handle as handle:
            errors.invoke("glint_snapshot_save", handle, types.view(encoded))

    @classmethod
    def load(cls, image: Image, path: str | os.PathLike[str]) -> Self:
        """That of a file which save() wrote, for an image that is loaded as the one was that it was taken of. What does not
        fit is a SnapshotError. The memory is mapped: as long as this or a sandbox of it lives, the file must not be written
        to in place, only be replaced or removed."""
        encoded, pointer = os.fsencode(path), ctypes.c_void_p()
        with image._handle as handle:
            errors.invoke("glint_snapshot_load", handle, types.view(encoded), ctypes.byref(pointer))
        return cls(image, pointer)


class _Printer:
    """What the native side holds of an output function. An exception of it is raised by the call in which it happened."""

    def __init__(self, function: Callable[[int, bytes], object]) -> None:
        self.function = function
        self.error: BaseException | None = None


# As long as the module, like those of host.py.
@c.Output
def _print(number: int, stream: int, data: int, size: int) -> None:
    printer = _objects.get(number)
    if printer.error is not None:
        return
    try:
        printer.function(stream, ctypes.string_at(data, size))
    except BaseException as error:  # nothing may leave through native frames
        printer.error = error


class Sandbox(_objects.Owner):
    """One guest: its memory and its processor state. Used by one thread at a time; a second one is refused with Code.BUSY.

    Made of an image, or of a snapshot: then it goes on from there, and can have no arguments and no environment, since the
    program had its own. `host`: the functions that the image imports; `output`: receives (1 or 2, bytes) of what the guest
    prints; `arguments`: argv; `environment`: its variables; `tenant`: sandboxes of different tenants never share a VM;
    `end_on_host_failure`: a failed host function ends the call and poisons the sandbox, instead of being an error value for
    the guest; `restore_each_call`: each call begins with the snapshot, or with the state after the start;
    `dedicated_vm`: it has a VM of its own, which never serves another sandbox."""

    def __init__(self, image: Image | Snapshot, host: HostFunctions | Mapping[str, Callable[..., object]] | None = None, *,
                 output: Callable[[int, bytes], object] | None = None, arguments: Sequence[str] = (),
                 environment: Mapping[str, str] | None = None, tenant: str = "", max_depth: int = 0,
                 end_on_host_failure: bool = False, restore_each_call: bool = False, dedicated_vm: bool = False) -> None:
        functions = host if isinstance(host, HostFunctions) else HostFunctions(host)
        create = "glint_sandbox_create_from" if isinstance(image, Snapshot) else "glint_sandbox_create"
        texts = [text.encode() for text in arguments]
        variables = [f"{name}={value}".encode() for name, value in (environment or {}).items()]
        encoded_tenant = tenant.encode()
        options = c.SandboxOptions(arguments=(c.Str * len(texts))(*map(types.view, texts)), argument_count=len(texts),
                                   environment=(c.Str * len(variables))(*map(types.view, variables)),
                                   environment_count=len(variables), tenant=types.view(encoded_tenant),
                                   flags=_DEDICATED_VM if dedicated_vm else 0)

        def make(options: c.SandboxOptions, pointer: ctypes.c_void_p) -> None:
            with image._handle as handle, functions._handle as functions_handle:
                errors.invoke(create, handle, functions_handle, options, ctypes.byref(pointer))

        self._open(image.image if isinstance(image, Snapshot) else image, make, options, output, max_depth,
                   end_on_host_failure, restore_each_call)

    def _open(self, image: Image, make: Callable[[c.SandboxOptions, ctypes.c_void_p], None], options: c.SandboxOptions,
              output: Callable[[int, bytes], object] | None, max_depth: int, end_on_host_failure: bool,
              restore_each_call: bool) -> None:
        """Sets in `options` what any sandbox may be told, and owns the native one that `make` gives for them."""
        options.flags |= (_END_ON_HOST_FAILURE if end_on_host_failure else 0) | (_RESTORE_EACH_CALL if restore_each_call else 0)
        options.max_depth = max_depth
        self.image = image
        self._busy = threading.Lock()
        self._caller: int | None = None  # the thread that has _busy
        self._printer = _Printer(output) if output else None
        if self._printer:
            options.output, options.output_user_data = _print, _objects.keep(self._printer)
        number = options.output_user_data
        native = _native.library()

        def free(pointer: int | None) -> None:
            native.glint_sandbox_free(pointer)
            if number:  # no destroy was given: the sandbox was its only user
                _objects.destroy(number)

        pointer = ctypes.c_void_p()
        try:
            make(options, pointer)
        except BaseException:
            free(None)
            raise
        self._own(pointer, free, "sandbox")

    @property
    def state(self) -> State:
        with self._handle as handle:
            return State(_native.library().glint_sandbox_state(handle))

    @property
    def counters(self) -> SandboxCounters:
        """During a call only its callbacks may ask, and what the call has added so far may be missing; another thread
        is refused with Code.BUSY."""
        counters = c.SandboxCounters()

        def read(handle: int, options: c.CallOptions | None = None) -> None:
            errors.invoke("glint_sandbox_get_counters", handle, counters)

        if self._caller == threading.get_ident():
            with self._handle as handle:
                read(handle)
        else:  # the library reads them without looking whether another thread is in a call
            self._guarded(read, None, None)
        names = [field.name for field in dataclasses.fields(SandboxCounters)]
        return SandboxCounters(**{name: getattr(counters, name) for name in names})

    def call(self, name: str, *arguments: object, deadline: float | None = None,
             interrupt: Interrupt | None = None) -> Any:
        """Calls a guest function. Arguments and result are what it declares: bool, int, float, str, bytes, or None.
        `deadline`: seconds the call may take (None: what the engine says, math.inf: any time); `interrupt` can end it."""
        number, signature = self.image._find(name)
        if len(arguments) != len(signature.params):
            raise TypeError(f"{name}{signature} takes {len(signature.params)} arguments, not {len(arguments)}")
        kept: list[bytes] = []
        values = types.to_native_array(signature.params, arguments, kept)
        result = c.Value()

        def run(handle: int, options: c.CallOptions) -> Any:
            errors.invoke("glint_call", handle, number, values, len(values), options, result)
            copy = types.to_python(result)
            _native.library().glint_result_release(handle)
            return copy

        return self._guarded(run, deadline, interrupt)

    def run(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> int | None:
        """Runs the program until it ends, and returns its exit status, or until it waits for calls: None."""
        exit_code = ctypes.c_int32()

        def run(handle: int, options: c.CallOptions) -> int | None:
            errors.invoke("glint_sandbox_run", handle, options, exit_code)
            return exit_code.value if self.state == State.ENDED else None

        return self._guarded(run, deadline, interrupt)

    def snapshot(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> Snapshot:
        """The sandbox as it is now; starts the program first when that is due. It must wait for calls."""
        pointer = ctypes.c_void_p()

        def run(handle: int, options: c.CallOptions) -> Snapshot:
            errors.invoke("glint_snapshot_create", handle, options, ctypes.byref(pointer))
            return Snapshot(self.image, pointer)

        return self._guarded(run, deadline, interrupt)

    def restore(self, snapshot: Snapshot | None = None) -> None:
        """Makes it what the snapshot says, whatever became of it, also when it is poisoned or has ended. None: the snapshot
        that it was made of, or restored to last."""

        def run(handle: int, options: c.CallOptions) -> None:
            if snapshot is None:
                errors.invoke("glint_sandbox_restore", handle, None)
            else:
                with snapshot._handle as to:
                    errors.invoke("glint_sandbox_restore", handle, to)

        self._guarded(run, None, None)

    def _guarded(self, run: Callable[[int, c.CallOptions], Any], deadline: float | None,
                 interrupt: Interrupt | None) -> Any:
        options = c.CallOptions(deadline_ns=_nanoseconds(deadline))
        # The library refuses a second call, too, but not while the first one's result is copied.
        if not self._busy.acquire(blocking=False):
            raise errors.make(errors.Code.BUSY, "the sandbox is in a call already: one call at a time, and a host function "
                              "may not enter the sandbox that called it")
        try:
            self._caller = threading.get_ident()
            with self._handle as handle:
                if interrupt is None:
                    result = run(handle, options)
                else:
                    with interrupt._handle as options.interrupt:
                        result = run(handle, options)
        finally:
            self._caller = None
            self._busy.release()
            self._raise_output_error()
        return result

    def _raise_output_error(self) -> None:
        if self._printer and self._printer.error:
            try:
                raise self._printer.error
            finally:
                self._printer.error = None
