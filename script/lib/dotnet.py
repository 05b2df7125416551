# SPDX-License-Identifier: Apache-2.0
"""The .NET SDK: whether it is there, and what `dotnet test` reports."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

VERSION = 10
ADVICE = f"get the .NET SDK {VERSION} from Microsoft, for Debian 12; Debian itself does not have it"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1"}
TRX = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
MESSAGE_LINES = 12


def problem():
    """Why C# cannot be built here; empty when it can."""
    if not shutil.which("dotnet"):
        return f"there is no `dotnet`: {ADVICE}"
    listed = subprocess.run(["dotnet", "--list-sdks"], capture_output=True, text=True, check=False,
                            env={**os.environ, **ENVIRONMENT})
    versions = [line.split(".")[0] for line in listed.stdout.splitlines()]
    return "" if str(VERSION) in versions else f"`dotnet` has no SDK {VERSION}: {ADVICE}"


def read_trx(tally, lane, file):
    """Adds what `dotnet test --logger trx` wrote; returns the messages of failed tests. A test that was skipped has
    failed: what cannot run here is filtered out, and said, before."""
    messages = []
    for result in ElementTree.parse(file).iter(f"{TRX}UnitTestResult"):
        if result.get("outcome") == "Passed":
            tally.passed += 1
            continue
        name = f"{lane}: {result.get('testName')}"
        tally.failed.append(name)
        text = "\n".join(node.text or "" for node in result.iter(f"{TRX}Message")) or str(result.get("outcome"))
        messages.append("\n".join([f"  FAILED {name}"] + [f"    | {line}" for line in text.splitlines()[:MESSAGE_LINES]]))
    return messages
