# SPDX-License-Identifier: Apache-2.0
"""What the tests share: where the library and the guests are, and that nothing is left over after a test."""

import gc
import os
import pathlib
import subprocess
import sys
import unittest
from collections.abc import Callable

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PACKAGE))

import glint  # noqa: E402
from glint import _native, _objects, _structs  # noqa: E402

ROOT = PACKAGE.parents[1]
GUESTS = pathlib.Path(os.environ["GLINT_TEST_GUESTS"])
# The layout program lies beside the guests, in tests/abi of the build.
LAYOUT = GUESTS.parent / "abi/layout"


def live_objects() -> dict[str, int]:
    live = _structs.LiveObjects()
    if _native.library().glint_get_live_objects(live) != 0:
        raise AssertionError("the library does not know the size of glint_live_objects")
    return {name: getattr(live, name) for name, _ in live._fields_ if name not in ("struct_size", "reserved")}


class TestCase(unittest.TestCase):
    """Fails also when the test leaves a native object or a kept Python object behind, or when an exception had no way out of
    a callback."""

    def setUp(self) -> None:
        self.unraisable: list[object] = []
        hook = sys.unraisablehook
        sys.unraisablehook = lambda what: self.unraisable.append(what.exc_value)
        self.addCleanup(setattr, sys, "unraisablehook", hook)
        self.addCleanup(self.check_nothing_is_left)

    def check_nothing_is_left(self) -> None:
        gc.collect()
        self.assertEqual({name: count for name, count in live_objects().items() if count}, {})
        self.assertEqual(_objects.count(), 0)
        self.assertEqual(self.unraisable, [])


class BackendTestCase(TestCase):
    """A test with an engine. Its classes are there once for each backend: what must hold does not depend on that."""
    backend: str

    def setUp(self) -> None:
        super().setUp()
        engine = glint.Engine(self.backend)
        self.addCleanup(delattr, self, "engine")
        self.addCleanup(engine.close)
        self.engine = engine

    def guest(self, name: str) -> glint.Image:
        return self.engine.load(GUESTS / name)

    def mirror(self, **functions: Callable[..., object]) -> glint.Sandbox:
        """A sandbox of the guest `mirror`, whose export NAME calls `host_NAME` and answers what that gave. A host function
        that is not given answers with its first argument."""
        image = self.guest("mirror")
        return glint.Sandbox(image, mirror_functions(image, functions))


class FakeTestCase(BackendTestCase):
    backend = "fake"


class KvmTestCase(BackendTestCase):
    backend = "kvm"


def first(value: object, *_: object) -> object:
    return value


def nothing(*_: object) -> None:
    pass


def mirror_functions(image: glint.Image, functions: dict[str, Callable[..., object]]) -> glint.HostFunctions:
    host = glint.HostFunctions(functions)
    for name, signature in image.imports.items():
        if name not in functions:
            answer = first if signature.result != glint.Type.VOID else nothing
            host.add(name, answer, signature.params, signature.result)
    return host


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in a new interpreter, for what can be done only once in a process."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment})
