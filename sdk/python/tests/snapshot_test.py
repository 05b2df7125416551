# SPDX-License-Identifier: Apache-2.0
"""Snapshots, sandboxes that go on from them, and putting sandboxes back."""

import contextlib
import unittest

from support import FakeTestCase, KvmTestCase, live_objects, mirror_functions

import glint
from glint import _objects


class FakeSnapshots(FakeTestCase):
    def test_restoring_clears_poison(self) -> None:
        sandbox = self.mirror()
        with sandbox.snapshot() as snapshot:
            sandbox.restore(snapshot)
        for _ in range(3):
            with self.assertRaises(glint.DeadlineExceeded):
                sandbox.call("spin", deadline=0.05)
            self.assertEqual(sandbox.state, glint.State.POISONED)
            sandbox.restore()
            self.assertEqual(sandbox.state, glint.State.READY)
            self.assertEqual(sandbox.call("first", 1, 2), 1)

    def test_there_must_be_a_snapshot_to_go_back_to(self) -> None:
        with self.assertRaises(glint.UsageError) as caught:
            self.mirror().restore()
        self.assertEqual(caught.exception.code, glint.Code.INVALID_ARGUMENT)

    def test_a_snapshot_ends_with_its_with_block_and_when_it_is_forgotten(self) -> None:
        sandbox = self.mirror()
        with sandbox.snapshot():
            self.assertEqual(live_objects()["snapshots"], 1)
        self.assertEqual(live_objects()["snapshots"], 0)
        snapshot = sandbox.snapshot()
        self.assertEqual(live_objects()["snapshots"], 1)
        del snapshot
        self.assertEqual(live_objects()["snapshots"], 0)

    def test_a_sandbox_in_a_call_is_busy(self) -> None:
        codes = []

        def tells(number: glint.U32) -> None:
            for refused in (holder[0].restore, lambda: holder[0].restore(snapshot), holder[0].snapshot):
                try:
                    refused()
                except glint.UsageError as error:
                    codes.append(error.code)

        holder = [self.mirror(host_tell=tells)]
        snapshot = holder[0].snapshot()
        holder[0].call("tell", 1)
        self.assertEqual(codes, [glint.Code.BUSY] * 3)
        holder[0].restore(snapshot)
        holder.pop().close()

    def test_what_is_closed_says_so(self) -> None:
        sandbox = self.mirror()
        snapshot = sandbox.snapshot()
        snapshot.close()
        for use in (lambda: glint.Sandbox(snapshot, {}), lambda: sandbox.restore(snapshot)):
            with self.assertRaisesRegex(ValueError, "the snapshot is closed"):
                use()
        self.assertEqual(sandbox.call("first", 1, 2), 1)
        sandbox.close()
        for use in (sandbox.restore, sandbox.snapshot):
            with self.assertRaisesRegex(ValueError, "the sandbox is closed"):
                use()

    def test_what_cannot_be_is_refused_and_leaves_nothing(self) -> None:
        sandbox = self.mirror()
        snapshot, host = sandbox.snapshot(), mirror_functions(sandbox.image, {})
        stranger = glint.Sandbox(self.guest("faults"))
        kept, code = _objects.count(), glint.Code
        for wanted, refused in ((code.INVALID_ARGUMENT, lambda: stranger.restore(snapshot)),
                                (code.INVALID_ARGUMENT, lambda: glint.Sandbox(snapshot, host, environment={"A": "1"})),
                                (code.MISSING_IMPORT, lambda: glint.Sandbox(snapshot, output=print))):
            with self.assertRaises(glint.UsageError) as caught:
                refused()
            self.assertEqual(caught.exception.code, wanted)
        self.assertEqual(_objects.count(), kept)

    def test_an_interrupt_that_is_raised_already_lets_nothing_start(self) -> None:
        sandbox, interrupt = self.mirror(), glint.Interrupt()
        interrupt.raise_()
        with self.assertRaises(glint.Interrupted):
            sandbox.snapshot(interrupt=interrupt)
        self.assertEqual(sandbox.state, glint.State.NEW)
        sandbox.snapshot(deadline=60, interrupt=glint.Interrupt())


class KvmSnapshots(KvmTestCase):
    def snapshot(self, image: glint.Image) -> glint.Snapshot:
        """Of a guest that has counted to one."""
        with glint.Sandbox(image) as sandbox:
            self.assertEqual(sandbox.call("count"), 1)
            return sandbox.snapshot()

    def test_sandboxes_go_on_from_it_and_do_not_see_each_other(self) -> None:
        with self.guest("dirt") as image, self.snapshot(image) as snapshot:
            self.assertLess(snapshot.stored_size, snapshot.memory_size)
            with glint.Sandbox(snapshot) as one, glint.Sandbox(snapshot) as other:
                self.assertEqual([one.call("count"), one.call("count"), other.call("count")], [2, 3, 2])
                self.assertIs(one.image, image)
                with self.assertRaises(glint.UsageError):
                    glint.Sandbox(snapshot, arguments=["late"])

    def test_they_outlive_it(self) -> None:
        with self.guest("dirt") as image:
            snapshot = self.snapshot(image)
            with glint.Sandbox(snapshot) as sandbox:
                snapshot.close()
                self.assertEqual(sandbox.call("count"), 2)
                sandbox.restore()
                self.assertEqual(sandbox.call("count"), 2)
                with self.assertRaises(ValueError):
                    sandbox.restore(snapshot)

    def test_what_a_faulted_guest_wrote_is_gone(self) -> None:
        with self.guest("dirt") as image, self.snapshot(image) as snapshot, glint.Sandbox(snapshot) as sandbox:
            for end in (2, 3, 5):  # a fault, an abort, an overflow of the stack
                with self.assertRaises(glint.GuestFault):
                    sandbox.call("dirty", 7, 20, end)
                sandbox.restore()
                self.assertEqual(sandbox.call("count"), 2)
                sandbox.restore()

    def test_each_call_of_an_isolated_sandbox_begins_anew(self) -> None:
        with self.guest("dirt") as image, glint.Sandbox(image, restore_each_call=True) as sandbox:
            for _ in range(3):
                self.assertEqual(sandbox.call("count"), 1)
                with contextlib.suppress(glint.GuestFault):
                    sandbox.call("dirty", 7, 20, 2)

    def test_a_program_that_has_ended_has_no_snapshot_and_can_be_restored(self) -> None:
        with self.guest("dirt") as image, self.snapshot(image) as snapshot, glint.Sandbox(snapshot) as sandbox:
            for refused in (lambda: sandbox.call("dirty", 7, 0, 4), sandbox.snapshot):
                with self.assertRaises(glint.UsageError) as caught:
                    refused()
                self.assertEqual(caught.exception.code, glint.Code.ENDED)
            sandbox.restore()
            self.assertEqual(sandbox.call("count"), 2)

    def test_no_two_sandboxes_draw_the_same_random_bytes(self) -> None:
        with self.guest("dirt") as image, self.snapshot(image) as snapshot, glint.Sandbox(snapshot) as kept:
            drawn = set()
            for _ in range(10):
                with glint.Sandbox(snapshot) as made:
                    drawn |= {kept.call("random_word"), made.call("random_word")}
                kept.restore()
            self.assertEqual(len(drawn), 20)


if __name__ == "__main__":
    unittest.main()
