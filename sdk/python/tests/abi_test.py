# SPDX-License-Identifier: Apache-2.0
"""What this package knows of the C ABI is what the ABI is: layouts by a C compiler, prototypes by the committed baseline,
constants by the reviewed list."""

import ctypes
import re
import subprocess
import types
import unittest
import xml.etree.ElementTree as ElementTree
from unittest import mock

from support import LAYOUT, ROOT, TestCase

import glint
from glint import _native, _structs, pool, sandbox


def c_name(struct: type) -> str:
    return "glint" + re.sub(r"([A-Z])", r"_\1", struct.__name__).lower()


def lines_of(name: str, kind: type, path: str = "", base: int = 0) -> set[str]:
    """What tests/abi/layout.c prints, of a ctypes struct."""
    lines = set()
    for field, field_kind, *_ in kind._fields_:
        descriptor = getattr(kind, field)
        lines.add(f"{name} {path}{field} {base + descriptor.offset} {descriptor.size}")
        if field_kind in (_structs.ValueAs, _structs.ValueBytes):
            lines |= lines_of(name, field_kind, f"{path}{field}.", base + descriptor.offset)
    return lines


class Layout(unittest.TestCase):
    def test_every_struct_and_field_is_as_in_c(self) -> None:
        printed = subprocess.run([LAYOUT], capture_output=True, text=True, check=True).stdout.splitlines()
        ours = set()
        for struct in _structs.STRUCTS:
            ours |= {f"{c_name(struct)} - 0 {ctypes.sizeof(struct)}"} | lines_of(c_name(struct), struct)
        self.assertEqual(ours, set(printed))


class Prototypes(unittest.TestCase):
    def test_every_function_has_the_declared_parameters_and_result(self) -> None:
        root = ElementTree.parse(ROOT / "abi/libglint.abi").getroot()
        kinds = {node.get("id"): node for node in root.iter() if node.get("id")}

        def size(number: str) -> int:
            node = kinds[number]
            if node.get("name") == "void":
                return 0
            return int(node.get("size-in-bits") or size(node.get("type-id")) * 8) // 8

        declared = {}
        for function in root.iter("function-decl"):
            kinds_of = [function.find("return"), *function.findall("parameter")]
            declared[function.get("name")] = [size(node.get("type-id")) for node in kinds_of]
        for name, (result, parameters) in _native.PROTOTYPES.items():
            with self.subTest(name):
                ours = [0 if result is None else ctypes.sizeof(result), *map(ctypes.sizeof, parameters)]
                self.assertEqual(ours, declared[name])


class Constants(unittest.TestCase):
    def test_every_constant_has_its_value(self) -> None:
        lines = (ROOT / "abi/constants.txt").read_text().splitlines()
        values = {name: int(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}

        def group(prefix: str) -> dict[str, int]:
            return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}

        self.assertEqual({code.name: code.value for code in glint.Code}, group("GLINT_E_"))
        self.assertEqual({state.name: state.value for state in glint.State}, group("GLINT_STATE_"))
        self.assertEqual({name.upper(): value for name, value in sandbox._BACKENDS.items()}, group("GLINT_BACKEND_"))
        self.assertEqual({c_name(struct).removeprefix("glint_").upper(): number
                          for number, struct in enumerate(_structs.STRUCTS, start=1)}, group("GLINT_STRUCT_"))
        for kind in glint.Type:
            self.assertEqual(kind.value, values[f"GLINT_{kind.name}"])
        self.assertEqual(sandbox._NO_DEADLINE, values["GLINT_DEADLINE_NONE"])
        self.assertEqual(sandbox._EXPORTED, values["GLINT_EXPORTED"])
        self.assertEqual(sandbox._END_ON_HOST_FAILURE, values["GLINT_SANDBOX_END_ON_HOST_FAILURE"])
        self.assertEqual(sandbox._RESTORE_EACH_CALL, values["GLINT_SANDBOX_RESTORE_EACH_CALL"])
        self.assertEqual(sandbox._DEDICATED_VM, values["GLINT_SANDBOX_DEDICATED_VM"])
        self.assertEqual(sandbox._LARGE_PAGES, values["GLINT_IMAGE_LARGE_PAGES"])
        self.assertEqual(pool._LAZY, values["GLINT_POOL_LAZY"])
        self.assertEqual(pool._NO_THREAD, values["GLINT_POOL_NO_THREAD"])
        self.assertEqual(pool._WAIT_NONE, values["GLINT_WAIT_NONE"])
        self.assertEqual(pool._WAIT_FOREVER, values["GLINT_WAIT_FOREVER"])
        self.assertEqual(_native.ABI_MAJOR, values["GLINT_C_ABI_MAJOR"])
        # The minor number grows, so it is not among the constants that never change.
        self.assertIn(f"#define GLINT_C_ABI_MINOR {_native.ABI_MINOR}u\n", (ROOT / "include/glint/base.h").read_text())


class CheckAtLoad(TestCase):
    """The check of a library, with stand-ins for libraries of other versions."""

    def stand_in(self, major: int = _native.ABI_MAJOR, minor: int = _native.ABI_MINOR, **sizes: int) -> types.SimpleNamespace:
        by_number = {number: sizes.get(struct.__name__, ctypes.sizeof(struct))
                     for number, struct in enumerate(_structs.STRUCTS, start=1)}
        return types.SimpleNamespace(glint_abi_version=lambda: major << 16 | minor, glint_struct_size=by_number.get)

    def assert_refused(self, library: types.SimpleNamespace, text: str) -> None:
        with self.assertRaisesRegex(glint.LibraryError, text):
            _native.check(library, "stand-in")

    def test_the_library_under_test_is_accepted(self) -> None:
        _native.check(_native.library(), "libglint.so")

    def test_later_minor_versions_and_grown_structs_are_accepted(self) -> None:
        _native.check(self.stand_in(minor=_native.ABI_MINOR + 1, Fault=ctypes.sizeof(_structs.Fault) + 8), "stand-in")

    def test_another_major_version_is_refused(self) -> None:
        self.assert_refused(self.stand_in(major=_native.ABI_MAJOR + 1),
                            f"version 2.{_native.ABI_MINOR} of the ABI; this package needs 1.{_native.ABI_MINOR}")

    def test_an_older_minor_version_is_refused(self) -> None:
        with mock.patch.object(_native, "ABI_MINOR", 3):
            self.assert_refused(self.stand_in(minor=2), "version 1.2 of the ABI; this package needs 1.3")

    def test_a_smaller_struct_is_refused(self) -> None:
        self.assert_refused(self.stand_in(Fault=88), "Fault")

    def test_another_size_of_a_struct_that_never_changes_is_refused(self) -> None:
        self.assert_refused(self.stand_in(Value=32), "Value")

    def test_an_unknown_struct_is_refused(self) -> None:
        self.assert_refused(self.stand_in(CallOptions=0), "CallOptions")


if __name__ == "__main__":
    unittest.main()
