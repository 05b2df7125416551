# SPDX-License-Identifier: Apache-2.0
"""The C# examples, built with the package and run as a user would. What they print is known, all of it."""

import re
import sys

from checks import ROOT, RUN_SECONDS, dotnet, run

sys.path.append(str(ROOT / "tests/examples"))
from png import Picture  # pylint: disable=wrong-import-position

# As large as the longer side of a thumbnail is at most.
THUMBNAIL_SIDE = 160
NESTED = """\
Hello, Hello, Dr. Curie! Curie!
KeyNotFoundException through two guests: nobody
cancelled while a host function waited
"""
LUA = """\
log: read 5 orders
1. Ångström      1676.13 EUR
2. Curie         1310.00 EUR
3. Bose          1305.50 EUR
"""
# What the C++ example prints of one file: with a thumbnail's size, or else with what went wrong in the next lines.
CPP_FILE = re.compile(
    r"^(?P<name>\S+) +\d+x\d+ *(?P<progress>(?: \d+%)*)"
    r"(?: -> \d+x\d+, \d+ -> (?P<size>\d+) bytes, [\d.]+ ms| *\n    (?P<error>.*))"
    r"(?:\n    the decoder was hit in (?P<symbol>\S+);.*)?$", re.MULTILINE)


def check_examples(checks, directory, build, work, env):
    guests, programs = build / "examples", work / "examples-out"
    for name in ("Nested", "Lua", "Thumbnail"):
        checks.command(f"the example {name} builds", ["dotnet", "build", name, "-c", "Release", "-o", programs / name,
                                                      *dotnet.BUILD_OPTIONS], directory, env)
    checks.command("the example Nested runs", [programs / "Nested/Nested", guests / "hello/greeter"], work,
                   seconds=RUN_SECONDS, stdout=NESTED)
    checks.command("the example Lua runs", [programs / "Lua/Lua", guests / "lua/lua", ROOT / "examples/lua/report.lua"], work,
                   seconds=RUN_SECONDS, stdout=LUA)
    check_thumbnails(checks, programs / "Thumbnail/Thumbnail", guests / "thumbnail", work)


def check_thumbnails(checks, program, guest, work):
    """The C# example says and makes what the C++ example does, which tests/examples looks at more closely. Some of the files
    are no good pictures, hence the exit status."""
    files = sorted((guest / "pictures").glob("*.png"))
    ours, theirs = work / "thumbnails", work / "thumbnails-cpp"
    cpp = run([guest / "thumbnail_host", *files, "--out", theirs, "--size", THUMBNAIL_SIDE], work, seconds=RUN_SECONDS)
    lines = [in_csharp(match) for match in CPP_FILE.finditer(cpp.stdout)]
    made = sum(" -> " in line for line in lines)
    checks.report("the C++ example says something of each picture", len(lines) == len(files) and 0 < made < len(lines), cpp.story)
    lines.append(f"{made} thumbnails, {len(files) - made} files refused\n")
    checks.command("the example Thumbnail runs, and prints what the C++ example does",
                   [program, guest / "thumbnail", ours, *files], work, seconds=RUN_SECONDS, status=1, stdout="\n".join(lines))
    checks.equal("it makes the files that the C++ example makes", contents(ours), contents(theirs))
    checks.equal("they are thumbnails", [path.name for path in ours.glob("*.png") if not is_thumbnail(path)], [])


def in_csharp(match):
    start = match["name"] + match["progress"]
    if match["size"]:
        return f"{start} -> {match['size']} bytes"
    if match["symbol"]:
        return f"{start}: the decoder faulted in {match['symbol']}: {match['error']}"
    return f"{start}: refused: {match['error']}"


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.glob("*")}


def is_thumbnail(path):
    try:
        picture = Picture(path)
    except (ValueError, LookupError):
        return False
    return 0 < max(picture.width, picture.height) <= THUMBNAIL_SIDE
