# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as exceptions."""

import ctypes
import dataclasses
import enum

from . import _native, _objects
from . import _structs as c


class Code(enum.IntEnum):
    """The codes of glint/status.h. Later versions may add some: an unknown one is an error of its group."""
    INVALID_ARGUMENT = -1
    BUSY = -2
    NOT_FOUND = -3
    SIGNATURE = -4
    TOO_LARGE = -5
    POISONED = -6
    ENDED = -7
    MISSING_IMPORT = -8
    DEPTH = -9
    TYPE = -10
    POOL_EMPTY = -11
    NO_MEMORY = -20
    SYSTEM = -21
    NO_HYPERVISOR = -22
    UNSUPPORTED = -23
    HYPERVISOR = -24
    IMAGE_NOT_ELF = -40
    IMAGE_TRUNCATED = -41
    IMAGE_MACHINE = -42
    IMAGE_CLASS = -43
    IMAGE_DYNAMIC = -44
    IMAGE_KIND = -45
    IMAGE_SEGMENTS = -46
    IMAGE_RANGE = -47
    IMAGE_WX = -48
    IMAGE_ENTRY = -49
    IMAGE_TOO_LARGE = -50
    IMAGE_FUNCTIONS = -51
    IMAGE_ABI = -52
    SNAPSHOT_FORMAT = -53
    SNAPSHOT_TRUNCATED = -54
    SNAPSHOT_CORRUPT = -55
    SNAPSHOT_VERSION = -56
    SNAPSHOT_IMAGE = -57
    SNAPSHOT_MACHINE = -58
    GUEST_ERROR = -60
    GUEST_FAULT = -61
    GUEST_ABORT = -62
    GUEST_OUT_OF_MEMORY = -63
    GUEST_PROTOCOL = -64
    HOST_FUNCTION = -80
    INTERRUPTED = -81
    DEADLINE = -82
    INTERNAL = -99


@dataclasses.dataclass(frozen=True)
class Fault:
    """What a fault in the guest looked like; see glint_fault. Addresses are the guest's."""
    vector: int
    signal: int
    address: int
    instruction: int
    error_code: int
    symbol_offset: int
    name: str
    access: str
    symbol: str


class Error(Exception):
    """What all errors of Glint have. `__cause__` is the exception of a host function, if one failed in the call."""

    def __init__(self, code: int, message: str, guest_code: int = 0, fault: Fault | None = None) -> None:
        super().__init__(message)
        self.code = Code(code) if code in list(Code) else code
        self.message = message
        self.guest_code = guest_code  # GuestError: what the guest function gave
        self.fault = fault  # GuestFault: details, where there are any

    @property
    def name(self) -> str:
        """"GLINT_E_BUSY" and so on."""
        return _native.library().glint_status_name(self.code).text


class UsageError(Error):
    """The caller asked for something that cannot be."""


class MachineError(Error):
    """This machine lacks something, or refused it."""


class ImageError(Error):
    """The program is none that can be a guest."""


class SnapshotError(Error):
    """The file is no snapshot that can be loaded here; `code` says why."""


class PoolEmpty(Error):
    """All sandboxes of the pool were in use, for as long as one was waited for."""


class GuestError(Error):
    """The guest function reported an ordinary error; the sandbox is ready for the next call."""


class GuestFault(Error):
    """The guest faulted, ended itself by a signal, or sent nonsense; its sandbox is poisoned."""


class HostFunctionError(Error):
    """A host function failed, and with it the call."""


class Interrupted(Error):
    """An Interrupt ended the call, or the waiting for a sandbox."""


class DeadlineExceeded(Error):
    """The call's time was over."""


class InternalError(Error):
    """A defect of Glint; please report it."""


_OWN_CLASS: dict[int, type[Error]] = {
    Code.GUEST_ERROR: GuestError, Code.HOST_FUNCTION: HostFunctionError, Code.INTERRUPTED: Interrupted,
    Code.DEADLINE: DeadlineExceeded, Code.INTERNAL: InternalError, Code.POOL_EMPTY: PoolEmpty}
_GROUPS = ((-19, UsageError), (-39, MachineError), (-52, ImageError), (-59, SnapshotError), (-79, GuestFault))


def make(code: int, message: str, guest_code: int = 0, fault: Fault | None = None) -> Error:
    """An error of the class that stands for `code`."""
    group = next((kind for last, kind in _GROUPS if code >= last), Error)
    return _OWN_CLASS.get(code, group)(code, message, guest_code, fault)


def _fault_of(handle: ctypes.c_void_p) -> Fault | None:
    fault = c.Fault()
    if _native.library().glint_error_fault(handle, fault) != 0:
        return None  # GLINT_E_NOT_FOUND: the struct's size was checked when the library was loaded
    values = {field.name: getattr(fault, field.name) for field in dataclasses.fields(Fault)}
    return Fault(**{name: value.text if isinstance(value, c.Str) else value for name, value in values.items()})


def check(status: int, handle: ctypes.c_void_p) -> None:
    """Raises what a function returned and gave, and frees the native error. Where there is no error object, the code is
    all there is."""
    if status == 0:
        return
    native = _native.library()
    try:
        message = native.glint_error_message(handle).text if handle else native.glint_status_name(status).text
        error = make(status, message, native.glint_error_guest_code(handle), _fault_of(handle))
        cause = _objects.get(native.glint_error_host_token(handle))
    finally:
        native.glint_error_free(handle)
    try:
        if cause is not None and not isinstance(cause, Exception):
            raise cause  # KeyboardInterrupt, SystemExit: not for those who handle errors
        raise error from cause
    finally:
        # The exception refers to this frame: with the frame's reference to it, both would wait for the garbage collector, and
        # with them the sandboxes of all frames between.
        del error, cause


def invoke(function: str, *arguments: object) -> None:
    """Calls a native function that takes a `glint_error **` last."""
    error = ctypes.c_void_p()
    check(getattr(_native.library(), function)(*arguments, ctypes.byref(error)), error)
