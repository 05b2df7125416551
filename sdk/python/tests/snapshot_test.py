# SPDX-License-Identifier: Apache-2.0
"""Snapshots, sandboxes that go on from them, and putting sandboxes back."""

import contextlib
import unittest

from support import FakeTestCase, KvmTestCase

import glint


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
        with self.assertRaises(glint.UsageError):
            self.mirror().restore()


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


if __name__ == "__main__":
    unittest.main()
