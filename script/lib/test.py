# SPDX-License-Identifier: Apache-2.0
"""Runs test lanes and adds them up; started by script/test. Exit status: 0 all passed, 1 a test failed, 2 usage."""

import argparse
import subprocess
import sys
import time

import dotnet
import kvm
from lanes import LONG, USUAL
from steps import BUILD, StepFailed, say
from tally import Tally


# What the usual lanes are meant to take at most, on two processors. Machines differ, so more than that is only said.
USUAL_MINUTES = 25


def chosen_lanes(argv):
    parser = argparse.ArgumentParser(prog="script/test", description="Builds Glint and runs test lanes.")
    parser.add_argument("lanes", nargs="*", metavar="LANE", help="lanes to run; the usual ones when none is named")
    parser.add_argument("--long", action="store_true", help="also run the lanes that take long")
    parser.add_argument("--list", action="store_true", help="list the lanes and stop")
    arguments = parser.parse_args(argv)
    everything = {**USUAL, **LONG}
    if arguments.list:
        for name, lane in everything.items():
            print(f"{name:12}{'(long) ' if name in LONG else ''}{(lane.__doc__ or '').strip()}")
        sys.exit(0)
    unknown = [name for name in arguments.lanes if name not in everything]
    if unknown:
        parser.error(f"there is no lane {', '.join(unknown)}; the lanes are {', '.join(everything)}")
    if arguments.lanes:
        return {name: everything[name] for name in arguments.lanes}
    return everything if arguments.long else USUAL


def run_lane(name, lane):
    """The lane's tally, and the seconds it took."""
    say(f"== {name}")
    tally = Tally()
    start = time.monotonic()
    try:
        lane(tally)
    except StepFailed as failure:
        tally.failed.append(f"{name}: {failure} failed")
    seconds = time.monotonic() - start
    say(f"== {name}: {tally.counts()}, {seconds:.0f} s")
    return tally, seconds


def explain_kvm(problem):
    say(f"\nKVM cannot be used on this machine: {problem}")
    doctor = BUILD / "dev/tools/glint/glint"
    if doctor.exists():
        subprocess.run([doctor, "doctor"], stdin=subprocess.DEVNULL, check=False)


def main(argv):
    lanes = chosen_lanes(argv)
    total = Tally()
    seconds = {}
    for name, lane in lanes.items():
        tally, seconds[name] = run_lane(name, lane)
        total.add(tally)

    problem = kvm.problem()
    if problem:
        explain_kvm(problem)
    if total.skipped:
        say("\nskipped:")
        for name, reason in total.skipped:
            say(f"  {name}: {reason}")
    if total.failed:
        say("\nfailed:")
        for name in total.failed:
            say(f"  {name}")
    say(f"\n{len(lanes)} lanes in {sum(seconds.values()) / 60:.1f} minutes")
    usual_minutes = sum(seconds[name] for name in lanes if name in USUAL) / 60
    if usual_minutes > USUAL_MINUTES:
        say(f"warning: the usual lanes took {usual_minutes:.1f} minutes; they are to take {USUAL_MINUTES} at most")
    # The last line is for people and machines alike: one word may stand before the counts.
    missing = (["kvm"] if problem else []) + (["dotnet"] if "dotnet" in lanes and dotnet.problem() else [])
    say(f"without-{'-and-'.join(missing)}: {total.counts()}" if missing else total.counts())
    return 1 if total.failed else 0


sys.exit(main(sys.argv[1:]))
