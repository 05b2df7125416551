# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD [--no-run]: installs BUILD, moves the tree elsewhere, and uses it as a stranger would: by the CMake package
and by pkg-config, with each library, compiler and libc. Prints `ok NAME` or `not ok NAME` for each check."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXPECTED = "50%\n3\n"


class Checks:
    def __init__(self, work, prefix):
        self.failed = False
        self.work = work
        self.environment = {**os.environ, "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "CMAKE_PREFIX_PATH": str(prefix),
                            "LD_LIBRARY_PATH": f"{prefix}/lib"}

    def report(self, name, ok, detail=""):
        if not ok:
            print(detail)
            self.failed = True
        print(f"{'ok' if ok else 'not ok'} {name}", flush=True)
        return ok

    def command(self, name, command, expected=None, cwd=None):
        """A check that a shell command succeeds and, where that is given, prints `expected`."""
        done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=cwd or self.work, env=self.environment, check=False)
        ok = done.returncode == 0 and expected in (None, done.stdout)
        return self.report(name, ok, f"$ {command}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")


def install(build, work):
    """Installs to one place and moves the tree to another, where it must still work."""
    first, prefix = work / "installed", work / "moved"
    subprocess.run(["cmake", "--install", str(build), "--prefix", str(first)], check=True, stdout=subprocess.DEVNULL)
    first.rename(prefix)
    return prefix


def build_guests(checks):
    """The adder, built in each way; the paths of those that were."""
    flags = "$(pkg-config --cflags --libs --static glint-guest)"
    ways = {
        "gcc": f"gcc -static {HERE}/adder.c {flags} -o adder-gcc",
        "gcc static PIE": f"gcc -static-pie -fPIE {HERE}/adder.c {flags} -o adder-pie",
        "musl-gcc": f"musl-gcc -static {HERE}/adder.c {flags} -o adder-musl",
        "clang": f"clang-19 -static {HERE}/adder.c {flags} -o adder-clang",
        "g++": f"g++ -static -x c++ {HERE}/adder.c -x none {flags} -o adder-cxx",
        "CMake": f"cmake -S {HERE}/guest -B guest && cmake --build guest && cp guest/adder adder-cmake",
        "CMake and musl": f"CC=musl-gcc cmake -S {HERE}/guest -B guest-musl && cmake --build guest-musl && "
                          "cp guest-musl/adder adder-cmake-musl",
    }
    for name, command in ways.items():
        checks.command(f"a guest builds by {name}", command)
    return sorted(checks.work.glob("adder-*"))


def build_hosts(checks):
    shared = "$(pkg-config --cflags --libs glint)"
    static = "$(pkg-config --cflags --libs --static glint)"
    ways = {
        "pkg-config, C++, shared": f"g++ -std=c++20 {HERE}/host.cpp {shared} -o host-cpp-shared",
        "pkg-config, C++, static": f"g++ -std=c++20 -static {HERE}/host.cpp {static} -o host-cpp-static",
        "pkg-config, C, shared": f"gcc {HERE}/host.c {shared} -o host-c-shared",
        "pkg-config, C, static": f"gcc -static {HERE}/host.c {static} -o host-c-static",
        "CMake": f"cmake -S {HERE}/host -B host && cmake --build host && "
                 "for kind in c_glint c_static cpp_glint cpp_static; do cp host/$kind host-cmake-$kind || exit 1; done",
    }
    for name, command in ways.items():
        checks.command(f"hosts build by {name}", command)
    return sorted(checks.work.glob("host-*"))


def run_programs(checks, hosts, guests):
    """Each host with one guest, each guest with one host."""
    pairs = [(host, guests[0]) for host in hosts] + [(hosts[0], guest) for guest in guests[1:]]
    for host, guest in pairs:
        checks.command(f"{host.name} runs {guest.name}", f"{host} {guest}", EXPECTED)


def check_readme(checks, run):
    """The README's guest and host compile as shown, and work."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    guest = next((text for language, text in blocks if language == "c" and "GLINT_EXPORT" in text), None)
    host = next((text for language, text in blocks if language == "cpp" and "int main" in text), None)
    name = re.search(r'load\("([\w.-]+)"\)', host or "")
    if not checks.report("the README shows a guest and a host that loads it", bool(guest and name)):
        return
    directory = checks.work / "readme"
    directory.mkdir()
    (directory / "guest.c").write_text(guest)
    (directory / "host.cpp").write_text(host)
    built = checks.command(
        "the README's guest and host compile",
        f"gcc -static guest.c $(pkg-config --cflags --libs --static glint-guest) -o {name[1]} && "
        "g++ -std=c++20 host.cpp $(pkg-config --cflags --libs glint) -o host", cwd=directory)
    if built and run:
        checks.command("the README's host runs its guest", "./host", EXPECTED, cwd=directory)
    if built:
        # Its import says on the standard error output that it is a stub.
        checks.command("the README's guest runs as a plain process", f"./{name[1]} add 1 2", "3\n", cwd=directory)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    run = "--no-run" not in sys.argv
    work = build.parent / "install-test"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    prefix = install(build, work)
    checks = Checks(work, prefix)
    traces = subprocess.run(["grep", "-rlF", str(work / "installed"), str(prefix)], capture_output=True, text=True,
                            check=False).stdout
    checks.report("the installed tree does not know where it was installed", not traces, traces)
    checks.command("the installed tool runs", f"{prefix}/bin/glint --version")
    guests = build_guests(checks)
    hosts = build_hosts(checks)
    if run and guests and hosts:
        run_programs(checks, hosts, guests)
    check_readme(checks, run)
    sys.exit(1 if checks.failed else 0)


main()
