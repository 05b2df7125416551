# SPDX-License-Identifier: Apache-2.0
"""Host functions: signatures, what the guest and the caller see of a failure, nesting, and that each is given up once."""

import threading
import traceback
import unittest

from support import FakeTestCase, KvmTestCase, TestCase, mirror_functions

import glint
from glint import _objects


def fails(a: int, b: int) -> int:
    raise LookupError("the password is swordfish")


class HostFunctions:
    def test_the_exception_of_a_host_function_is_the_cause_of_the_calls_error(self) -> None:
        sandbox = self.mirror(host_add=fails)
        with self.assertRaises(glint.GuestError) as caught:
            sandbox.call("add", 1, 2)
        self.assertEqual(caught.exception.guest_code, glint.Code.HOST_FUNCTION)
        cause = caught.exception.__cause__
        self.assertIs(type(cause), LookupError)
        self.assertEqual(traceback.extract_tb(cause.__traceback__)[-1].name, "fails")

    def test_the_guest_sees_nothing_of_an_exception(self) -> None:
        with self.assertRaises(glint.GuestError) as caught:
            self.mirror(host_add=fails).call("add", 1, 2)
        self.assertNotIn("swordfish", caught.exception.message)

    def test_the_guest_sees_code_and_text_of_a_host_failure(self) -> None:
        def refuses(a: int, b: int) -> int:
            raise glint.HostFailure("not today", 7)

        with self.assertRaisesRegex(glint.GuestError, "not today") as caught:
            self.mirror(host_add=refuses).call("add", 1, 2)
        self.assertEqual(caught.exception.guest_code, 7)
        self.assertIs(type(caught.exception.__cause__), glint.HostFailure)

    def test_after_a_failure_the_sandbox_is_ready_again(self) -> None:
        left_to_fail = [True]

        def sometimes(a: int, b: int) -> int:
            if left_to_fail.pop():
                left_to_fail.append(False)
                raise ValueError("once")
            return 5

        sandbox = self.mirror(host_add=sometimes)
        with self.assertRaises(glint.GuestError):
            sandbox.call("add", 1, 2)
        self.assertEqual(sandbox.state, glint.State.READY)
        self.assertEqual(sandbox.call("add", 1, 2), 5)

    def test_a_failure_can_be_made_to_end_the_call(self) -> None:
        image = self.guest("mirror")
        sandbox = glint.Sandbox(image, mirror_functions(image, {"host_add": fails}), end_on_host_failure=True)
        with self.assertRaises(glint.HostFunctionError) as caught:
            sandbox.call("add", 1, 2)
        self.assertIs(type(caught.exception.__cause__), LookupError)
        self.assertEqual(sandbox.state, glint.State.POISONED)
        with self.assertRaises(glint.UsageError) as caught:
            sandbox.call("add", 1, 2)
        self.assertEqual(caught.exception.code, glint.Code.POISONED)
        self.assertIsNone(caught.exception.__cause__)

    def test_a_result_of_a_wrong_type_is_a_failure(self) -> None:
        for wrong, kind in (("three", TypeError), (2**63, OverflowError), (None, TypeError)):
            def answers(a: int, b: int, *, wrong: object = wrong) -> int:
                return wrong

            with self.subTest(wrong=wrong), self.assertRaises(glint.GuestError) as caught:
                self.mirror(host_add=answers).call("add", 1, 2)
            self.assertIs(type(caught.exception.__cause__), kind)

    def test_nested_calls_keep_the_exceptions_of_all_levels(self) -> None:
        depths = []

        def deeper(depth: int) -> int:
            depths.append(depth)
            if depth == 0:
                raise LookupError("at the bottom")
            return self.mirror(host_nest=deeper).call("nest", depth - 1)

        with self.assertRaises(glint.GuestError) as caught:
            self.mirror(host_nest=deeper).call("nest", 3)
        error, levels = caught.exception, 0
        while isinstance(error, glint.GuestError):
            error, levels = error.__cause__, levels + 1
        self.assertEqual((levels, type(error)), (4, LookupError))
        self.assertEqual(depths, [3, 2, 1, 0])

    def test_nesting_too_deeply_is_an_error(self) -> None:
        def deeper(depth: int) -> int:
            return self.mirror(host_nest=deeper).call("nest", depth + 1)

        with self.assertRaises(glint.Error) as caught:
            self.mirror(host_nest=deeper).call("nest", 0)
        codes = []
        error = caught.exception
        while error is not None:
            codes.append(error.code)
            error = error.__cause__
        self.assertEqual(codes[-1], glint.Code.DEPTH)
        self.assertEqual(len(codes), 17)

    def test_entering_the_calling_sandbox_is_refused(self) -> None:
        def enters(depth: int) -> int:
            return sandbox.call("nest", depth)

        sandbox = self.mirror(host_nest=enters)
        with self.assertRaises(glint.GuestError) as caught:
            sandbox.call("nest", 1)
        self.assertEqual(caught.exception.__cause__.code, glint.Code.BUSY)
        self.assertEqual(sandbox.call("first", 4, 5), 4)
        sandbox.close()  # its own function refers to it, which keeps it

    def test_a_sandbox_may_be_closed_in_its_own_callback(self) -> None:
        def closes(number: glint.U32) -> None:
            sandbox.close()

        sandbox = self.mirror(host_tell=closes)
        sandbox.call("tell", 1)
        with self.assertRaisesRegex(ValueError, "the sandbox is closed"):
            sandbox.call("tell", 1)

    def test_a_keyboard_interrupt_comes_out_as_itself(self) -> None:
        def interrupts(number: glint.U32) -> None:
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.mirror(host_tell=interrupts).call("tell", 1)

    def test_a_call_is_valid_only_while_its_function_runs(self) -> None:
        calls, states = [], []

        def keeps(call: glint.HostCall, number: glint.U32) -> None:
            calls.append(call)
            states.append(call.state)

        self.mirror(host_tell=keeps).call("tell", 1)
        self.assertEqual(states, [0])
        with self.assertRaisesRegex(ValueError, "the host function has returned"):
            calls[0].state

    def test_methods_and_partials_can_be_host_functions(self) -> None:
        class Accumulator:
            total = 0

            def add(self, number: glint.U32) -> None:
                self.total += number

        accumulator = Accumulator()
        sandbox = self.mirror(host_tell=accumulator.add)
        sandbox.call("tell", 3)
        sandbox.call("tell", 4)
        self.assertEqual(accumulator.total, 7)

    def test_a_set_serves_several_sandboxes_and_cannot_be_added_to_then(self) -> None:
        image = self.guest("mirror")
        with mirror_functions(image, {}) as host:
            sandboxes = [glint.Sandbox(image, host) for _ in range(3)]
            with self.assertRaises(glint.UsageError) as caught:
                host.add("late", fails)
            self.assertEqual(caught.exception.code, glint.Code.BUSY)
        self.assertEqual([sandbox.call("echo_i32", 1) for sandbox in sandboxes], [1, 1, 1])

    def test_callbacks_run_on_the_thread_of_the_call(self) -> None:
        threads = []

        def tells(number: glint.U32) -> None:
            threads.append(threading.get_ident())

        sandbox = self.mirror(host_tell=tells)
        thread = threading.Thread(target=sandbox.call, args=("tell", 1))
        thread.start()
        thread.join()
        self.assertEqual(threads, [thread.ident])

    def test_many_failing_calls_on_many_threads_keep_nothing(self) -> None:
        before = _objects.count()
        caught = []

        def work() -> None:
            sandbox = self.mirror(host_add=fails)
            for _ in range(50):
                try:
                    sandbox.call("add", 1, 2)
                except glint.GuestError as error:
                    caught.append(type(error.__cause__))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(caught, [LookupError] * 400)
        self.assertEqual(_objects.count(), before)


class HostFunctionsOnFake(HostFunctions, FakeTestCase):
    pass


class HostFunctionsOnKvm(HostFunctions, KvmTestCase):
    def test_a_failure_that_the_guest_handles_is_given_up(self) -> None:
        image = self.guest("callbacks")
        seen = []

        def host_fail(code: glint.I32) -> int:
            seen.append(_objects.count())
            raise glint.HostFailure("handled", code)

        sandbox = glint.Sandbox(image, mirror_functions(image, {"host_fail": host_fail}))
        before = _objects.count()
        sandbox.call("handle_failure", 5)
        self.assertEqual(seen, [before])  # the function ran, and nothing had been kept for it yet
        self.assertEqual(_objects.count(), before)


class Registration(TestCase):
    def test_annotations_give_the_signature(self) -> None:
        def everything(a: bool, b: int, c: float, d: str, e: bytes, f: glint.I32, g: glint.U32, h: glint.I64, i: glint.U64,
                       j: glint.F32, k: glint.F64) -> None:
            pass

        signature, takes_call = glint.types.signature_of(everything, glint.HostCall)
        self.assertEqual(str(signature), "(bool, i64, f64, string, bytes, i32, u32, i64, u64, f32, f64) -> void")
        self.assertFalse(takes_call)

    def test_annotations_may_be_strings(self) -> None:
        def late(call: "glint.HostCall", a: "glint.U32") -> "str":
            return str(a)

        signature, takes_call = glint.types.signature_of(late, glint.HostCall)
        self.assertEqual((str(signature), takes_call), ("(u32) -> string", True))

    def test_a_function_without_all_annotations_is_refused(self) -> None:
        def no_result(a: int):
            return a

        def no_parameter(a) -> int:
            return a

        for function in (no_result, no_parameter, lambda a: a):
            with self.subTest(function), self.assertRaisesRegex(TypeError, "must have an annotation"):
                glint.HostFunctions({"f": function})

    def test_an_annotation_that_cannot_cross_is_refused(self) -> None:
        def takes_list(a: list) -> int:
            return len(a)

        def takes_none(a: None) -> int:
            return 0

        with self.assertRaisesRegex(TypeError, "parameter a is annotated with <class 'list'>, which cannot cross"):
            glint.HostFunctions({"f": takes_list})
        with self.assertRaisesRegex(TypeError, "a parameter of type None"):
            glint.HostFunctions({"f": takes_none})

    def test_half_a_signature_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, "both or neither"):
            glint.HostFunctions().add("f", fails, params=[])
        with self.assertRaisesRegex(ValueError, "99 is not a valid Type"):
            glint.HostFunctions().add("f", fails, [99], glint.Type.VOID)

    def test_a_second_function_of_a_name_is_refused_and_given_up(self) -> None:
        host = glint.HostFunctions({"f": fails})
        before = _objects.count()
        with self.assertRaises(glint.UsageError) as caught:
            host.add("f", fails)
        self.assertEqual(caught.exception.code, glint.Code.INVALID_ARGUMENT)
        self.assertEqual(_objects.count(), before)

    def test_functions_are_given_up_with_their_set(self) -> None:
        before = _objects.count()
        host = glint.HostFunctions({"f": fails, "g": fails})
        self.assertEqual(_objects.count(), before + 2)
        host.close()
        host.close()
        self.assertEqual(_objects.count(), before)
        with self.assertRaisesRegex(ValueError, "the set of host functions is closed"):
            host.add("h", fails)

    def test_a_failure_without_a_code_is_refused(self) -> None:
        for code in (0, 2**31, -2**31 - 1):
            with self.subTest(code), self.assertRaisesRegex(ValueError, "no code of a failure"):
                glint.HostFailure("text", code)


if __name__ == "__main__":
    unittest.main()
