# SPDX-License-Identifier: Apache-2.0
"""Runs commands: output into a log file, a sign of life while they take long, the end of the log when they fail."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
JOBS = str(os.cpu_count() or 2)

# Between two signs of life of a running command.
HEARTBEAT_SECONDS = 20
TAIL_LINES = 40


class StepFailed(Exception):
    """A command failed on which the rest of a lane depends."""


def say(text):
    print(text, flush=True)


def last_line(log):
    """The last full line of a growing log, for the sign of life."""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:100] if lines else ""


def tail(log):
    lines = pathlib.Path(log).read_text(errors="replace").splitlines()
    return "\n".join("    | " + line for line in lines[-TAIL_LINES:])


def run(title, command, log_name, env=None, timeout=None, cwd=ROOT):
    """Runs `command`; True when it exits with 0. Its output goes to build/logs/LOG_NAME.log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{log_name}.log"
    start = time.monotonic()
    deadline = start + timeout if timeout else None
    reason = None
    with open(log, "wb") as output:
        # A session of its own, so that all that it starts can be ended with it.
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, cwd=cwd, env={**os.environ, **(env or {})},
                                   start_new_session=True)
        try:
            while process.poll() is None:
                try:
                    process.wait(timeout=HEARTBEAT_SECONDS)
                except subprocess.TimeoutExpired:
                    say(f"    {title}, {time.monotonic() - start:.0f} s: {last_line(log)}")
                    if deadline and time.monotonic() > deadline:
                        reason = f"took more than {timeout} s"
                        break
        finally:
            # Also what it left behind, such as a test that hangs.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    if status == 0 and reason is None:
        return True
    say(f"  {title} failed ({reason or f'exit status {status}'}); all of its output is in {log.relative_to(ROOT)}:")
    say(tail(log))
    return False


# What was built, or failed to be, by this process; lanes share builds.
_builds = {}


def build(preset, *targets):
    """Configures and builds a preset, all of it or some targets; once per run of this program."""
    key = (preset, targets)
    if key not in _builds:
        _builds[key] = _build(preset, targets)
    if not _builds[key]:
        raise StepFailed(f"building {preset}")


def _build(preset, targets):
    start = time.monotonic()
    say(f"  building {preset} (a sign of life every {HEARTBEAT_SECONDS} s)")
    command = ["cmake", "--build", "--preset", preset, "-j", JOBS]
    if targets:
        command += ["--target", *targets]
    ok = (run(f"configuring {preset}", ["cmake", "--preset", preset], f"configure-{preset}") and
          run(f"building {preset}", command, f"build-{preset}"))
    if ok:
        say(f"  built {preset} in {time.monotonic() - start:.0f} s")
    return ok


def compiled_programs(directory):
    """The programs directly in a directory."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_file() and os.access(path, os.X_OK))


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)
