# SPDX-License-Identifier: Apache-2.0
"""Finds and loads the library, and checks that it is one that this package was made for."""

import ctypes
import os
import pathlib
import threading
from ctypes import POINTER, c_int32, c_uint8, c_uint32, c_uint64, c_void_p

from . import _structs as c

ABI_MAJOR, ABI_MINOR = 1, 1  # of the headers that _structs.py and PROTOTYPES were written from
VARIABLE = "GLINT_LIBRARY"
SONAME = f"libglint.so.{ABI_MAJOR}"
_OUT = POINTER(c_void_p)  # a handle, or an error, that the library gives

# (result, parameters) of the functions that are used here; tests/prototypes_test.py compares them with the ABI's description.
PROTOTYPES = {
    "glint_version_string": (c.Str, []),
    "glint_abi_version": (c_uint32, []),
    "glint_struct_size": (c_uint32, [c_uint32]),
    "glint_get_live_objects": (c_int32, [POINTER(c.LiveObjects)]),
    "glint_status_name": (c.Str, [c_int32]),
    "glint_error_free": (None, [c_void_p]),
    "glint_error_code": (c_int32, [c_void_p]),
    "glint_error_message": (c.Str, [c_void_p]),
    "glint_error_guest_code": (c_int32, [c_void_p]),
    "glint_error_fault": (c_int32, [c_void_p, POINTER(c.Fault)]),
    "glint_error_host_token": (c_void_p, [c_void_p]),
    "glint_engine_options_init": (None, [POINTER(c.EngineOptions), c_uint32]),
    "glint_engine_create": (c_int32, [POINTER(c.EngineOptions), _OUT, _OUT]),
    "glint_engine_free": (None, [c_void_p]),
    "glint_engine_backend": (c.Str, [c_void_p]),
    "glint_engine_get_counters": (c_int32, [c_void_p, POINTER(c.EngineCounters), _OUT]),
    "glint_image_load_bytes": (c_int32, [c_void_p, c_void_p, c_uint64, POINTER(c.ImageOptions), _OUT, _OUT]),
    "glint_image_load_file": (c_int32, [c_void_p, c.Str, POINTER(c.ImageOptions), _OUT, _OUT]),
    "glint_image_free": (None, [c_void_p]),
    "glint_image_function_count": (c_uint32, [c_void_p]),
    "glint_image_get_function": (c_int32, [c_void_p, c_uint32, POINTER(c.FunctionInfo), _OUT]),
    "glint_image_find_export": (c_int32, [c_void_p, c.Str, POINTER(c_uint32), _OUT]),
    "glint_host_functions_create": (c_int32, [_OUT, _OUT]),
    "glint_host_functions_free": (None, [c_void_p]),
    "glint_host_functions_add": (c_int32, [c_void_p, c.Str, c_uint32, POINTER(c_uint32), c_uint32, c.HostFunction, c_void_p,
                                           c.Destroy, _OUT]),
    "glint_host_call_arguments": (POINTER(c.Value), [c_void_p, POINTER(c_uint32)]),
    "glint_host_call_return": (c_int32, [c_void_p, POINTER(c.Value), _OUT]),
    "glint_host_call_fail": (None, [c_void_p, c.Str]),
    "glint_host_call_fail_with": (None, [c_void_p, c_void_p, c.Destroy]),
    "glint_host_call_state": (c_int32, [c_void_p]),
    "glint_sandbox_create": (c_int32, [c_void_p, c_void_p, POINTER(c.SandboxOptions), _OUT, _OUT]),
    "glint_sandbox_create_from": (c_int32, [c_void_p, c_void_p, POINTER(c.SandboxOptions), _OUT, _OUT]),
    "glint_sandbox_restore": (c_int32, [c_void_p, c_void_p, _OUT]),
    "glint_sandbox_free": (None, [c_void_p]),
    "glint_sandbox_state": (c_uint32, [c_void_p]),
    "glint_sandbox_get_counters": (c_int32, [c_void_p, POINTER(c.SandboxCounters), _OUT]),
    "glint_sandbox_run": (c_int32, [c_void_p, POINTER(c.CallOptions), POINTER(c_int32), _OUT]),
    "glint_call": (c_int32, [c_void_p, c_uint32, POINTER(c.Value), c_uint32, POINTER(c.CallOptions), POINTER(c.Value), _OUT]),
    "glint_result_release": (None, [c_void_p]),
    "glint_snapshot_create": (c_int32, [c_void_p, POINTER(c.CallOptions), _OUT, _OUT]),
    "glint_snapshot_free": (None, [c_void_p]),
    "glint_snapshot_get_info": (c_int32, [c_void_p, POINTER(c.SnapshotInfo), _OUT]),
    "glint_snapshot_save": (c_int32, [c_void_p, c.Str, _OUT]),
    "glint_snapshot_load": (c_int32, [c_void_p, c.Str, _OUT, _OUT]),
    "glint_pool_create": (c_int32, [c_void_p, c_void_p, POINTER(c.PoolOptions), _OUT, _OUT]),
    "glint_pool_acquire": (c_int32, [c_void_p, POINTER(c.AcquireOptions), _OUT, _OUT]),
    "glint_pool_trim": (None, [c_void_p, c_uint64]),
    "glint_pool_close": (None, [c_void_p]),
    "glint_pool_free": (None, [c_void_p]),
    "glint_pool_get_counters": (c_int32, [c_void_p, POINTER(c.PoolCounters), _OUT]),
    "glint_interrupt_create": (c_int32, [_OUT, _OUT]),
    "glint_interrupt_free": (None, [c_void_p]),
    "glint_interrupt_raise": (c_uint32, [c_void_p]),
    "glint_interrupt_raised": (c_uint8, [c_void_p]),
}


class LibraryError(ImportError):
    """libglint.so was not found, or is of another version than this package."""


_lock = threading.Lock()
_loaded: tuple[str, ctypes.CDLL] | None = None


def load(path: str | os.PathLike[str] | None = None) -> None:
    """Loads the library, once per process: from `path`; else from where the environment variable GLINT_LIBRARY says, from
    the directory of this package, or by the name libglint.so.1 from where the system looks. Everything else here does that by
    itself when it is first used; only a path of one's own has to be given first."""
    global _loaded
    with _lock:
        if _loaded is None:
            name = _find(path)
            _loaded = name, _open(name)
        elif path is not None and os.fspath(path) != _loaded[0]:
            raise LibraryError(f"{_loaded[0]} is loaded already; a process can use only one library")


def library() -> ctypes.CDLL:
    if _loaded is None:
        load()
    assert _loaded is not None
    return _loaded[1]


def _find(path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        return os.fspath(path)
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    beside = pathlib.Path(__file__).parent / SONAME
    return str(beside) if beside.exists() else SONAME


def _open(name: str) -> ctypes.CDLL:
    try:
        # A CDLL gives up the interpreter's lock during each call, so that other threads go on while a guest runs.
        opened = ctypes.CDLL(name)
        for function, (result, parameters) in PROTOTYPES.items():
            getattr(opened, function).restype = result
            getattr(opened, function).argtypes = parameters
    except OSError as error:
        raise LibraryError(f"the library of Glint cannot be loaded: {error}; install it, or say in {VARIABLE} where it is"
                           ) from error
    except AttributeError as error:
        raise LibraryError(f"{name} is no library of Glint, or one without the ABI {ABI_MAJOR}.{ABI_MINOR}: {error}"
                           ) from error
    check(opened, name)
    return opened


def check(opened: ctypes.CDLL, name: str) -> None:
    """A library of this major version and at least this minor has what is used here, laid out as it is here."""
    version = opened.glint_abi_version()
    major, minor = version >> 16, version & 0xFFFF
    if major != ABI_MAJOR or minor < ABI_MINOR:
        raise LibraryError(f"{name} has version {major}.{minor} of the ABI; this package needs {ABI_MAJOR}.{ABI_MINOR} or a "
                           f"later {ABI_MAJOR}.x")
    for number, struct in enumerate(c.STRUCTS, start=1):
        theirs, ours = opened.glint_struct_size(number), ctypes.sizeof(struct)
        # What has a struct_size may have grown in a later version; the rest never changes.
        if theirs < ours or (theirs != ours and not issubclass(struct, c.Sized)):
            raise LibraryError(f"{name} has {theirs} bytes in struct {number} ({struct.__name__}), this package {ours}")
