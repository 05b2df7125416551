# SPDX-License-Identifier: Apache-2.0
"""The test lanes. Each is a function that fills a Tally; a StepFailed that leaves it is a failed test of the lane."""

import concurrent.futures
import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import dotnet
import kvm
from steps import BUILD, JOBS, LOGS, ROOT, StepFailed, build, compiled_programs, run, say

# How long each fuzzer runs.
FUZZ_SECONDS = 30
GTEST_TIMEOUT = 600
NESTED_TIMEOUT = 900
NESTED_BENCH_TIMEOUT = 1900
RESTORE_TIMEOUT = 3600
DOTNET_TIMEOUT = 900
# When no test ends for so long, one hangs: it is named, and all are ended.
DOTNET_HANG_TIMEOUT = 240
CHECKS_TIMEOUT = 1800
FRESH_TIMEOUT = 3600

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def gtest(tally, lane, program, prefix=(), env=None, timeout=GTEST_TIMEOUT):
    """Runs one GoogleTest program and counts its tests."""
    name = f"{lane}-{program.name}"
    report = LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    if not program.exists():
        raise StepFailed(f"running {program.relative_to(ROOT)}, which was not built,")
    ok = run(program.name, [*prefix, program, f"--gtest_output=xml:{report}"], name, env=env, timeout=timeout)
    count_report(tally, lane, tally.read_gtest, report, ok, LOGS / f"{name}.log")


def count_report(tally, lane, read, report, ok, log):
    """Counts a report by `read`, one of the Tally's read_ methods; a program that died, or ran nothing, is a failed test,
    too, and so is a test that was skipped."""
    before = len(tally.failed)
    counted = tally.passed + before
    if report.exists():
        try:
            for message in read(lane, report):
                say(message)
        except ElementTree.ParseError as error:
            say(f"  {report.relative_to(ROOT)} is no whole report: {error}")
    if tally.passed + len(tally.failed) == counted:
        tally.failed.append(f"{lane}: no test ran; see {log.relative_to(ROOT)}")
    elif not ok and len(tally.failed) == before:
        tally.failed.append(f"{lane}: the tests passed, but their program failed; see {log.relative_to(ROOT)}")


def needs_kvm(tally, what):
    """False, and a note in the tally, where this machine has no usable KVM."""
    problem = kvm.problem()
    if problem:
        tally.skip(what, f"did not run: {problem}")
    return not problem


# ---- the lanes ----------------------------------------------------------------------------------------------------


def lane_format(tally):
    """clang-format has nothing to change."""
    tally.check("format: files that clang-format would change; run script/format",
                run("clang-format", ["script/format", "--check"], "format"))


def lane_lint(tally):
    """clang-tidy over each source file of the library and the tool."""
    build("dev-clang", "glint_libos")
    database = {entry["file"] for entry in json.loads((BUILD / "dev-clang/compile_commands.json").read_text())}
    sources = [path for directory in ("src", "tools") for path in sorted((ROOT / directory).rglob("*.c*"))
               if path.suffix in (".c", ".cpp")]
    forgotten = [str(path.relative_to(ROOT)) for path in sources if str(path) not in database]
    if forgotten:
        say(f"  not in any CMakeLists.txt: {', '.join(forgotten)}")
    tally.check("lint: every source file is part of the build", not forgotten)

    def tidy(path):
        command = ["clang-tidy-19", "--quiet", "-p", BUILD / "dev-clang", path]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    log = LOGS / "lint.log"
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool, open(log, "w", encoding="utf-8") as output:
        results = list(pool.map(tidy, [path for path in sources if str(path) in database]))
        for ok, text in results:
            if not ok:
                output.write(text)
    clean = bool(results) and all(ok for ok, _ in results)
    if not clean:
        findings = [line for line in log.read_text().splitlines() if ": error:" in line]
        say("\n".join("    | " + line for line in findings[:40]))
    tally.check(f"lint: clang-tidy has findings, see {log.relative_to(ROOT)}", clean)


def lane_unit(tally):
    """The tests that need no KVM: parsers, layouts, the call loop against the fake hypervisor, the C and C++ layers."""
    build("dev", "glint_unit_tests")
    gtest(tally, "unit", BUILD / "dev/tests/glint_unit_tests")


def lane_kvm(tally):
    """Real guests on this machine's KVM."""
    if needs_kvm(tally, "lane kvm"):
        build("dev", "glint_kvm_tests")
        gtest(tally, "kvm", BUILD / "dev/tests/glint_kvm_tests")


def lane_cli(tally):
    """The command-line tool, run as a user would."""
    build("dev")
    usable = needs_kvm(tally, "lane cli, the tests that run guests")
    run_checks(tally, "cli",
               ["tests/cli/cli_test.py", "--build-dir", BUILD / "dev"] + ([] if usable else ["--no-kvm"]))


def lane_examples(tally):
    """The examples, run as a user would."""
    if needs_kvm(tally, "lane examples"):
        build("dev")
        run_checks(tally, "examples", ["tests/examples/examples_test.py", "--build-dir", BUILD / "dev"])


def lane_abi(tally):
    """The C ABI: headers, symbols, comments, and that it is still what abi/ says, in the debug and the release build."""
    build("dev")
    build("release")
    run_checks(tally, "abi", ["tests/abi/check.py", BUILD / "dev", BUILD / "release"])


def lane_python(tally):
    """The Python SDK."""
    build("dev")
    usable = needs_kvm(tally, "lane python, the tests that run guests")
    run_checks(tally, "python", ["sdk/python/tests/run.py"] + ([] if usable else ["--no-kvm"]),
               env={"GLINT_LIBRARY": str(BUILD / "dev/src/libglint.so"),
                    "GLINT_TEST_GUESTS": str(BUILD / "dev/tests/guests")})


def dotnet_test(tally, lane, variables, arguments, hang_timeout=DOTNET_HANG_TIMEOUT):
    env = {**dotnet.ENVIRONMENT, **variables, "GLINT_NATIVE_LIBRARY": str(BUILD / "dev/src/libglint.so"),
           "GLINT_TEST_GUESTS": str(BUILD / "dev/tests/guests")}
    report, log = LOGS / f"{lane}.trx", f"{lane}-test"
    report.unlink(missing_ok=True)
    ok = run(f"{lane} test", ["dotnet", "test", "sdk/dotnet/Glint.slnx", "--artifacts-path", BUILD / "dotnet",
                              *dotnet.BUILD_OPTIONS, "--logger", f"trx;LogFileName={report}",
                              "--results-directory", BUILD / "dotnet/test-results",
                              "--blame-hang-timeout", f"{hang_timeout}s", "--blame-hang-dump-type", "none",
                              *arguments], log, env=env, timeout=DOTNET_TIMEOUT)
    count_report(tally, lane, tally.read_trx, report, ok, LOGS / f"{log}.log")


def lane_dotnet(tally):
    """The C# SDK."""
    problem = dotnet.problem()
    if problem:
        # Whoever runs this by hand may do without; a machine that checks changes may not.
        if os.environ.get("CI") == "true":
            tally.failed.append(f"dotnet: did not run: {problem}")
        else:
            tally.skip("lane dotnet", f"did not run: {problem}")
        return
    build("dev")
    usable = needs_kvm(tally, "lane dotnet, the tests that run guests, the package, its consumers and the examples")
    dotnet_test(tally, "dotnet", {}, [] if usable else ["--filter", "Category!=Kvm"])
    # Behind the build: it needs the source generator.
    tally.check("dotnet: dotnet format finds nothing to change; see build/logs/dotnet-format.log",
                run("dotnet format", ["dotnet", "format", "sdk/dotnet/Glint.slnx", "--verify-no-changes"],
                    "dotnet-format", env=dotnet.ENVIRONMENT, timeout=DOTNET_TIMEOUT))
    if usable:
        # The package is made of what a user gets.
        build("release")
        run_checks(tally, "dotnet-package", ["sdk/dotnet/packaging-tests/check.py", BUILD / "release", BUILD / "dotnet-package"],
                   env=dotnet.ENVIRONMENT)


def lane_nested(tally):
    """The kvm tests on an emulated AMD-V machine: real kvm_amd, whatever this machine has."""
    build("dev", "glint_kvm_tests")
    report = LOGS / "nested.xml"
    report.unlink(missing_ok=True)
    ok = run("nested", ["python3", "tests/nested/nested.py", "--build", BUILD / "dev", "--report", report,
                        "--timeout", NESTED_TIMEOUT], "nested", timeout=NESTED_TIMEOUT + 120)
    count_report(tally, "nested", tally.read_gtest, report, ok, LOGS / "nested.log")


def lane_clang(tally):
    """All of it, built by clang with warnings as errors."""
    build("dev-clang")
    tally.check("clang: build", True)
    gtest(tally, "clang", BUILD / "dev-clang/tests/glint_unit_tests")


def lane_asan_ubsan(tally):
    """The tests under AddressSanitizer and UndefinedBehaviorSanitizer."""
    build("asan-ubsan")
    tests = BUILD / "asan-ubsan/tests"
    gtest(tally, "asan-ubsan", tests / "glint_unit_tests", env=SANITIZER_ENVIRONMENT)
    if needs_kvm(tally, "lane asan-ubsan, kvm part"):
        gtest(tally, "asan-ubsan", tests / "glint_kvm_tests", env=SANITIZER_ENVIRONMENT)


def lane_install(tally):
    """What a user gets: installed, moved elsewhere, and used from projects that know nothing of this one."""
    build("release")
    usable = needs_kvm(tally, "lane install, running what it built")
    run_checks(tally, "install", ["tests/install/check.py", BUILD / "release"] + ([] if usable else ["--no-run"]))


def lane_fuzz(tally):
    """Each fuzzer for a while, from the corpus in the repository."""
    build("fuzz")
    fuzzers = compiled_programs(BUILD / "fuzz/fuzzers")
    if not fuzzers:
        raise StepFailed("finding fuzzers in build/fuzz/fuzzers")

    def fuzz(program):
        found = BUILD / "fuzz-corpus" / program.name
        found.mkdir(parents=True, exist_ok=True)
        corpus = ROOT / "fuzz/corpus" / program.name
        return program.name, corpus.is_dir() and run(
            f"fuzzing {program.name}",
            [program, f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", f"-artifact_prefix={LOGS}/{program.name}-",
             found, corpus], f"fuzz-{program.name}", env=SANITIZER_ENVIRONMENT, timeout=FUZZ_SECONDS + 120)

    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        for name, ok in pool.map(fuzz, fuzzers):
            tally.check(f"fuzz: {name}", ok)


def lane_tsan(tally):
    """The tests under ThreadSanitizer."""
    build("tsan")
    # ThreadSanitizer of GCC 12 does not find its shadow where the kernel randomizes 32 bits of mmap's base.
    # And it would end a child of fork that starts a thread, as an engine with deadlines does.
    prefix = ["env", "TSAN_OPTIONS=die_after_fork=0", "setarch", os.uname().machine, "--addr-no-randomize"]
    gtest(tally, "tsan", BUILD / "tsan/tests/glint_unit_tests", prefix)
    if needs_kvm(tally, "lane tsan, kvm part"):
        gtest(tally, "tsan", BUILD / "tsan/tests/glint_kvm_tests", prefix)


def lane_restore(tally):
    """Many rounds of writing to a sandbox in all ways and putting it back, each compared whole."""
    if needs_kvm(tally, "lane restore"):
        build("dev", "glint_kvm_tests")
        gtest(tally, "restore", BUILD / "dev/tests/glint_kvm_tests", timeout=RESTORE_TIMEOUT,
              env={"GLINT_TEST_RESTORES": "100000", "GTEST_FILTER": "RestoreCompleteness.*"})


def lane_kicks(tally):
    """100,000 calls from C# that are ended in the guest, beside the signals of .NET."""
    if dotnet.problem():
        tally.skip("lane kicks", f"did not run: {dotnet.problem()}")
    elif needs_kvm(tally, "lane kicks"):
        build("dev")
        # One test, which takes minutes.
        dotnet_test(tally, "kicks", {"GLINT_TEST_KICKS": "100000"}, ["--filter", "FullyQualifiedName~KickTests"],
                    hang_timeout=DOTNET_TIMEOUT)


def lane_bench(tally):
    """The bars of script/bench --check; and the table on an emulated AMD-V machine, where no bar is asked for."""
    if needs_kvm(tally, "lane bench"):
        build("release")
        tally.check("bench: a bar is missed", run("bench", [BUILD / "release/bench/glint_bench", "--check"], "bench"))
        if dotnet.problem():
            tally.skip("bench of C#", f"did not run: {dotnet.problem()}")
        else:
            tally.check("bench: a bar of C# is missed", run("bench of C#", ["script/bench", "--dotnet", "--check"], "bench-dotnet"))
    tally.check("bench: the nested one does not come to its end", run("nested bench", ["script/bench", "--nested"], "bench-nested", timeout=NESTED_BENCH_TIMEOUT))


def lane_fresh(tally):
    """The README's two commands in a Debian tree that has nothing but git."""
    tally.check("fresh: the README's commands on a fresh Debian",
                run("fresh", ["script/lib/fresh"], "fresh", timeout=FRESH_TIMEOUT))


def run_checks(tally, lane, command, env=None):
    """Runs a Python program that prints `ok NAME` or `not ok NAME` for each of its checks."""
    log = LOGS / f"{lane}.log"
    ok = run(lane, ["python3", *command], lane, env=env, timeout=CHECKS_TIMEOUT)
    results = [line for line in log.read_text(errors="replace").splitlines() if line.startswith(("ok ", "not ok "))]
    for line in results:
        tally.check(f"{lane}: {line.removeprefix('not ').removeprefix('ok ')}", line.startswith("ok "))
    if not results or (not ok and all(line.startswith("ok ") for line in results)):
        tally.failed.append(f"{lane}: did not come to its end")


USUAL = {
    "format": lane_format,
    "unit": lane_unit,
    "kvm": lane_kvm,
    "cli": lane_cli,
    "examples": lane_examples,
    "abi": lane_abi,
    "python": lane_python,
    "dotnet": lane_dotnet,
    "nested": lane_nested,
    "lint": lane_lint,
    "clang": lane_clang,
    "asan-ubsan": lane_asan_ubsan,
    "install": lane_install,
    "fuzz": lane_fuzz,
}
LONG = {
    "tsan": lane_tsan,
    "restore": lane_restore,
    "kicks": lane_kicks,
    "bench": lane_bench,
    "fresh": lane_fresh,
}
