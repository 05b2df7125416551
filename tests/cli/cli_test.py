# SPDX-License-Identifier: Apache-2.0
"""cli_test.py --build-dir DIR | --glint PATH --guests DIR [--no-kvm]: runs the command-line tool as a user would.

Prints `ok NAME` or `not ok NAME: why` for each test, and in the end `cli: N passed, M failed`. With --no-kvm, only the
tests that need no KVM run. Needs gcc, and unshare(1) to hide /dev/kvm from the tool."""

import argparse
import base64
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 60
tests = []


def test(needs_kvm):
    def register(function):
        tests.append((function, needs_kvm))
        return function
    return register


kvm = test(needs_kvm=True)
no_kvm = test(needs_kvm=False)


class Run:
    """What a run of the tool did."""

    def __init__(self, arguments, prefix=(), **options):
        if "input" not in options and "stdin" not in options:
            options["stdin"] = subprocess.DEVNULL
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run([*prefix, settings.glint, *map(str, arguments)], stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False, **options)
        self.code = done.returncode
        self.out_bytes = done.stdout
        self.out = (done.stdout or b"").decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def json(self):
        return json.loads(self.out)


def glint(*arguments, **options):
    return Run(arguments, **options)


def guest(name):
    return settings.guests / name


def expect(condition, run):
    assert condition, f"code {run.code}\n    out: {run.out[:600]}\n    err: {run.err[:600]}"


def expect_result(run, out):
    expect(run.code == 0 and run.out == out, run)


def expect_failure(run, code, *texts):
    """One line on standard error that holds all texts."""
    lines = run.err.splitlines()
    expect(run.code == code and run.out == "" and len(lines) == 1 and lines[0].startswith("glint: ")
           and all(text in lines[0] for text in texts), run)


# ---- help, version, usage errors -----------------------------------------------------------------------------------


@no_kvm
def help_and_version_work_everywhere():
    for command in ([], ["run"], ["call"], ["inspect"], ["doctor"]):
        helped = glint(*command, "--help")
        expect(helped.code == 0 and "Usage: glint" in helped.out and helped.err == "", helped)
        expect(glint(*command, "-h").out == helped.out, helped)
        version = glint(*command, "--version")
        expect(version.code == 0 and re.fullmatch(r"glint \d+\.\d+\.\d+\n", version.out), version)
    for command in ("run", "call", "inspect", "doctor"):
        expect("Exit codes:" in glint(command, "--help").out and command in glint("--help").out, helped)


@no_kvm
def usage_errors_end_with_125():
    expect_failure(glint(), 125, "a command is missing", "run, call, inspect, doctor")
    expect_failure(glint("walk"), 125, 'no command "walk"')
    expect_failure(glint("--loud"), 125, 'no option "--loud"')
    expect_failure(glint("run"), 125, "PROGRAM is required")
    expect_failure(glint("call"), 125, "IMAGE is required")
    expect_failure(glint("call", "x"), 125, "FUNCTION is required")
    expect_failure(glint("inspect"), 125, "IMAGE is required")
    expect_failure(glint("run", "--loud", "x"), 125, "--loud")
    expect_failure(glint("run", "--memory"), 125, "--memory")
    expect_failure(glint("call", "--repeat", "0", "x", "f"), 125, "--repeat")
    expect_failure(glint("call", "--repeat", "many", "x", "f"), 125, "--repeat")
    expect_failure(glint("doctor", "x"), 125, "x")


@no_kvm
def bad_values_of_options_end_with_125():
    echo = guest("echo")
    for size in ("", "x", "64MB", "-1", "1.5G"):
        expect_failure(glint("inspect", "--memory", size or "M", echo), 125, "--memory: expected a size")
    expect_failure(glint("inspect", "--stack=1Q", echo), 125, "--stack: expected a size")
    expect_failure(glint("run", "--env", "A", echo), 125, "--env: expected NAME=VALUE")
    expect_failure(glint("run", "--env", "=A", echo), 125, "--env: expected NAME=VALUE")
    expect_failure(glint("run", "--file", "data=/x", echo), 125, "must begin with /")
    expect_failure(glint("run", "--file", f"/data={settings.scratch}/none", echo), 125, "cannot open", "No such file")


# ---- inspect and doctor --------------------------------------------------------------------------------------------


@no_kvm
def inspect_shows_layout_and_functions():
    run = glint("inspect", guest("callbacks"))
    expect(run.code == 0 and run.err == "", run)
    for text in ("static program", "layout\n", "r-x  program", "rw-  stack", "rw-  heap", "exports\n", "imports\n",
                 "  call_add(i64, i64) -> i64\n", "  progress(u32) -> void\n"):
        expect(text in run.out, run)
    expect("imports     none\n" in glint("inspect", guest("echo")).out, run)


@no_kvm
def inspect_json_holds_layout_and_functions():
    run = glint("inspect", guest("callbacks"), "--json")
    image = run.json()
    expect(run.code == 0 and image["valid"] is True and image["pie"] is False and image["symbol_count"] > 10, run)
    expect(image["memory_size"] == 64 << 20 and image["stack_size"] == 1 << 20, run)
    segments = image["segments"]
    expect({"program", "libos", "stack", "heap", "transfer", "system"} <= {s["what"] for s in segments}, run)
    expect(all(a["address"] + a["size"] <= b["address"] for a, b in zip(segments, segments[1:])), run)
    expect(not any(s["writable"] and s["executable"] for s in segments), run)
    expect(any(s["executable"] and s["address"] <= image["entry"] < s["address"] + s["size"] for s in segments), run)
    exports = {f["name"]: f for f in image["exports"]}
    imports = {f["name"]: f for f in image["imports"]}
    expect(exports["call_add"] == {"name": "call_add", "params": ["i64", "i64"], "result": "i64",
                                   "signature": "(i64, i64) -> i64"}, run)
    expect(imports["progress"]["params"] == ["u32"] and imports["progress"]["result"] == "void", run)
    expect("progress" not in exports and "call_add" not in imports, run)


@no_kvm
def inspect_obeys_memory_and_stack():
    image = glint("inspect", "--json", "--memory", "128M", "--stack", "256K", guest("echo")).json()
    assert image["memory_size"] == 128 << 20 and image["stack_size"] == 256 << 10, image


@no_kvm
def inspect_says_what_is_wrong_with_an_image():
    elf = guest("echo").read_bytes()
    bad = {
        "text": (b"hello", "GLINT_E_IMAGE_NOT_ELF"),
        "cut": (elf[:100], "GLINT_E_IMAGE_TRUNCATED"),
        "32bit": (elf[:4] + b"\x01" + elf[5:], "GLINT_E_IMAGE_CLASS"),
        "arm": (elf[:18] + struct.pack("<H", 183) + elf[20:], "GLINT_E_IMAGE_MACHINE"),
    }
    for name, (content, code) in bad.items():
        path = settings.scratch / name
        path.write_bytes(content)
        expect_failure(glint("inspect", path), 1, str(path))
        run = glint("inspect", "--json", path)
        expect(run.code == 1 and run.json()["valid"] is False and run.json()["error"]["code"] == code, run)
    expect_failure(glint("inspect", sys.executable), 1, "-static")
    expect_failure(glint("inspect", settings.scratch / "none"), 125, "No such file")
    expect_failure(glint("inspect", settings.scratch), 125, str(settings.scratch))


@kvm
def doctor_finds_kvm_usable():
    run = glint("doctor")
    expect(run.code == 0 and "Sandboxes can run on this machine." in run.out and "problem" not in run.out, run)
    run = glint("doctor", "--json")
    names = {item["name"] for item in run.json()["items"]}
    expect(run.code == 0 and run.json()["usable"] is True and {"kernel", "kvm_device"} <= names, run)
    expect(all(item["severity"] in ("ok", "note") and item["detail"] for item in run.json()["items"]), run)


# Runs a command where /dev is empty. A user other than root needs a user namespace for it.
HIDE_KVM = ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"]


@no_kvm
def without_kvm_the_tool_says_so_and_does_what_it_can():
    run = glint("doctor", prefix=HIDE_KVM)
    expect(run.code == 1 and re.search(r"^problem +kvm_device ", run.out, re.M) and "→" in run.out
           and "cannot run on this machine" in run.out, run)
    run = glint("doctor", "--json", prefix=HIDE_KVM)
    expect(run.code == 1 and run.json()["usable"] is False, run)
    expect_failure(glint("run", guest("exits"), prefix=HIDE_KVM), 125, "/dev/kvm")
    expect_failure(glint("call", guest("echo"), "nothing", prefix=HIDE_KVM), 125, "/dev/kvm")
    expect(glint("inspect", guest("echo"), prefix=HIDE_KVM).code == 0, run)


# ---- run -----------------------------------------------------------------------------------------------------------


@kvm
def run_passes_arguments_environment_and_exit_status():
    program = guest("exits")
    run = glint("run", "--env", "A=b=c", "--env", "EMPTY=", program, "7", "--memory", "[a,b]", "", "--", "-h")
    arguments = [str(program), "7", "--memory", "[a,b]", "", "--", "-h"]
    expected = "".join(f"argv[{i}]={text}\n" for i, text in enumerate(arguments)) + "env A=b=c\nenv EMPTY=\n"
    expect(run.code == 7 and run.out == expected and run.err == "done\n", run)
    expect(glint("run", "--", program, "0").code == 0, run)
    expect(glint("run", program, "255").code == 255, run)


@kvm
def run_passes_standard_input():
    run = glint("run", settings.program, "input", input=b"one\ntwo\nthree")
    expect_result(run, "line: one\nline: two\nline: three")
    expect_result(glint("run", settings.program, "input"), "")
    long = b"x" * 200 + b"\n"
    run = glint("run", settings.program, "input", input=long * 2000)
    expect(run.code == 0 and run.out == ("line: " + long.decode()) * 2000, run)


@kvm
def run_shows_files_to_the_guest():
    path = settings.scratch / "shown"
    path.write_text("shown to the guest\n")
    expect_result(glint("run", "--file", f"/data/f={path}", settings.program, "file", "/data/f"), "shown to the guest\n")
    run = glint("run", settings.program, "file", path)
    expect(run.code == 2, run)  # other files are not there


@kvm
def run_obeys_the_memory_limit():
    small = int(glint("run", "--memory", "16M", settings.program, "memory").out)
    large = int(glint("run", "--memory", "128M", settings.program, "memory").out)
    assert 8 <= small < 16 and 120 <= large < 128, (small, large)
    expect_failure(glint("run", "--memory", "3", settings.program), 125, "memory")


@kvm
def run_ends_with_128_and_the_signal_after_a_fault():
    for what, code, text in (("ill", 132, "invalid opcode"), ("abort", 134, "abort"), ("fpe", 136, "divide error"),
                             ("segv", 139, "write of 0x0")):
        run = glint("run", settings.program, what)
        expect_failure(run, code, text, " at 0x", " in " if what == "abort" else " in main+")


@kvm
def run_begins_its_line_after_a_partial_one():
    run = glint("run", settings.program, "partial")
    expect(run.code == 132 and re.fullmatch(r"no newline\nglint: .*invalid opcode.*\n", run.err), run)


@kvm
def run_of_a_bad_program_ends_with_125():
    expect_failure(glint("run", settings.scratch / "none"), 125, "No such file")
    expect_failure(glint("run", sys.executable), 125, "-static")


@kvm
def run_says_how_to_call_a_program_that_waits():
    expect_failure(glint("run", guest("echo")), 0, "waits for calls", "exports", "glint call")


@kvm
def run_traces_system_calls():
    run = glint("run", "--trace-syscalls", settings.program, "unknown")
    lines = run.err.splitlines()
    expect(run.code == 0 and lines[0].startswith("brk(0x0) = 0x"), run)
    expect(all(re.fullmatch(r"(\w+|#\d+)\((0x[0-9a-f]+(, )?)*\) = (-?\d+( E\w+)?|0x[0-9a-f]+)( .*)?", line)
               for line in lines[:-1]), run)
    unknown = [line for line in lines if line.endswith("= -38 ENOSYS  (not served by Glint)")]
    expect([line.split("(")[0] for line in unknown] == ["io_uring_setup", "io_uring_setup", "#1999"], run)
    expect(lines[-1] == "glint: 3 system calls that Glint does not serve: #1999 (1), io_uring_setup (2)", run)
    expect(lines[-2] == "exit_group(0x0) = 0", run)
    expect(glint("run", settings.program, "unknown").err == "", run)


@kvm
def run_tells_when_its_streams_fail():
    with open("/dev/full", "wb") as full:
        run = glint("run", settings.program, "memory", stdout=full)
    expect(run.code == 125 and "cannot write to standard output: No space left" in run.err, run)
    directory = os.open(settings.scratch, os.O_RDONLY)
    run = glint("run", settings.program, "input", stdin=directory)
    os.close(directory)
    expect(run.code == 125 and "cannot read standard input: Is a directory" in run.err, run)


@kvm
def run_works_with_standard_streams_closed():
    closed = ["sh", "-c", 'exec "$@" <&- >&-', "sh"]
    run = glint("run", settings.program, "input", prefix=closed)
    expect(run.code == 0 and run.err == "", run)
    run = glint("run", settings.program, "nonsense", prefix=closed)
    expect(run.code == 3 and run.err == "cli_program: what is nonsense?\n", run)


# ---- call ----------------------------------------------------------------------------------------------------------


@kvm
def call_prints_results_of_every_type():
    for function, argument, out in (
            ("echo_bool", "true", "true\n"), ("echo_bool", "0", "false\n"), ("echo_i32", "-2147483648", "-2147483648\n"),
            ("echo_u32", "0xffffffff", "4294967295\n"), ("echo_i64", "-9223372036854775808", "-9223372036854775808\n"),
            ("echo_u64", "18446744073709551615", "18446744073709551615\n"), ("echo_f32", "0.1", "0.1\n"),
            ("echo_f64", "-1e300", "-1e+300\n"), ("echo_f64", "nan", "nan\n"), ("echo_string", "Größe [a,b]", "Größe [a,b]\n"),
            ("echo_string", "", "\n"), ("echo_string", "--json", "--json\n"), ("echo_bytes", "text", "text")):
        expect_result(glint("call", guest("echo"), function, argument), out)
    expect_result(glint("call", guest("echo"), "nothing"), "")
    expect_result(glint("call", guest("echo"), "add", "-1", "2"), "1\n")


@kvm
def call_reads_and_writes_bytes_by_file():
    content = bytes(range(256)) * 5
    source, target = settings.scratch / "source", settings.scratch / "target"
    source.write_bytes(content)
    run = glint("call", guest("echo"), "echo_bytes", f"@{source}")
    expect(run.code == 0 and run.out_bytes == content, run)
    run = glint("call", guest("echo"), "echo_bytes", "@-", input=content)
    expect(run.code == 0 and run.out_bytes == content, run)
    expect_result(glint("call", "-o", target, guest("echo"), "echo_bytes", f"@{source}"), "")
    assert target.read_bytes() == content
    run = glint("call", "--json", "--output", target, guest("echo"), "echo_bytes", "hex:00ff")
    expect(run.json()["result"] == {"file": str(target)} and target.read_bytes() == b"\0\xff", run)
    expect_failure(glint("call", guest("echo"), "echo_bytes", f"@{settings.scratch}/none"), 125, "cannot open")
    expect_failure(glint("call", "-o", settings.scratch / "no/file", guest("echo"), "echo_i32", "1"), 125, "cannot make")


@kvm
def call_does_not_upset_a_terminal_with_bytes():
    parent, child = pty.openpty()
    run = glint("call", guest("echo"), "echo_bytes", "hex:1b5b33316d", stdout=child)
    os.close(child)
    shown = os.read(parent, 100)
    os.close(parent)
    assert run.code == 0 and shown == b"hex:1b5b33316d\r\n", shown


@kvm
def call_refuses_wrong_names_counts_and_types():
    echo = guest("echo")
    expect_failure(glint("call", echo, "ad"), 125, "'ad'", "add")
    expect_failure(glint("call", echo, "add", "1"), 125, "add(i64, i64) -> i64: expected 2 arguments, given 1")
    expect_failure(glint("call", echo, "add", "1", "2", "--json"), 125, "given 3", "options go before the image")
    expect_failure(glint("call", echo, "add", "1", "x"), 125, 'add, argument 2: expected i64, given "x"')
    expect_failure(glint("call", echo, "echo_i32", "2147483648"), 125, "expected i32 (-2147483648 to 2147483647)")
    expect_failure(glint("call", echo, "echo_bool", "yes"), 125, "expected bool")
    expect_failure(glint("call", guest("exits"), "add", "1"), 125, "add")


@kvm
def call_json_holds_result_counters_and_latencies():
    run = glint("call", "--json", "--repeat", "50", guest("echo"), "add", "0x10", "-3")
    report = run.json()
    expect(run.code == 0 and run.err == "" and report["result"] == 13 and report["backend"] == "kvm", run)
    expect(report["function"] == "add(i64, i64) -> i64", run)
    counters = report["counters"]
    expect(counters["calls"] == 50 and counters["host_calls"] == 0 and counters["attaches"] == 1
           and counters["exits"] >= 51 and counters["ioctls"] >= counters["exits"]
           and {"unknown_syscalls", "output_bytes"} <= counters.keys(), run)
    expect(report["last_call"] == {"host_calls": 0, "exits": 1, "ioctls": 1}, run)
    latency = report["latency_us"]
    expect(latency["calls"] == 49 and 0 < latency["min"] <= latency["median"] <= latency["p99"], run)
    expect(report["first_call_us"] > 0 and report["create_us"] > 0 and report["load_us"] > 0, run)


@kvm
def call_json_shows_results_of_every_type():
    for function, argument, result in (
            ("echo_bool", "1", True), ("echo_u64", "18446744073709551615", (1 << 64) - 1), ("echo_f32", "0.1", 0.1),
            ("echo_f64", "-inf", "-inf"), ("echo_string", 'a"b', 'a"b'),
            ("echo_bytes", "hex:00ff10", {"size": 3, "base64": base64.b64encode(b"\0\xff\x10").decode()}),
            ("echo_bytes", "text:", {"size": 0, "base64": ""}), ("echo_bytes", "a", {"size": 1, "base64": "YQ=="})):
        run = glint("call", "--json", guest("echo"), function, argument)
        expect(run.code == 0 and run.json()["result"] == result, run)
    run = glint("call", "--json", guest("echo"), "nothing")
    expect(run.json()["result"] is None and run.json()["latency_us"]["calls"] == 1, run)


@kvm
def call_repeats_in_one_sandbox():
    expect_result(glint("call", "--repeat", "5", guest("state"), "increment"), "5\n")
    run = glint("call", "--repeat", "5", guest("state"), "increment")
    expect(re.fullmatch(r"glint: create .* first call .* min .* median .* p99 .* us\n", run.err), run)


@kvm
def call_counts_one_exit_for_each_host_call():
    report = glint("call", "--json", "--repeat", "3", "--stub", "progress=", guest("callbacks"), "call_progress", "1").json()
    assert report["last_call"] == {"host_calls": 1, "exits": 2, "ioctls": 2}, report
    assert report["counters"]["host_calls"] == 3, report


@kvm
def call_answers_imports_by_stubs():
    callbacks = guest("callbacks")
    run = glint("call", "--stub", "host_add=-9", callbacks, "call_add", "1", "2")
    expect(run.code == 0 and run.out == "-9\n" and run.err == "", run)
    expect_result(glint("call", "--stub", "host_echo_string=a=b", callbacks, "call_echo_string", "x"), "a=b\n")
    expect_result(glint("call", "--stub", "host_echo_bytes=text:abc", callbacks, "call_echo_bytes", "x"), "abc")
    expect_result(glint("call", "--stub", "host_echo_bool=true", callbacks, "call_echo_bool", "0"), "true\n")
    expect_result(glint("call", "--stub", "host_echo_f32=2.5", callbacks, "call_echo_f32", "0"), "2.5\n")


@kvm
def call_makes_imports_fail_by_stubs():
    callbacks = guest("callbacks")
    failing = ["call", "--stub", "host_fail=!7:disk on fire"]
    expect_failure(glint(*failing, callbacks, "pass_on_failure", "3"), 1, "code 7", "disk on fire")
    run = glint(*failing, "--json", callbacks, "pass_on_failure", "3")
    error = run.json()["error"]
    expect(run.code == 1 and run.json()["exit_code"] == 1 and error["code"] == "GLINT_E_GUEST_ERROR"
           and error["guest_code"] == 7 and "disk on fire" in error["message"], run)
    expect_result(glint(*failing, "--stub", "host_add=5", callbacks, "handle_failure", "7"), "true\n")


@kvm
def call_refuses_bad_stubs():
    callbacks = guest("callbacks")
    for stub, texts in (("host_add", ["NAME=VALUE"]), ("none=1", ["no such import", "host_add"]),
                        ("host_add=x", ["--stub host_add: expected i64"]), ("progress=1", ["expected nothing"]),
                        ("host_add=!0:x", ["!CODE:TEXT"]), ("host_add=!x", ["!CODE:TEXT"])):
        expect_failure(glint("call", "--stub", stub, callbacks, "call_add", "1", "2"), 125, *texts)
    expect_failure(glint("call", "--stub", "host_add=1", "--stub", "host_add=2", callbacks, "call_add", "1", "2"), 125,
                   "given twice")
    expect_failure(glint("call", "--stub", "x=1", guest("echo"), "nothing"), 125, "imports nothing")


@kvm
def call_names_imports_without_stubs():
    callbacks = guest("callbacks")
    run = glint("call", callbacks, "call_many", "3")
    expect(run.out == "0\n" and run.err == "glint: import host_add(0, 0) = 0  (no --stub host_add=…)\n", run)
    run = glint("call", "--verbose", callbacks, "call_many", "3")
    expect([line.split(" = ")[0] for line in run.err.splitlines()] ==
           [f"glint: import host_add(0, {i})" for i in range(3)], run)
    run = glint("call", "--verbose", "--stub", "progress=", callbacks, "call_progress", "50")
    expect(run.err == "glint: import progress(50)\n", run)
    run = glint("call", callbacks, "call_echo_string", "a\nb\x1b[31m")
    expect(r'host_echo_string("a\nb\x1b[31m") = ""' in run.err and run.out == "\n", run)


@kvm
def call_ends_with_128_and_the_signal_after_a_fault():
    for function, code, text in (("invalid_opcode", 132, "invalid opcode"), ("call_abort", 134, "abort"),
                                 ("divide_by_zero", 136, "divide error"), ("null_write", 139, "write of 0x0"),
                                 ("stack_overflow", 139, "the stack overflowed"), ("oom_abort", 134, "memory")):
        expect_failure(glint("call", guest("faults"), function), code, function, text, " at 0x", " in ")


@kvm
def call_json_holds_the_fault():
    run = glint("call", "--json", guest("faults"), "null_write")
    report = run.json()
    fault = report["error"]["fault"]
    expect(run.code == 139 and report["exit_code"] == 139 and report["error"]["code"] == "GLINT_E_GUEST_FAULT", run)
    expect(fault["signal"] == 11 and fault["name"] == "page fault" and fault["access"] == "write"
           and fault["address"] == 0 and fault["instruction"] > 0 and "null_write" in fault["symbol"], run)


@kvm
def call_tells_when_the_program_ends_itself():
    expect_failure(glint("call", guest("faults"), "call_exit", "3"), 1, "exit status 3")


@kvm
def call_keeps_the_guests_text_apart_from_the_result():
    run = glint("call", guest("libc"), "print_lines", "2")
    expect(run.code == 0 and run.out == "" and run.err == "out 0\nerr 0\nout 1\nerr 1\n", run)
    run = glint("call", guest("faults"), "print_then_fault")
    lines = run.err.splitlines()
    expect(run.code == 132 and run.out == "" and lines[:2] == ["on stdout, before the fault", "on stderr, before the fault"]
           and lines[-1].startswith("glint: "), run)


@kvm
def call_passes_files_environment_and_traces():
    path = settings.scratch / "read"
    path.write_text("content")
    expect_result(glint("call", "--file", f"/etc/read={path}", guest("libc"), "read_file", "/etc/read"), "content\n")
    expect_result(glint("call", "--env", "NAME=a value", guest("libc"), "environment", "NAME"), "a value\n")
    run = glint("call", "--trace-syscalls", guest("libc"), "raw_syscall", "425", "0", "0")
    expect(run.out == "-38\n" and run.err.endswith("glint: 1 system call that Glint does not serve: io_uring_setup (1)\n"),
           run)


# --------------------------------------------------------------------------------------------------------------------


def build_program(directory):
    program = directory / "cli_program"
    subprocess.run(["gcc", "-static", "-O1", "-o", program, HERE / "cli_program.c"], check=True)
    return program


def main():
    passed = failed = 0
    for function, needs_kvm in tests:
        if needs_kvm and settings.no_kvm:
            continue
        name = function.__name__.replace("_", " ")
        try:
            function()
            passed += 1
            print(f"ok {name}", flush=True)
        except Exception as error:  # a test that breaks has failed, and the others still run
            failed += 1
            print(f"not ok {name}: {type(error).__name__}: {error}", flush=True)
    print(f"cli: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


parser = argparse.ArgumentParser()
parser.add_argument("--build-dir", type=pathlib.Path, help="where both of the following are, as CMake puts them")
parser.add_argument("--glint", type=pathlib.Path, help="the tool")
parser.add_argument("--guests", type=pathlib.Path, help="directory of the tests' guest programs")
parser.add_argument("--no-kvm", action="store_true", help="only what needs no KVM")
settings = parser.parse_args()
if settings.build_dir:
    settings.glint = settings.glint or settings.build_dir / "tools/glint/glint"
    settings.guests = settings.guests or settings.build_dir / "tests/guests"
if not settings.glint or not settings.guests:
    parser.error("give --build-dir, or --glint and --guests")
with tempfile.TemporaryDirectory() as scratch_directory:
    settings.scratch = pathlib.Path(scratch_directory)
    settings.program = build_program(settings.scratch)
    sys.exit(main())
