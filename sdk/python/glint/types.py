# SPDX-License-Identifier: Apache-2.0
"""The types that cross between guest and host, and their Python values: bool, int, float, str and bytes."""

import ctypes
import dataclasses
import enum
import inspect
import math
import operator
import typing
from collections.abc import Callable, Sequence

from . import _structs as c


class Type(enum.IntEnum):
    """The numbers of glint/base.h."""
    VOID = 0
    BOOL = 1
    I32 = 2
    U32 = 3
    I64 = 4
    U64 = 5
    F32 = 6
    F64 = 7
    STRING = 8
    BYTES = 9


# For annotations of host functions, where `int` and `float` would mean I64 and F64.
I32 = typing.Annotated[int, Type.I32]
U32 = typing.Annotated[int, Type.U32]
I64 = typing.Annotated[int, Type.I64]
U64 = typing.Annotated[int, Type.U64]
F32 = typing.Annotated[float, Type.F32]
F64 = typing.Annotated[float, Type.F64]

_PLAIN = {bool: Type.BOOL, int: Type.I64, float: Type.F64, str: Type.STRING, bytes: Type.BYTES, type(None): Type.VOID}
_FIELD = {Type.BOOL: "boolean", Type.I32: "i32", Type.U32: "u32", Type.I64: "i64", Type.U64: "u64", Type.F32: "f32",
          Type.F64: "f64"}
_RANGE = {Type.I32: (-2**31, 2**31 - 1), Type.U32: (0, 2**32 - 1), Type.I64: (-2**63, 2**63 - 1), Type.U64: (0, 2**64 - 1)}


@dataclasses.dataclass(frozen=True)
class Signature:
    params: tuple[Type, ...]
    result: Type

    def __str__(self) -> str:
        return f"({', '.join(param.name.lower() for param in self.params)}) -> {self.result.name.lower()}"


def signature_of(function: Callable[..., object], call_type: type) -> tuple[Signature, bool]:
    """The signature that the annotations of `function` declare, and whether it takes a `call_type` first."""
    hints = typing.get_type_hints(function, include_extras=True)
    names = [parameter.name for parameter in inspect.signature(function).parameters.values()
             if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    takes_call = bool(names) and hints.get(names[0]) is call_type
    if takes_call:
        names = names[1:]
    if "return" not in hints or any(name not in hints for name in names):
        raise TypeError(f"{function!r} must have an annotation for each parameter and for its result, or be given its types")
    params = tuple(_type_of(hints[name], f"parameter {name}") for name in names)
    if Type.VOID in params:
        raise TypeError(f"{function!r} has a parameter of type None")
    return Signature(params, _type_of(hints["return"], "the result")), takes_call


def _type_of(hint: object, what: str) -> Type:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Type):
            return extra
    if isinstance(hint, type) and hint in _PLAIN:
        return _PLAIN[hint]
    raise TypeError(f"{what} is annotated with {hint!r}, which cannot cross; possible are bool, int, float, str, bytes, None "
                    "as a result, and I32, U32, I64, U64, F32, F64")


def view(data: bytes) -> c.Str:
    """A view of `data`, which must be kept as long as it is used."""
    return c.Str(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))


def to_native(kind: Type, value: typing.Any, native: c.Value, kept: list[bytes]) -> None:
    """Puts `value` into `native`. What that is a view of goes into `kept`."""
    native.type = kind
    union = getattr(native, "as")
    if kind in _RANGE:
        number = operator.index(value)
        low, high = _RANGE[kind]
        if not low <= number <= high:
            raise OverflowError(f"{number} does not fit {kind.name.lower()}")
        setattr(union, _FIELD[kind], number)
    elif kind == Type.BOOL:
        union.boolean = _of(bool, value)
    elif kind in (Type.F32, Type.F64):
        setattr(union, _FIELD[kind], float(_of((int, float), value)))
        if math.isinf(getattr(union, _FIELD[kind])) and not math.isinf(value):
            raise OverflowError(f"{value} does not fit {kind.name.lower()}")
    elif kind != Type.VOID:
        data = _of(str, value).encode() if kind == Type.STRING else bytes(_of((bytes, bytearray, memoryview), value))
        kept.append(data)
        where = view(data)
        union.bytes.data, union.bytes.size = where.data, where.size
    elif value is not None:
        raise TypeError(f"{type(value).__name__} where there is no result")


def _of(kinds: type | tuple[type, ...], value: object) -> typing.Any:
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise TypeError(f"{type(value).__name__} where {wanted} is declared")
    return value


def to_native_array(kinds: Sequence[Type], values: Sequence[object], kept: list[bytes]) -> ctypes.Array[c.Value]:
    natives = (c.Value * len(kinds))()
    for index, (kind, value, native) in enumerate(zip(kinds, values, natives, strict=True)):
        try:
            to_native(kind, value, native, kept)
        except (TypeError, ValueError, OverflowError) as error:
            error.add_note(f"argument {index + 1}")
            raise
    return natives


def to_python(native: c.Value) -> typing.Any:
    """A copy of a native value."""
    kind, union = Type(native.type), getattr(native, "as")
    if kind == Type.VOID:
        return None
    if kind == Type.BOOL:
        return union.boolean != 0
    if kind in _FIELD:
        return getattr(union, _FIELD[kind])
    data = ctypes.string_at(union.bytes.data, union.bytes.size) if union.bytes.size else b""
    return data.decode() if kind == Type.STRING else data
