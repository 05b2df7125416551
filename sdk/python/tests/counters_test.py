# SPDX-License-Identifier: Apache-2.0
"""The counters of engines and sandboxes."""

import threading
import unittest

from support import GUESTS, FakeTestCase, KvmTestCase, TestCase

import glint


class Counters:
    def test_an_engine_counts_what_is_made_and_what_is_left(self) -> None:
        self.assertEqual(self.engine.counters, glint.EngineCounters(*[0] * 6))
        with self.guest("echo") as image:
            with glint.Sandbox(image) as one, glint.Sandbox(image) as other:
                counters = self.engine.counters
                self.assertEqual((counters.sandboxes_live, counters.vms_live), (2, 0))  # nothing has run
                one.call("echo_i64", 1)
                self.assertEqual(self.engine.counters.vms_live, 1)
                other.call("echo_i64", 1)
            counters = self.engine.counters
            self.assertEqual((counters.sandboxes_live, counters.sandboxes_created), (0, 2))
            self.assertLessEqual(counters.vms_live, counters.vms_created)
            self.assertEqual(counters.attaches, 2)
        self.assertEqual(self.engine.counters.vms_live, 0)

    def test_a_sandbox_counts_its_calls(self) -> None:
        with self.mirror() as sandbox:
            self.assertEqual(sandbox.counters, glint.SandboxCounters(*[0] * 9))
            sandbox.call("first", 1, 2)
            for function, host_calls in (("first", 0), ("add", 1)):
                with self.subTest(function):
                    before = sandbox.counters
                    sandbox.call(function, 1, 2)
                    after = sandbox.counters
                    self.assertEqual(after.calls, before.calls + 1)
                    self.assertEqual(after.host_calls, before.host_calls + host_calls)
                    # A signal to this thread makes it leave the guest, too.
                    self.assertGreaterEqual(after.exits, before.exits + host_calls + 1)
                    self.assertEqual((after.attaches, after.unknown_syscalls, after.restores), (1, 0, 0))

    def test_during_a_call_its_callbacks_may_read_them_and_other_threads_may_not(self) -> None:
        during: list[glint.SandboxCounters] = []
        codes: list[int] = []

        def elsewhere() -> None:
            try:
                _ = holder[0].counters
            except glint.UsageError as error:
                codes.append(error.code)

        def tells(number: glint.U32) -> None:
            during.append(holder[0].counters)
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

        holder = [self.mirror(host_tell=tells)]
        holder[0].call("tell", 1)
        self.assertEqual([(counters.calls, counters.host_calls) for counters in during], [(1, 1)])
        self.assertEqual(codes, [glint.Code.BUSY])
        elsewhere()  # between calls, any thread
        self.assertEqual((len(codes), holder[0].counters.calls), (1, 1))
        holder.pop().close()

    def test_a_sandbox_counts_how_often_it_was_restored(self) -> None:
        sandbox = self.mirror()
        with sandbox.snapshot() as snapshot:
            for times in (1, 2, 3):
                sandbox.call("first", 1, 2)
                sandbox.restore(snapshot)
                self.assertEqual(sandbox.counters.restores, times)


class CountersOnFake(Counters, FakeTestCase):
    def test_a_call_is_one_exit(self) -> None:
        with self.mirror() as sandbox:
            sandbox.call("first", 1, 2)
            before = sandbox.counters.exits
            sandbox.call("first", 1, 2)
            self.assertEqual(sandbox.counters.exits, before + 1)

    def test_vms_are_kept_for_the_next_sandbox(self) -> None:
        with self.guest("echo") as image:
            for made in (1, 2, 3):
                with glint.Sandbox(image) as sandbox:
                    sandbox.call("echo_i64", 1)
                counters = self.engine.counters
                self.assertEqual((counters.vms_live, counters.vms_created, counters.sandboxes_created), (1, 1, made))


class CountersOnKvm(Counters, KvmTestCase):
    def test_restoring_copies_the_pages_that_were_written(self) -> None:
        with self.guest("dirt") as image, glint.Sandbox(image) as original, original.snapshot() as snapshot, \
                glint.Sandbox(snapshot) as sandbox:
            for times in (1, 2, 3):
                before = sandbox.counters
                sandbox.call("touch", 16)
                sandbox.restore()
                after = sandbox.counters
                self.assertEqual((before.restores, after.restores), (times - 1, times))
                self.assertGreaterEqual(after.restored_pages, before.restored_pages + 16)
                self.assertLessEqual(after.restored_pages, before.restored_pages + 40)  # the stack and so on
            self.assertEqual(original.counters.restored_pages, 0)

    def test_a_sandbox_counts_what_it_prints_and_asks_of_the_hypervisor(self) -> None:
        printed: list[bytes] = []
        with self.guest("libc") as image:
            with glint.Sandbox(image, output=lambda stream, data: printed.append(data)) as sandbox:
                sandbox.call("print_lines", 3)
                counters = sandbox.counters
                self.assertEqual(counters.output_bytes, sum(map(len, printed)))
                self.assertGreater(counters.output_bytes, 0)
                self.assertGreaterEqual(counters.ioctls, counters.exits)


class Limit(TestCase):
    def test_an_engine_keeps_no_more_vms_than_it_is_told(self) -> None:
        with glint.Engine("fake", max_vms=2) as engine:
            sandboxes = [glint.Sandbox(engine.load(GUESTS / "echo")) for _ in range(4)]
            for _ in range(2):
                for number, sandbox in enumerate(sandboxes):
                    self.assertEqual(sandbox.call("echo_i64", number), number)
                    self.assertLessEqual(engine.counters.vms_live, 2)
            counters = engine.counters
            self.assertEqual((counters.sandboxes_live, counters.vms_live), (4, 2))
            # Two of the four are in VMs, so each call had to make room for a new VM.
            self.assertEqual((counters.vms_created, counters.attaches, counters.parks), (8, 8, 6))


if __name__ == "__main__":
    unittest.main()
