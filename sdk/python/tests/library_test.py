# SPDX-License-Identifier: Apache-2.0
"""Where the library is looked for, and what is said when it is not there. Each in a process of its own: a library is loaded
once."""

import os
import pathlib
import shutil
import tempfile
import unittest

from support import PACKAGE, run_python

LIBRARY = os.environ["GLINT_LIBRARY"]
SHOW = "import glint, pathlib; print(glint.version()); print({text!r} in pathlib.Path('/proc/self/maps').read_text())"


class Search(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name).resolve()

    def copy_library(self, name: str) -> pathlib.Path:
        return pathlib.Path(shutil.copy(LIBRARY, self.directory / name))

    def assert_loaded(self, code: str, path: pathlib.Path, **environment: str) -> None:
        done = run_python(code + SHOW.format(text=str(path)), **environment)
        self.assertEqual(done.stdout.split()[1:], ["True"], done.stderr)

    def test_a_path_that_is_given_comes_first(self) -> None:
        path = self.copy_library("given.so")
        self.assert_loaded(f"import glint; glint.load({str(path)!r})\n", path)

    def test_then_the_environment_variable(self) -> None:
        path = self.copy_library("variable.so")
        self.assert_loaded("", path, GLINT_LIBRARY=str(path))

    def test_then_the_directory_of_the_package(self) -> None:
        package = shutil.copytree(PACKAGE / "glint", self.directory / "glint", ignore=shutil.ignore_patterns("__pycache__"))
        path = self.copy_library("glint/libglint.so.1")
        self.assertTrue(package.is_dir())
        self.assert_loaded("", path, GLINT_LIBRARY="", PYTHONPATH=str(self.directory))

    def test_then_where_the_system_looks(self) -> None:
        path = self.copy_library("libglint.so.1")
        self.assert_loaded("", path, GLINT_LIBRARY="", LD_LIBRARY_PATH=str(self.directory))

    def test_a_missing_library_is_an_error_that_says_what_to_do(self) -> None:
        done = run_python("import glint; glint.Engine('fake')", GLINT_LIBRARY="/nowhere/libglint.so")
        self.assertIn("glint._native.LibraryError: the library of Glint cannot be loaded: /nowhere/libglint.so", done.stderr)
        self.assertIn("say in GLINT_LIBRARY where it is", done.stderr)

    def test_another_library_is_refused(self) -> None:
        done = run_python("import glint; glint.load('libc.so.6')")
        self.assertIn("LibraryError: libc.so.6 is no library of Glint", done.stderr)

    def test_a_failed_load_can_be_tried_again(self) -> None:
        done = run_python("import glint\ntry:\n  glint.load('libc.so.6')\n"
                          "except glint.LibraryError:\n  print(glint.version())")
        self.assertRegex(done.stdout, r"^\d+\.\d+\.\d+$", done.stderr)

    def test_a_second_library_is_refused(self) -> None:
        path = self.copy_library("second.so")
        done = run_python(f"import glint; glint.load(); glint.load(); glint.load({str(path)!r})")
        self.assertIn("is loaded already; a process can use only one library", done.stderr)


if __name__ == "__main__":
    unittest.main()
