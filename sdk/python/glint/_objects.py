# SPDX-License-Identifier: Apache-2.0
"""Python objects that the native side holds: it has a number, here is the object, and `destroy` ends that. A number that
is used once cannot name a wrong object, as the address of one that is gone could."""

import ctypes
import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any, Self

from . import _structs as c

_numbers = itertools.count(1)
_kept: dict[int, Any] = {}


def keep(value: object) -> int:
    """A number for `value`, never 0. Both itertools.count and dict work from any thread."""
    number = next(_numbers)
    _kept[number] = value
    return number


def get(number: int | None) -> Any:
    """The object of a number that the native side holds now; None for NULL."""
    return None if number is None else _kept[number]


def count() -> int:
    return len(_kept)


# As long as the module: ctypes frees the code of a callback with its object.
@c.Destroy
def destroy(number: int) -> None:
    del _kept[number]


class Handle:
    """A native handle. It is freed once: when it was closed, and no thread is in a native call with it any more. So
    closing is safe at any time, also during a call and in its callbacks."""

    def __init__(self, pointer: int, free: Callable[[int], None], what: str) -> None:
        self._pointer, self._free, self._what = pointer, free, what
        self._lock = threading.Lock()
        self._users = 1  # the owner, until it closes the handle
        self._closed = False

    def __enter__(self) -> int:
        """The native pointer, valid to the end of the `with` block."""
        with self._lock:
            if self._closed:
                raise ValueError(f"the {self._what} is closed")
            self._users += 1
            return self._pointer

    def __exit__(self, *exception: object) -> None:
        self._drop()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._drop()

    def _drop(self) -> None:
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self._free(self._pointer)


class Owner:
    """An object with a native handle, freed by close(), at the end of a `with` block, or when it is no longer used."""

    def _own(self, pointer: ctypes.c_void_p, free: Callable[[int], None], what: str) -> None:
        self._handle = Handle(pointer.value or 0, free, what)
        self._finalizer = weakref.finalize(self, self._handle.close)

    def close(self) -> None:
        """Gives the native object up; harmless when that was done. Others that were made from it go on working."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
