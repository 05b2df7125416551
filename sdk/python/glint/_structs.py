# SPDX-License-Identifier: Apache-2.0
"""The structs and callback types of the C headers, field by field; the headers say what they mean. tests/layout_test.py
compares them with a C compiler's."""

import ctypes
from ctypes import c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p


class Str(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_uint64)]

    @property
    def text(self) -> str:
        return ctypes.string_at(self.data, self.size).decode() if self.size else ""


class ValueBytes(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_uint64)]


class ValueAs(ctypes.Union):
    _fields_ = [("boolean", c_uint8), ("i32", c_int32), ("u32", c_uint32), ("i64", c_int64), ("u64", c_uint64),
                ("f32", ctypes.c_float), ("f64", ctypes.c_double), ("bytes", ValueBytes)]


class Value(ctypes.Structure):
    _fields_ = [("type", c_uint32), ("reserved", c_uint32), ("as", ValueAs)]


class Sized(ctypes.Structure):
    """A struct that begins with its size, which is set here."""

    def __init__(self, **fields: object) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class Fault(Sized):
    _fields_ = [("struct_size", c_uint32), ("vector", c_uint32), ("signal", c_int32), ("reserved", c_uint32),
                ("address", c_uint64), ("instruction", c_uint64), ("error_code", c_uint64), ("symbol_offset", c_uint64),
                ("name", Str), ("access", Str), ("symbol", Str)]


class EngineOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("backend", c_uint32), ("max_shells", c_uint32), ("kick_signal", c_uint32),
                ("deadline_ns", c_uint64), ("max_vms", c_uint32), ("reserved", c_uint32)]


class EngineCounters(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("vms_created", c_uint64), ("vms_live", c_uint64),
                ("sandboxes_created", c_uint64), ("sandboxes_live", c_uint64), ("attaches", c_uint64), ("parks", c_uint64)]


class DoctorItem(Sized):
    _fields_ = [("struct_size", c_uint32), ("severity", c_uint32), ("name", Str), ("detail", Str), ("advice", Str)]


class File(ctypes.Structure):
    _fields_ = [("path", Str), ("data", c_void_p), ("size", c_uint64), ("reserved", c_uint64)]


class ImageOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("memory_size", c_uint64), ("stack_size", c_uint64),
                ("files", ctypes.POINTER(File)), ("file_count", c_uint64)]


class FunctionInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("kind", c_uint32), ("function", c_uint32), ("result", c_uint32),
                ("param_count", c_uint32), ("reserved", c_uint32), ("params", ctypes.POINTER(c_uint32)), ("name", Str)]


class SegmentInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("writable", c_uint32), ("executable", c_uint32), ("reserved", c_uint32),
                ("address", c_uint64), ("size", c_uint64), ("what", Str)]


class ImageInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("pie", c_uint32), ("entry", c_uint64), ("memory_size", c_uint64),
                ("stack_size", c_uint64), ("heap_size", c_uint64), ("segment_count", c_uint32), ("symbol_count", c_uint32)]


class Syscall(ctypes.Structure):
    _fields_ = [("number", c_uint64), ("arguments", c_uint64 * 6), ("result", c_int64), ("unknown", c_uint32),
                ("reserved", c_uint32), ("name", Str)]


HostFunction = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p)
Destroy = ctypes.CFUNCTYPE(None, c_void_p)
Output = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_void_p, c_uint64)
Input = ctypes.CFUNCTYPE(c_uint64, c_void_p, c_void_p, c_uint64)
Trace = ctypes.CFUNCTYPE(None, c_void_p, ctypes.POINTER(Syscall))


class SandboxOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("arguments", ctypes.POINTER(Str)),
                ("argument_count", c_uint64), ("environment", ctypes.POINTER(Str)), ("environment_count", c_uint64),
                ("output", Output), ("output_user_data", c_void_p), ("output_destroy", Destroy), ("input", Input),
                ("input_user_data", c_void_p), ("input_destroy", Destroy), ("trace", Trace), ("trace_user_data", c_void_p),
                ("trace_destroy", Destroy), ("max_depth", c_uint32), ("reserved", c_uint32), ("tenant", Str)]


class CallOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("deadline_ns", c_uint64), ("interrupt", c_void_p)]


class SandboxCounters(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("calls", c_uint64), ("host_calls", c_uint64),
                ("exits", c_uint64), ("ioctls", c_uint64), ("attaches", c_uint64), ("unknown_syscalls", c_uint64),
                ("output_bytes", c_uint64), ("restores", c_uint64), ("restored_pages", c_uint64)]


class LiveObjects(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("engines", c_uint64), ("images", c_uint64),
                ("sandboxes", c_uint64), ("interrupts", c_uint64), ("errors", c_uint64), ("doctors", c_uint64),
                ("host_function_sets", c_uint64), ("host_functions", c_uint64), ("host_tokens", c_uint64),
                ("snapshots", c_uint64), ("pools", c_uint64)]


class SnapshotInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("memory_size", c_uint64), ("stored_size", c_uint64)]


class PoolOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("size", c_uint32), ("warm", c_uint32),
                ("idle_memory", c_uint64), ("tenant", Str)]


class AcquireOptions(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("wait_ns", c_uint64), ("interrupt", c_void_p),
                ("sandbox", ctypes.POINTER(SandboxOptions))]


class PoolCounters(Sized):
    _fields_ = [("struct_size", c_uint32), ("size", c_uint32), ("live", c_uint64), ("in_use", c_uint64), ("ready", c_uint64),
                ("returned", c_uint64), ("waiting", c_uint64), ("idle_memory", c_uint64), ("acquired", c_uint64),
                ("waited", c_uint64), ("restored", c_uint64), ("restored_late", c_uint64), ("made", c_uint64),
                ("replaced", c_uint64), ("dropped", c_uint64)]


# By GLINT_STRUCT_*, from 1 on.
STRUCTS: tuple[type[ctypes.Structure], ...] = (
    Str, Value, Fault, EngineOptions, EngineCounters, DoctorItem, File, ImageOptions, FunctionInfo, SegmentInfo, ImageInfo,
    Syscall, SandboxOptions, SandboxCounters, CallOptions, LiveObjects, SnapshotInfo, PoolOptions,
    AcquireOptions, PoolCounters)
