# SPDX-License-Identifier: Apache-2.0
"""Counts tests, whatever ran them."""

import xml.etree.ElementTree as ElementTree

MESSAGE_LINES = 12


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

    def read_gtest(self, lane, file):
        """Adds what a GoogleTest program wrote with --gtest_output=xml; returns the messages of failed tests."""
        messages = []
        for case in ElementTree.parse(file).iter("testcase"):
            name = f"{lane}: {case.get('classname')}.{case.get('name')}"
            failures = case.findall("failure")
            skipped = case.find("skipped")
            if failures:
                self.failed.append(name)
                text = "\n".join(failure.get("message", "") for failure in failures).splitlines()
                messages.append("\n".join([f"  FAILED {name}"] + [f"    | {line}" for line in text[:MESSAGE_LINES]]))
            elif skipped is not None:
                self.skip(name, " ".join(skipped.get("message", "no reason given").split()))
            elif case.get("status") == "notrun":
                self.skip(name, "disabled")
            else:
                self.passed += 1
        return messages
