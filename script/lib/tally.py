# SPDX-License-Identifier: Apache-2.0
"""Counts tests, whatever ran them."""

import xml.etree.ElementTree as ElementTree

MESSAGE_LINES = 12
TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []  # names
        self.skipped = []  # (name, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def check(self, name, ok):
        """One test that is no GoogleTest."""
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)

    def skip(self, name, reason):
        self.skipped.append((name, reason))

    def counts(self):
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"

    def fail(self, name, problems):
        """Counts a failed test; returns what is to be said of it."""
        self.failed.append(name)
        text = "\n".join(problems).splitlines()
        return "\n".join([f"  FAILED {name}"] + [f"    | {line}" for line in text[:MESSAGE_LINES]])

    def read_gtest(self, lane, file):
        """Adds what a GoogleTest program wrote with --gtest_output=xml; returns the messages of failed tests.

        A test that skipped itself has failed: lanes that need KVM look for it before they run (needs_kvm), so nothing
        is left that could excuse one."""
        messages = []
        for case in ElementTree.parse(file).iter("testcase"):
            name = f"{lane}: {case.get('classname')}.{case.get('name')}"
            problems = [failure.get("message", "") for failure in case.findall("failure")]
            problems += ["skipped: " + skip.get("message", "no reason given") for skip in case.findall("skipped")]
            if case.get("status") == "notrun":
                problems.append("disabled")
            if problems:
                messages.append(self.fail(name, problems))
            else:
                self.passed += 1
        return messages

    def read_trx(self, lane, file):
        """The same for what `dotnet test --logger trx` wrote. What cannot run here is filtered out, and said, before."""
        messages = []
        for result in ElementTree.parse(file).iter(f"{TRX}UnitTestResult"):
            if result.get("outcome") == "Passed":
                self.passed += 1
                continue
            problems = [node.text or "" for node in result.iter(f"{TRX}Message")] or [str(result.get("outcome"))]
            messages.append(self.fail(f"{lane}: {result.get('testName')}", problems))
        return messages
