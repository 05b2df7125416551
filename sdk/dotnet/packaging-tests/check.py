# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD WORK: packs the C# SDK with the library of BUILD, a release build, looks into the package, and uses it in a
project outside the solution that restores it from a local folder: framework-dependent, self-contained in a single file,
trimmed, and compiled ahead of time. So it runs the C# examples. Prints `ok NAME` or `not ok NAME` for each check."""

import pathlib
import shutil
import sys

from checks import ROOT, RUN_SECONDS, Checks, dotnet
from examples import check_examples
from feed import check_mapping, check_origin, copy_as_consumer, environment
from package import pack

CONSUMER = pathlib.Path(__file__).resolve().parent / "Consumer"
RID = "linux-x64"
WAYS = {
    "framework-dependent": ["-r", RID, "--self-contained", "false"],
    "self-contained, single file": ["-r", RID, "--self-contained", "true", "-p:PublishSingleFile=true",
                                    "-p:IncludeNativeLibrariesForSelfExtract=true"],
    "trimmed": ["-r", RID, "--self-contained", "true", "-p:PublishTrimmed=true", "-p:TrimMode=full"],
    "NativeAOT": ["-r", RID, "-p:PublishAot=true"],
}


def check_consumer(checks, consumer, guest, work, env):
    for name, options in WAYS.items():
        out = work / "published" / name.split(",")[0].replace(" ", "-")
        built = checks.command(f"the consumer is published, {name}",
                               ["dotnet", "publish", "-c", "Release", "-o", out, *options, "--artifacts-path", f"{out}-build",
                                *dotnet.BUILD_OPTIONS], consumer, env)
        if built:
            checks.command(f"the consumer runs, {name}", [out / "Consumer", guest], out, seconds=RUN_SECONDS,
                           stdout="the package works\n")


def main(build, work):
    build = pathlib.Path(build).resolve()
    work = pathlib.Path(work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    checks = Checks()
    feed = pack(checks, build, work)
    if feed is None:
        return 1
    env = environment(work)
    check_mapping(checks, CONSUMER, work, feed, env)
    consumer = copy_as_consumer(CONSUMER, work / "consumer", feed)
    # The guest tests/guests/mirror, as the benchmarks of this build have it.
    check_consumer(checks, consumer, build / "bench/bench_mirror", work, env)
    check_examples(checks, copy_as_consumer(ROOT / "examples/csharp", work / "examples", feed), build, work, env)
    check_origin(checks, feed, env)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
