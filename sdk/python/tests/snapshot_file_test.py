# SPDX-License-Identifier: Apache-2.0
"""Snapshots in files: saved, loaded by another engine, and what cannot be loaded."""

import pathlib
import stat
import tempfile
import unittest

from support import GUESTS, FakeTestCase, KvmTestCase, live_objects, mirror_functions

import glint


class FilesTestCase:
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "a snapshot — of dirt"

    def assert_refused(self, code: glint.Code, image: glint.Image, kind: type[glint.Error] = glint.SnapshotError) -> str:
        with self.assertRaises(kind) as caught:
            glint.Snapshot.load(image, self.path)
        self.assertEqual(caught.exception.code, code)
        self.assertEqual(live_objects()["snapshots"], 0)
        return caught.exception.message


class FilesOnFake(FilesTestCase, FakeTestCase):
    def test_a_snapshot_can_be_saved_and_loaded(self) -> None:
        with self.mirror() as sandbox, sandbox.snapshot() as snapshot:
            snapshot.save(self.path)
            sizes = snapshot.memory_size, snapshot.stored_size
        image = self.guest("mirror")
        with glint.Snapshot.load(image, str(self.path)) as loaded:
            self.assertIs(loaded.image, image)
            self.assertEqual((loaded.memory_size, loaded.stored_size), sizes)
            with glint.Sandbox(loaded, mirror_functions(image, {})) as sandbox:
                self.assertEqual(sandbox.call("first", 1, 2), 1)

    def test_what_is_closed_says_so(self) -> None:
        with self.mirror() as sandbox, sandbox.snapshot() as snapshot:
            image = sandbox.image
        with self.assertRaisesRegex(ValueError, "the snapshot is closed"):
            snapshot.save(self.path)
        image.close()
        with self.assertRaisesRegex(ValueError, "the image is closed"):
            glint.Snapshot.load(image, self.path)


class FilesOnKvm(FilesTestCase, KvmTestCase):
    def setUp(self) -> None:
        super().setUp()
        with self.guest("dirt") as image, glint.Sandbox(image) as sandbox:
            self.assertEqual(sandbox.call("count"), 1)
            with sandbox.snapshot() as snapshot:
                snapshot.save(self.path)

    def test_a_new_engine_goes_on_where_the_original_would(self) -> None:
        with glint.Engine("kvm") as engine, engine.load(GUESTS / "dirt") as image:
            snapshot = glint.Snapshot.load(image, self.path)
            self.path.unlink()
            with snapshot, glint.Sandbox(snapshot) as one, glint.Sandbox(snapshot) as other:
                self.assertEqual([one.call("count"), one.call("count"), other.call("count")], [2, 3, 2])
                one.restore()
                self.assertEqual(one.call("count"), 2)
                with glint.Pool(snapshot, size=1) as pool, pool.acquire() as lent:
                    self.assertEqual(lent.call("count"), 2)

    def test_saving_replaces_and_only_the_owner_may_read(self) -> None:
        with self.guest("dirt") as image, glint.Snapshot.load(image, self.path) as old:
            with glint.Sandbox(old) as sandbox:
                self.assertEqual(sandbox.call("count"), 2)
                with sandbox.snapshot() as newer:
                    newer.save(self.path)
                    self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o400)
            with glint.Snapshot.load(image, self.path) as new, glint.Sandbox(new) as of_new, glint.Sandbox(old) as of_old:
                self.assertEqual([of_new.call("count"), of_old.call("count")], [3, 2])

    def test_what_is_no_such_file_is_refused_with_a_code_of_its_own(self) -> None:
        image, code = self.guest("dirt"), glint.Code
        good = self.path.read_bytes()
        self.assert_refused(code.SNAPSHOT_IMAGE, self.guest("echo"))
        self.assert_refused(code.SNAPSHOT_IMAGE, self.engine.load(GUESTS / "dirt", memory_size=32 << 20))
        flipped = bytearray(good)
        flipped[-1 - 4096] ^= 1
        version = bytearray(good)
        version[8] += 1
        for content, wanted in ((good[:len(good) // 2], code.SNAPSHOT_TRUNCATED), (b"", code.SNAPSHOT_FORMAT),
                                (b"no snapshot at all " * 1000, code.SNAPSHOT_FORMAT), (flipped, code.SNAPSHOT_CORRUPT),
                                (version, code.SNAPSHOT_VERSION)):
            with self.subTest(wanted):
                self.path.unlink()
                self.path.write_bytes(content)
                self.assert_refused(wanted, image)
        self.path.unlink()
        self.assert_refused(code.SYSTEM, image, glint.MachineError)
        self.path.write_bytes(good)
        glint.Snapshot.load(image, self.path).close()

    def test_where_nothing_can_be_written_is_an_error(self) -> None:
        with self.guest("dirt") as image, glint.Snapshot.load(image, self.path) as snapshot:
            with self.assertRaises(glint.MachineError) as caught:
                snapshot.save(self.path / "below a file")
            self.assertEqual(caught.exception.code, glint.Code.SYSTEM)


if __name__ == "__main__":
    unittest.main()
