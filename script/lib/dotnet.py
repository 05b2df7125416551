# SPDX-License-Identifier: Apache-2.0
"""Says whether the .NET SDK is there."""

import functools
import os
import shutil
import subprocess

VERSION = 10
ADVICE = f"get the .NET SDK {VERSION} from Microsoft, for Debian 12; Debian itself does not have it"
ENVIRONMENT = {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1"}


@functools.cache
def problem():
    """Why C# cannot be built here; empty when it can."""
    if not shutil.which("dotnet"):
        return f"there is no `dotnet`: {ADVICE}"
    listed = subprocess.run(["dotnet", "--list-sdks"], capture_output=True, text=True, check=False,
                            env={**os.environ, **ENVIRONMENT})
    versions = [line.split(".")[0] for line in listed.stdout.splitlines()]
    return "" if str(VERSION) in versions else f"`dotnet` has no SDK {VERSION}: {ADVICE}"
