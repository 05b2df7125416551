# SPDX-License-Identifier: Apache-2.0
"""run.py [--no-kvm]: runs all tests, without those that need KVM if told so. Prints `ok NAME` or `not ok NAME` for each; a
skipped test has failed. GLINT_LIBRARY is the library, GLINT_TEST_GUESTS the directory of the test guests."""

import pathlib
import sys
import unittest
from collections.abc import Iterator

from support import KvmTestCase


class Lines(unittest.TextTestResult):
    """A line for each test; the base class prints what went wrong at the end."""

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        bad = {case.id() for case, _ in self.failures + self.errors + self.skipped}
        # A failed sub-test has the name of its test and its parameters in parentheses.
        failed = any(name == test.id() or name.startswith(f"{test.id()} ") for name in bad)
        print(f"{'not ok' if failed else 'ok'} {test.id()}", flush=True)


def each_test(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        yield from each_test(test) if isinstance(test, unittest.TestSuite) else (test,)


def main() -> None:
    found = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent), "*_test.py")
    tests = [test for test in each_test(found) if "--no-kvm" not in sys.argv or not isinstance(test, KvmTestCase)]
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0, resultclass=Lines).run(unittest.TestSuite(tests))
    sys.exit(0 if result.wasSuccessful() and not result.skipped else 1)


main()
