# SPDX-License-Identifier: Apache-2.0
"""Calls of guest functions: values of each type both ways, and what is refused before the guest runs."""

import math
import threading
import unittest

from support import GUESTS, FakeTestCase, KvmTestCase, TestCase

import glint

VALUES = {
    "bool": [True, False],
    "i32": [0, -1, 2**31 - 1, -2**31],
    "u32": [0, 2**32 - 1],
    "i64": [0, -1, 2**63 - 1, -2**63],
    "u64": [0, 2**64 - 1],
    "f32": [0.0, -0.5, math.inf, 2.0**127],
    "f64": [0.0, 0.1, -math.inf, 1e300],
    "string": ["", "text", "\0 in the middle", "naïve \N{GRINNING FACE}", "x" * 100_000],
    "bytes": [b"", b"\0\xff", bytes(range(256)) * 4096],
}


class Calls:
    """`mirror` has each value come through a host function, too."""

    def test_values_of_every_type_come_back_unchanged(self) -> None:
        for guest in ("echo", "mirror"):
            sandbox = glint.Sandbox(self.guest("echo")) if guest == "echo" else self.mirror()
            for kind, values in VALUES.items():
                for value in values:
                    with self.subTest(guest, kind=kind, value=str(value)[:20]):
                        result = sandbox.call(f"echo_{kind}", value)
                        self.assertEqual(result, value)
                        self.assertIs(type(result), type(value))

    def test_nan_stays_nan(self) -> None:
        self.assertTrue(math.isnan(self.mirror().call("echo_f64", math.nan)))

    def test_an_integer_is_taken_for_a_float(self) -> None:
        self.assertEqual(self.mirror().call("echo_f64", 3), 3.0)

    def test_bytes_may_be_a_bytearray_or_a_view(self) -> None:
        sandbox = self.mirror()
        self.assertEqual(sandbox.call("echo_bytes", bytearray(b"abc")), b"abc")
        self.assertEqual(sandbox.call("echo_bytes", memoryview(b"abcdef")[::2]), b"ace")

    def test_an_image_may_have_large_pages(self) -> None:
        with self.engine.load(GUESTS / "echo", large_pages=True) as image, glint.Sandbox(image) as sandbox:
            self.assertEqual(sandbox.call("echo_i64", 7), 7)

    def test_a_function_without_a_result_gives_none(self) -> None:
        self.assertIsNone(self.mirror().call("tell", 1))

    def test_an_image_says_what_it_exports_and_imports(self) -> None:
        image = self.guest("mirror")
        self.assertEqual(str(image.exports["add"]), "(i64, i64) -> i64")
        self.assertEqual(str(image.imports["host_tell"]), "(u32) -> void")
        self.assertNotIn("host_add", image.exports)

    def test_values_of_a_wrong_type_are_refused(self) -> None:
        sandbox = self.mirror()
        wrong = {"bool": 1, "i32": 1.0, "u64": "1", "f32": "1", "string": b"text", "bytes": "text", "i64": None}
        for kind, value in wrong.items():
            with self.subTest(kind), self.assertRaises(TypeError) as caught:
                sandbox.call(f"echo_{kind}", value)
            self.assertEqual(caught.exception.__notes__, ["argument 1"])

    def test_numbers_that_do_not_fit_are_refused(self) -> None:
        sandbox = self.mirror()
        wrong = {"i32": [2**31, -2**31 - 1], "u32": [2**32, -1], "i64": [2**63, -2**63 - 1], "u64": [2**64, -1],
                 "f32": [1e39, -1e39], "f64": [10**400]}
        for kind, values in wrong.items():
            for value in values:
                with self.subTest(kind, value=str(value)[:20]), self.assertRaises(OverflowError):
                    sandbox.call(f"echo_{kind}", value)

    def test_text_that_is_no_unicode_is_refused(self) -> None:
        with self.assertRaises(UnicodeEncodeError):
            self.mirror().call("echo_string", "\ud800")

    def test_a_wrong_number_of_arguments_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, r"add\(i64, i64\) -> i64 takes 2 arguments, not 1"):
            self.mirror().call("add", 1)

    def test_an_unknown_function_is_an_error_that_lists_what_there_is(self) -> None:
        with self.assertRaisesRegex(glint.UsageError, "echo_i32") as caught:
            self.mirror().call("subtract", 1, 2)
        self.assertEqual(caught.exception.code, glint.Code.NOT_FOUND)
        self.assertEqual(caught.exception.name, "GLINT_E_NOT_FOUND")

    def test_a_refused_call_leaves_the_sandbox_usable(self) -> None:
        sandbox = self.mirror()
        with self.assertRaises(TypeError):
            sandbox.call("echo_i32", "1")
        self.assertEqual(sandbox.call("echo_i32", 1), 1)

    def test_a_missing_import_is_an_error_that_names_it(self) -> None:
        with self.assertRaisesRegex(glint.UsageError, r"host_add\(i64, i64\) -> i64") as caught:
            glint.Sandbox(self.guest("mirror"))
        self.assertEqual(caught.exception.code, glint.Code.MISSING_IMPORT)

    def test_a_result_is_a_copy_that_later_calls_do_not_change(self) -> None:
        sandbox = self.mirror()
        first = sandbox.call("echo_bytes", b"first")
        sandbox.call("echo_bytes", b"other")
        self.assertEqual(first, b"first")

    def test_sandboxes_work_on_many_threads_at_once(self) -> None:
        sandboxes = [self.mirror() for _ in range(8)]
        results = [None] * len(sandboxes)

        def work(index: int) -> None:
            results[index] = sum(sandboxes[index].call("add", i, index) for i in range(50))

        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sandboxes))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [sum(range(50))] * len(sandboxes))


class CallsOnFake(Calls, FakeTestCase):
    pass


class CallsOnKvm(Calls, KvmTestCase):
    pass


class Images(TestCase):
    """Without a hypervisor: images can be looked at."""

    def setUp(self) -> None:
        super().setUp()
        self.engine = glint.Engine("none")
        self.addCleanup(delattr, self, "engine")

    def test_the_engine_says_its_backend(self) -> None:
        self.assertEqual(self.engine.backend, "none")

    def test_an_unknown_backend_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "there is no backend 'xen'; there are default, kvm, none, fake"):
            glint.Engine("xen")

    def test_an_image_loads_from_a_path_and_from_bytes(self) -> None:
        path = GUESTS / "echo"
        self.assertEqual(self.engine.load(path).exports, self.engine.load(path.read_bytes()).exports)
        self.assertEqual(self.engine.load(str(path)).exports, self.engine.load(path).exports)

    def test_a_file_that_is_no_program_is_an_image_error(self) -> None:
        with self.assertRaises(glint.ImageError) as caught:
            self.engine.load(b"#!/bin/sh\n" * 100)
        self.assertEqual(caught.exception.code, glint.Code.IMAGE_NOT_ELF)

    def test_a_missing_file_is_a_machine_error_that_names_it(self) -> None:
        with self.assertRaisesRegex(glint.MachineError, "/nowhere/guest") as caught:
            self.engine.load("/nowhere/guest")
        self.assertEqual(caught.exception.code, glint.Code.SYSTEM)

    def test_memory_that_is_too_small_is_refused(self) -> None:
        with self.assertRaises(glint.Error):
            self.engine.load(GUESTS / "echo", memory_size=1)


if __name__ == "__main__":
    unittest.main()
