# SPDX-License-Identifier: Apache-2.0
"""Functions of this program that guests may call."""

import ctypes
from collections.abc import Callable, Mapping, Sequence

from . import _native, _objects, errors, types
from . import _structs as c


class HostFailure(Exception):
    """Raised by a host function to tell the guest a code of its choice and a text. Of any other exception the guest learns
    nothing but that the function failed: what its text says may not be for the guest."""

    def __init__(self, text: str, code: int = errors.Code.HOST_FUNCTION) -> None:
        super().__init__(text)
        if code == 0 or not -2**31 <= code < 2**31:
            raise ValueError(f"{code} is no code of a failure: it is 0, or no 32-bit number")
        self.text = text
        self.code = code


class HostCall:
    """The call that a host function serves, for those whose first parameter is annotated with this class. Valid until the
    function returns, and on its thread."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    @property
    def state(self) -> int:
        """0, or why the call of the guest is to end: Code.INTERRUPTED or Code.DEADLINE. Then the function should return
        soon; nothing that it returns reaches the guest. A function that takes long looks from time to time."""
        if self._handle is None:
            raise ValueError("the host function has returned")
        return _native.library().glint_host_call_state(self._handle)


class _Function:
    """What the native side holds of one host function."""

    def __init__(self, function: Callable[..., object], signature: types.Signature, takes_call: bool) -> None:
        self._function, self._signature, self._takes_call = function, signature, takes_call

    def run(self, handle: int) -> None:
        native = _native.library()
        count = ctypes.c_uint32()
        values = native.glint_host_call_arguments(handle, count)
        arguments = [types.to_python(values[index]) for index in range(count.value)]
        call = HostCall(handle)
        try:
            result = self._function(*([call] if self._takes_call else []), *arguments)
        finally:
            call._handle = None
        value = c.Value()
        kept: list[bytes] = []
        types.to_native(self._signature.result, result, value, kept)
        if self._signature.result != types.Type.VOID:
            errors.invoke("glint_host_call_return", handle, value)


# The callbacks are made once and live as long as the module: ctypes frees the code of a callback with its object.
@c.HostFunction
def _invoke(number: int, handle: int) -> int:
    """Every host function comes through here. Nothing may leave: an exception has no way through native frames, so it is
    left with the call, and comes out of the outermost one."""
    try:
        _objects.get(number).run(handle)
        return 0
    except BaseException as error:  # KeyboardInterrupt and SystemExit, too
        _native.library().glint_host_call_fail_with(handle, _objects.keep(error), _objects.destroy)
        if not isinstance(error, HostFailure):
            return errors.Code.HOST_FUNCTION
        _native.library().glint_host_call_fail(handle, types.view(error.text.encode(errors="replace")))
        return error.code


class HostFunctions(_objects.Owner):
    """A set of functions by name; any number of sandboxes may be made with it, after which it cannot be added to."""

    def __init__(self, functions: Mapping[str, Callable[..., object]] | None = None) -> None:
        pointer = ctypes.c_void_p()
        errors.invoke("glint_host_functions_create", ctypes.byref(pointer))
        self._own(pointer, _native.library().glint_host_functions_free, "set of host functions")
        for name, function in (functions or {}).items():
            self.add(name, function)

    def add(self, name: str, function: Callable[..., object], params: Sequence[types.Type] | None = None,
            result: types.Type | None = None) -> None:
        """Offers `function` to guests as `name`. Its signature is `params` and `result`, if those are given, and else what
        its annotations say: bool, int (I64), float (F64), str, bytes, None as a result, and I32 … F64 for other numbers. If
        its first parameter is annotated with HostCall, it receives that."""
        if params is None and result is None:
            signature, takes_call = types.signature_of(function, HostCall)
        elif params is None or result is None:
            raise TypeError("params and result must be given both or neither")
        else:
            signature, takes_call = types.Signature(tuple(map(types.Type, params)), types.Type(result)), False
        numbers = (ctypes.c_uint32 * len(signature.params))(*signature.params)
        encoded = name.encode()
        with self._handle as handle:
            # From here on the native side owns the number, and calls `destroy` also if it refuses the function.
            kept = _objects.keep(_Function(function, signature, takes_call))
            errors.invoke("glint_host_functions_add", handle, types.view(encoded), signature.result, numbers, len(numbers),
                          _invoke, kept, _objects.destroy)
