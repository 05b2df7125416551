# SPDX-License-Identifier: Apache-2.0
"""Says whether the .NET SDK is there. Run as a program, by script/bootstrap: fetches the NuGet packages that building and
testing C# takes, so that both do without the internet from then on. Does nothing where that was done."""

import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import steps

VERSION = 10
ADVICE = f"get the .NET SDK {VERSION}: https://learn.microsoft.com/dotnet/core/install/linux-debian"
ENVIRONMENT = {
    "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1",
    # No build servers: they would outlive whoever started them.
    "DOTNET_CLI_USE_MSBUILD_SERVER": "0", "MSBUILDDISABLENODEREUSE": "1", "UseSharedCompilation": "false",
    # No question to the internet, at each restore, whether packages have known flaws: tests are to give the same without it.
    "NuGetAudit": "false",
}
# Of what builds C#: no more than two projects at once.
BUILD_OPTIONS = ["-maxcpucount:2"]

CONSUMER = "sdk/dotnet/packaging-tests/Consumer"
# What the consumer takes beside Glint to be published in all ways.
PACKS = [CONSUMER, "-p:WithoutGlint=true", "-r", "linux-x64", "--artifacts-path", steps.BUILD / "dotnet/packs"]
RESTORES = (
    ["sdk/dotnet/Glint.slnx"],
    ["bench/dotnet"],
    [*PACKS, "-p:SelfContained=true", "-p:PublishTrimmed=true"],
    [*PACKS, "-p:PublishAot=true"],
)
RESTORE_SECONDS = 900


def output(*command):
    """What a command of `dotnet` prints."""
    return subprocess.run(["dotnet", *command], capture_output=True, text=True, check=False,
                          env={**os.environ, **ENVIRONMENT}).stdout


@functools.cache
def problem():
    """Why C# cannot be built here; empty when it can."""
    if not shutil.which("dotnet"):
        return f"there is no `dotnet`: {ADVICE}"
    versions = [line.split(".")[0] for line in output("--list-sdks").splitlines()]
    return "" if str(VERSION) in versions else f"`dotnet` has no SDK {VERSION}: {ADVICE}"


def packages():
    """The directory to which NuGet fetches packages."""
    return pathlib.Path(output("nuget", "locals", "global-packages", "--list").partition(":")[2].strip())


def needs():
    """Stands for all that says which packages are needed."""
    text = hashlib.sha256(output("--version").encode())
    for directory in ("sdk/dotnet", "bench/dotnet"):
        for path in sorted((steps.ROOT / directory).rglob("*")):
            if path.suffix in (".csproj", ".props", ".slnx") or path.name == "nuget.config":
                text.update(path.read_bytes())
    text.update(pathlib.Path(__file__).read_bytes())
    return text.hexdigest()


def fetch_packages():
    """True when all packages are there. The stamp says for what, and where to, they were fetched last."""
    stamp = steps.BUILD / "dotnet/packages-fetched"
    needed = needs()
    if stamp.exists():
        fetched, _, directory = stamp.read_text(encoding="utf-8").partition(" ")
        if fetched == needed and pathlib.Path(directory).is_dir():
            return True
    start = time.monotonic()
    steps.say("bootstrap: fetching the NuGet packages of the C# projects; this may take some minutes")
    for number, arguments in enumerate(RESTORES, 1):
        if not steps.run(f"dotnet restore {arguments[0]}", ["dotnet", "restore", *arguments, *BUILD_OPTIONS],
                         f"bootstrap-dotnet-{number}", env=ENVIRONMENT, timeout=RESTORE_SECONDS):
            return False
    stamp.write_text(f"{needed} {packages()}", encoding="utf-8")
    steps.say(f"bootstrap: fetched in {time.monotonic() - start:.0f} s")
    return True


if __name__ == "__main__":
    if problem():
        steps.fail(f"bootstrap: C# is not built or tested: {problem()}")
    sys.exit(0 if fetch_packages() else 1)
