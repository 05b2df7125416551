# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD…: each public header compiles alone and twice in every language version it promises, libglint.so shows
the C ABI and nothing else, it is the ABI of the baseline, and the macros of the guest SDK and the C++ layer refuse wrong
types. The first BUILD has debug information and the tests' programs; of the others, only the symbols are looked at. Prints
`ok NAME` or `not ok NAME` for each check."""

import pathlib
import re
import subprocess
import sys
import tempfile

import contract
import stability

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
C_COMPILERS = ("gcc", "clang-19")
CXX_COMPILERS = ("g++", "clang++-19")
# Symbol versions that Debian 12 has; a newer one would keep the library from older systems than it promises.
GLIBC_CEILING = (2, 36)


def report(name, ok, detail=""):
    if detail and not ok:
        print(detail)
    print(f"{'ok' if ok else 'not ok'} {name}", flush=True)
    return ok


def standards(header):
    """(compilers, language, standard) in which a header must compile."""
    if header.suffix == ".hpp":
        return [(CXX_COMPILERS, "c++", "c++20")]
    # Guest headers check layouts with _Static_assert, so they start at C11.
    c_standards = ("c11", "c17") if header.parent.name == "glint_guest" else ("c99", "c11", "c17")
    return [(C_COMPILERS, "c", standard) for standard in c_standards] + [
        (CXX_COMPILERS, "c++", standard) for standard in ("c++17", "c++20")]


def check_header(header):
    name = str(header.relative_to(INCLUDE))
    source = f'#include "{name}"\n#include "{name}"\nint main(void) {{ return 0; }}\n'
    failures = []
    for compilers, language, standard in standards(header):
        for compiler in compilers:
            command = [compiler, f"-std={standard}", *WARNINGS, "-fsyntax-only", "-I", str(INCLUDE), "-x", language, "-"]
            done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                failures.append(f"{compiler} -std={standard}:\n{done.stderr}")
    return report(f"{name} compiles alone and twice", not failures, "\n".join(failures))


def declared_functions():
    """What the headers declare with GLINT_API."""
    text = "\n".join(path.read_text() for path in sorted((INCLUDE / "glint").glob("*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"GLINT_API\b[^;(]*?\b(glint_\w+)\s*\(", text))


def check_symbols(library):
    table = subprocess.run(["objdump", "-T", str(library)], capture_output=True, text=True, check=True).stdout
    lines = [line for line in table.splitlines() if re.match(r"[0-9a-f]{16} ", line)]
    # The symbol of a version node (GLINT_1.0) is an absolute one.
    exported = {line.split()[-1] for line in lines if "*UND*" not in line and "*ABS*" not in line}
    strangers = sorted(name for name in exported if not name.startswith("glint_"))
    declared = declared_functions()
    versions = {tuple(map(int, found.split("."))) for found in re.findall(r"\(?GLIBC_([\d.]+)\)?", table)}
    too_new = sorted(version for version in versions if version > GLIBC_CEILING)
    return all([
        report(f"all {len(exported)} exported symbols begin with glint_", bool(exported) and not strangers,
               f"also exported: {', '.join(strangers)}"),
        report("the library exports what the headers declare", exported == declared,
               f"declared only: {sorted(declared - exported)}; exported only: {sorted(exported - declared)}"),
        report("no symbol of a glibc newer than Debian 12's", not too_new, f"wants glibc {too_new}"),
        report("no symbol of a shared libstdc++", "GLIBCXX_" not in table, "libstdc++ is not linked statically"),
    ])


def check_static_library(build):
    """A program of the whole static library needs a C++ run-time library and nothing else."""
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "program"
        command = ["gcc", "-x", "c", "-", "-x", "none", "-Wl,--whole-archive", str(build / "src/libglint.a"),
                   "-Wl,--no-whole-archive", "-lstdc++", "-lm", "-o", str(program)]
        done = subprocess.run(command, input="int main(void) { return 0; }", capture_output=True, text=True, check=False)
    return report("libglint.a links with libstdc++ alone", done.returncode == 0, done.stderr)


def check_sdk_macros():
    command = ["sh", str(ROOT / "tests/sdk/compile_test.sh"), str(INCLUDE), *C_COMPILERS, *CXX_COMPILERS, "musl-gcc"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return report("the guest SDK's macros accept and refuse what they should", done.returncode == 0,
                  done.stdout + done.stderr)


def main():
    builds = [pathlib.Path(argument).resolve() for argument in sys.argv[1:]]
    build = builds[0]
    headers = sorted([*INCLUDE.rglob("*.h"), *INCLUDE.rglob("*.hpp")])
    results = [check_header(header) for header in headers]
    results.append(check_symbols(build / "src/libglint.so"))
    results.append(check_static_library(build))
    results.append(check_sdk_macros())
    results += contract.check(report, build / "src/libglint.so")
    results += stability.check(report, builds)
    sys.exit(0 if all(results) else 1)


main()
