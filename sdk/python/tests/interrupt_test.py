# SPDX-License-Identifier: Apache-2.0
"""Interrupts and deadlines."""

import math
import threading
import time
import unittest

from support import FakeTestCase, KvmTestCase, TestCase

import glint


def wait_until_running(sandbox: glint.Sandbox) -> None:
    """Until a call is under way. Whether its guest has run yet, and so whether an interrupt poisons, cannot be seen."""
    while sandbox.state != glint.State.RUNNING:
        time.sleep(0)  # gives the interpreter's lock to the thread that calls


class Interrupts:
    def call_on_thread(self, sandbox: glint.Sandbox, interrupt: glint.Interrupt) -> tuple[threading.Thread, list[object]]:
        """A thread that is in `spin` of `sandbox`, and the class of what its call raises."""
        raised = []

        def work() -> None:
            try:
                sandbox.call("spin", deadline=math.inf, interrupt=interrupt)
            except glint.Error as error:
                raised.append(type(error))

        thread = threading.Thread(target=work)
        thread.start()
        wait_until_running(sandbox)
        return thread, raised

    def test_a_deadline_ends_a_call_that_never_returns(self) -> None:
        sandbox = self.mirror()
        begin = time.monotonic()
        with self.assertRaises(glint.DeadlineExceeded) as caught:
            sandbox.call("spin", deadline=0.05)
        self.assertEqual(caught.exception.code, glint.Code.DEADLINE)
        self.assertGreaterEqual(time.monotonic() - begin, 0.05)

    def test_the_engines_deadline_holds_when_a_call_has_none(self) -> None:
        self.engine.close()
        self.engine = glint.Engine(self.backend, deadline=0.05)
        with self.assertRaises(glint.DeadlineExceeded):
            self.mirror().call("spin")

    def test_an_interrupt_ends_a_call_that_never_returns(self) -> None:
        sandbox, interrupt = self.mirror(), glint.Interrupt()
        thread, raised = self.call_on_thread(sandbox, interrupt)
        self.assertFalse(interrupt.raised)
        self.assertEqual(interrupt.raise_(), 1)
        thread.join()
        self.assertEqual(raised, [glint.Interrupted])
        self.assertTrue(interrupt.raised)
        self.assertEqual(interrupt.raise_(), 0)

    def test_an_interrupt_ends_the_calls_of_several_sandboxes_and_no_other(self) -> None:
        ours, others = glint.Interrupt(), glint.Interrupt()
        threads = [self.call_on_thread(self.mirror(), ours) for _ in range(3)]
        other_sandbox = self.mirror()
        other_thread, other_raised = self.call_on_thread(other_sandbox, others)
        self.assertEqual(ours.raise_(), 3)
        for thread, raised in threads:
            thread.join()
            self.assertEqual(raised, [glint.Interrupted])
        self.assertEqual(other_sandbox.state, glint.State.RUNNING)
        others.raise_()
        other_thread.join()
        self.assertEqual(other_raised, [glint.Interrupted])

    def test_an_interrupt_that_was_raised_before_ends_a_call_before_the_guest_runs(self) -> None:
        sandbox, interrupt = self.mirror(), glint.Interrupt()
        sandbox.call("first", 1, 2)
        interrupt.raise_()
        with self.assertRaises(glint.Interrupted):
            sandbox.call("first", 1, 2, interrupt=interrupt)
        self.assertEqual(sandbox.state, glint.State.READY)
        self.assertEqual(sandbox.call("first", 3, 4), 3)

    def test_an_interrupt_that_comes_after_a_call_does_nothing(self) -> None:
        sandbox, interrupt = self.mirror(), glint.Interrupt()
        self.assertEqual(sandbox.call("first", 1, 2, interrupt=interrupt), 1)
        self.assertEqual(interrupt.raise_(), 0)
        self.assertEqual(sandbox.call("first", 2, 1), 2)

    def test_a_host_function_sees_that_its_call_is_to_end(self) -> None:
        interrupt, states = glint.Interrupt(), []

        def tells(call: glint.HostCall, number: glint.U32) -> None:
            states.append(call.state)
            interrupt.raise_()
            states.append(call.state)

        sandbox = self.mirror(host_tell=tells)
        with self.assertRaises(glint.Interrupted):
            sandbox.call("tell", 1, interrupt=interrupt)
        self.assertEqual(states, [0, glint.Code.INTERRUPTED])
        self.assertEqual(sandbox.state, glint.State.POISONED)

    def test_a_host_function_sees_that_the_deadline_is_over(self) -> None:
        def tells(call: glint.HostCall, number: glint.U32) -> None:
            while call.state == 0:
                time.sleep(0)
            self.assertEqual(call.state, glint.Code.DEADLINE)

        sandbox = self.mirror(host_tell=tells)
        sandbox.run()
        with self.assertRaises(glint.DeadlineExceeded) as caught:
            sandbox.call("tell", 1, deadline=1)
        self.assertIsNone(caught.exception.__cause__)
        self.assertEqual(sandbox.state, glint.State.POISONED)

    def test_the_exception_of_a_host_function_survives_an_interrupt(self) -> None:
        interrupt = glint.Interrupt()

        def tells(number: glint.U32) -> None:
            interrupt.raise_()
            raise LookupError("gave up")

        with self.assertRaises(glint.Interrupted) as caught:
            self.mirror(host_tell=tells).call("tell", 1, interrupt=interrupt)
        self.assertIs(type(caught.exception.__cause__), LookupError)

    def test_a_call_in_time_is_not_disturbed_by_its_deadline(self) -> None:
        sandbox = self.mirror()
        for deadline in (5, 0.5, math.inf, None):
            with self.subTest(deadline=deadline):
                self.assertEqual(sandbox.call("first", 1, 2, deadline=deadline), 1)

    def test_deadlines_that_make_no_sense_are_refused(self) -> None:
        sandbox = self.mirror()
        for deadline in (0, -1, -math.inf, math.nan, 1e30):
            with self.subTest(deadline=deadline), self.assertRaisesRegex(ValueError, "it must be more than 0"):
                sandbox.call("first", 1, 2, deadline=deadline)

    def test_closing_an_interrupt_during_its_call_does_not_end_the_call(self) -> None:
        interrupt = glint.Interrupt()

        def tells(number: glint.U32) -> None:
            interrupt.close()

        sandbox = self.mirror(host_tell=tells)
        sandbox.call("tell", 1, interrupt=interrupt)
        with self.assertRaisesRegex(ValueError, "the interrupt is closed"):
            sandbox.call("tell", 1, interrupt=interrupt)
        self.assertEqual(sandbox.call("first", 1, 2), 1)


class InterruptsOnFake(Interrupts, FakeTestCase):
    pass


class InterruptsOnKvm(Interrupts, KvmTestCase):
    pass


class WithoutACall(TestCase):
    def test_an_interrupt_needs_no_engine(self) -> None:
        with glint.Interrupt() as interrupt:
            self.assertFalse(interrupt.raised)
            self.assertEqual(interrupt.raise_(), 0)
            self.assertTrue(interrupt.raised)


if __name__ == "__main__":
    unittest.main()
