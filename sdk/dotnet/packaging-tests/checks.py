# SPDX-License-Identifier: Apache-2.0
"""Runs commands, each with a time limit, and says what became of each check."""

import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]

sys.path.append(str(ROOT / "script/lib"))
import dotnet  # what script/test does not set, when this is run by hand  pylint: disable=wrong-import-position

# What restores, compiles or links; and a program that was built.
BUILD_SECONDS = 600
RUN_SECONDS = 120


class Done:
    """A command that has ended. `status` is None when it did not by itself."""

    def __init__(self, words, status, stdout, stderr, reason=None):
        self.status = status
        self.stdout = stdout
        self.story = f"$ {' '.join(words)}\n{reason or f'exit status {status}'}\n{stdout}{stderr}"


def run(words, cwd, env=None, seconds=BUILD_SECONDS):
    """Runs a command to its end, or ends it and all that it started."""
    words = [str(word) for word in words]
    try:
        return finish(words, start(words, cwd, env), seconds)
    except OSError as error:
        return Done(words, None, "", "", f"cannot be started: {error}")


def start(words, cwd, env):
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd=cwd, env={**os.environ, **dotnet.ENVIRONMENT, **(env or {})}, start_new_session=True)


def finish(words, process, seconds):
    try:
        stdout, stderr = process.communicate(timeout=seconds)
        return Done(words, process.returncode, stdout, stderr)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        return Done(words, None, stdout, stderr, f"took more than {seconds} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


class Checks:
    """Prints `ok NAME` or `not ok NAME` for each check, and remembers whether one failed."""

    def __init__(self):
        self.failed = False

    def report(self, name, ok, detail=""):
        if not ok:
            print(detail)
            self.failed = True
        print(f"{'ok' if ok else 'not ok'} {name}", flush=True)
        return ok

    def equal(self, name, actual, expected):
        return self.report(name, actual == expected, f"expected {expected!r}\n  actual {actual!r}")

    def command(self, name, words, cwd, env=None, seconds=BUILD_SECONDS, status=0, stdout=None):
        """A check that a command ends with `status` and, where that is given, prints `stdout`, all of it."""
        done = run(words, cwd, env, seconds)
        wanted = "" if stdout is None else f"\nexpected on the standard output:\n{stdout}"
        return self.report(name, done.status == status and stdout in (None, done.stdout), done.story + wanted)
