# SPDX-License-Identifier: Apache-2.0
"""When native objects end: by close(), in any order, during calls, when they are forgotten, and at the process's end."""

import gc
import threading
import unittest
import weakref

from support import GUESTS, FakeTestCase, TestCase, live_objects, run_python

import glint
from glint import _objects


class Lifetimes(FakeTestCase):
    def test_parents_may_be_closed_first(self) -> None:
        sandbox = self.mirror()
        sandbox.image.close()
        self.engine.close()
        self.assertEqual(sandbox.call("add", 4, 5), 4)

    def test_closing_twice_is_harmless(self) -> None:
        sandbox = self.mirror()
        sandbox.close()
        sandbox.close()
        self.assertEqual(live_objects()["sandboxes"], 0)

    def test_what_is_closed_says_so(self) -> None:
        sandbox, image = self.mirror(), self.guest("echo")
        sandbox.close()
        image.close()
        self.engine.close()
        for what, use in (("sandbox", lambda: sandbox.call("add", 1, 2)), ("sandbox", lambda: sandbox.state),
                          ("image", lambda: glint.Sandbox(image)), ("engine", lambda: self.engine.load(GUESTS / "echo")),
                          ("engine", lambda: self.engine.backend), ("sandbox", lambda: sandbox.counters),
                          ("engine", lambda: self.engine.counters)):
            with self.subTest(what), self.assertRaisesRegex(ValueError, f"the {what} is closed"):
                use()

    def test_a_with_block_closes(self) -> None:
        with self.mirror() as sandbox:
            self.assertEqual(live_objects()["sandboxes"], 1)
        self.assertEqual(live_objects()["sandboxes"], 0)
        with self.assertRaises(ValueError):
            sandbox.call("add", 1, 2)

    def test_a_forgotten_sandbox_is_freed_at_once(self) -> None:
        sandbox = self.mirror()
        self.assertEqual(live_objects()["sandboxes"], 1)
        del sandbox
        self.assertEqual(live_objects()["sandboxes"], 0)
        self.assertEqual(_objects.count(), 0)

    def test_a_failed_call_does_not_keep_its_sandbox(self) -> None:
        def fails(a: int, b: int) -> int:
            raise LookupError

        gc.disable()
        self.addCleanup(gc.enable)
        sandbox = self.mirror(host_add=fails)
        gone = weakref.ref(sandbox)
        try:
            sandbox.call("add", 1, 2)
        except glint.GuestError:
            pass
        del sandbox
        self.assertIsNone(gone())
        self.assertEqual(live_objects()["errors"], 0)

    def test_closing_during_a_call_lets_the_call_end(self) -> None:
        entered, closed = threading.Event(), threading.Event()

        def waits(number: glint.U32) -> None:
            entered.set()
            closed.wait()

        sandbox = self.mirror(host_tell=waits)
        raised = []

        def work() -> None:
            try:
                sandbox.call("tell", 1)
            except Exception as error:
                raised.append(repr(error))

        thread = threading.Thread(target=work)
        thread.start()
        entered.wait()
        sandbox.close()
        self.assertEqual(live_objects()["sandboxes"], 1)
        closed.set()
        thread.join()
        self.assertEqual(raised, [])
        self.assertEqual(live_objects()["sandboxes"], 0)

    def test_a_second_thread_is_refused_during_a_call(self) -> None:
        entered, tried = threading.Event(), threading.Event()

        def waits(number: glint.U32) -> None:
            entered.set()
            tried.wait()

        sandbox = self.mirror(host_tell=waits)
        thread = threading.Thread(target=sandbox.call, args=("tell", 1))
        thread.start()
        entered.wait()
        with self.assertRaises(glint.UsageError) as caught:
            sandbox.call("add", 1, 2)
        tried.set()
        thread.join()
        self.assertEqual(caught.exception.code, glint.Code.BUSY)
        self.assertEqual(sandbox.call("add", 1, 2), 1)

    def test_many_calls_leave_nothing(self) -> None:
        sandbox = self.mirror()
        before = live_objects(), _objects.count()
        for number in range(10_000):
            sandbox.call("add", number, 1)
        self.assertEqual((live_objects(), _objects.count()), before)

    def test_a_function_that_refers_to_its_sandbox_keeps_it_until_it_is_closed(self) -> None:
        """No garbage collector sees a cycle that goes through the native side; the README says so."""
        gone = self.sandbox_in_a_cycle()
        gc.collect()
        self.assertIsNotNone(gone())
        gone().close()
        gc.collect()
        self.assertIsNone(gone())

    def sandbox_in_a_cycle(self) -> weakref.ref[glint.Sandbox]:
        holder: list[glint.Sandbox] = []

        def tells(number: glint.U32) -> None:
            holder.clear()

        holder.append(self.mirror(host_tell=tells))
        return weakref.ref(holder[0])


OPEN = """
import glint, threading
engine = glint.Engine("fake")
image = engine.load({guest!r})
host = glint.HostFunctions()
for name, signature in image.imports.items():
    host.add(name, lambda *values: values[0], signature.params, signature.result)
sandbox = glint.Sandbox(image, host, output=print)
"""


class EndOfTheProcess(TestCase):
    def run_open(self, code: str) -> None:
        """Runs `code` with open objects, in a process that must end without a sound."""
        done = run_python(OPEN.format(guest=str(GUESTS / "mirror")) + code)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "1\n", ""))

    def test_objects_may_be_open_at_the_end(self) -> None:
        self.run_open("print(sandbox.call('add', 1, 2))")

    def test_objects_in_a_cycle_may_be_open_at_the_end(self) -> None:
        self.run_open("sandbox.self = sandbox; engine.all = [sandbox, host]; print(sandbox.call('add', 1, 2))")

    def test_a_thread_may_be_in_a_call_when_the_main_thread_ends(self) -> None:
        self.run_open("threading.Thread(target=lambda: print(sandbox.call('add', 1, 2))).start()")


if __name__ == "__main__":
    unittest.main()
