#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples_test.py --build-dir BUILD: runs the examples as a user would. Prints `ok NAME` or `not ok NAME` for each test, and
at last `examples: N passed, M failed`."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

from png import Picture

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "examples"
TIMEOUT_SECONDS = 120

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Examples:
    """The built examples, and an empty directory for one test."""

    def __init__(self, build, work):
        self.directory = build / "examples"
        self.tool = build / "tools/glint/glint"
        self.pictures = self.directory / "thumbnail/pictures"
        self.work = work

    def run(self, program, *arguments, cwd=None, stdin=subprocess.DEVNULL, before=()):
        """Runs a program of the examples: CompletedProcess with texts."""
        command = [*before, str(self.directory / program), *map(str, arguments)]
        return subprocess.run(command, stdin=stdin, capture_output=True, text=True, cwd=cwd or self.work,
                              timeout=TIMEOUT_SECONDS, check=False)

    def thumbnails(self, *names, size=160):
        """Runs thumbnail_host for some of the pictures."""
        files = [self.pictures / f"{name}.png" for name in names]
        return self.run("thumbnail/thumbnail_host", *files, "--out", self.work, "--size", size)

    def thumbnail(self, name, size=160):
        done = self.thumbnails(name, size=size)
        expect_success(done)
        return Picture(self.work / f"{name}.png")

    def script(self, text):
        path = self.work / f"script{len(list(self.work.iterdir()))}.lua"
        path.write_text(text, encoding="utf-8")
        return path


def expect_equal(actual, expected):
    assert actual == expected, f"expected {expected!r}\n  actual {actual!r}"


def expect_in(part, text):
    assert part in text, f"{part!r} is not in {text!r}"


def expect_success(done, stdout=None):
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    if stdout is not None:
        expect_equal(done.stdout, stdout)


def expect_near(actual, expected, tolerance):
    good = len(actual) == len(expected) and all(abs(a - e) <= tolerance for a, e in zip(actual, expected))
    assert good, f"expected {expected} within {tolerance}\n  actual {actual}"


# ---- hello ----


@test
def the_cpp_host_calls_the_guest_and_is_called_back(examples):
    expect_success(examples.run("hello/host", cwd=examples.directory / "hello"), "50%\n3\n")


@test
def the_c_host_does_the_same(examples):
    expect_success(examples.run("hello/host_c", cwd=examples.directory / "hello"), "50%\n3\n")


@test
def both_hosts_say_what_is_wrong_when_there_is_no_guest(examples):
    for program in ("hello/host", "hello/host_c"):
        done = examples.run(program)
        expect_equal(done.returncode, 1)
        expect_in("adder", done.stderr)


@test
def a_cpp_guest_takes_and_returns_strings_and_handles_a_refusal_of_the_host(examples):
    done = examples.run("hello/greeter_host", examples.directory / "hello/greeter", "Curie", "Zoë")
    expect_success(done, "Hello, Professor Curie!\nHello, stranger (no title is known): Zoë!\n")


@test
def a_guest_also_runs_as_a_plain_process(examples):
    done = examples.run("hello/adder", "add", "1", "2")
    expect_success(done)
    expect_equal(done.stdout.strip(), "3")
    expect_in("progress(50)", done.stderr)


# ---- thumbnail ----


@test
def thumbnails_fit_the_size_and_keep_the_proportions(examples):
    sizes = {"landscape": (160, 100), "mandelbrot": (160, 120), "interlaced": (160, 100), "palette": (160, 160),
             "rgba": (160, 160), "deep": (160, 107), "grey": (160, 120), "checks": (160, 40)}
    expect_success(examples.thumbnails(*sizes))
    for name, size in sizes.items():
        picture = Picture(examples.work / f"{name}.png")
        expect_equal((name, picture.width, picture.height), (name, *size))


@test
def a_small_picture_is_not_enlarged_or_changed(examples):
    picture = examples.thumbnail("tiny")
    expect_equal((picture.width, picture.height), (3, 2))
    expect_equal(picture.at(0, 0), (0, 0, 128, 255))
    expect_equal(picture.at(1, 1), (128, 255, 128, 255))
    expect_equal(picture.at(2, 0), (255, 0, 128, 255))


@test
def black_and_white_pixels_mix_to_the_grey_of_half_the_light(examples):
    # Half the light is the sRGB code 188; the mean of the codes would be 128.
    expect_equal(set(examples.thumbnail("checks", size=128).all()), {(188, 188, 188, 255)})


@test
def a_picture_of_16_bits_keeps_its_colours(examples):
    picture = examples.thumbnail("deep")
    right, bottom = picture.width - 1, picture.height - 1
    expect_near(picture.at(0, 0), (0, 0, 128, 255), 3)
    expect_near(picture.at(right, 0), (255, 0, 128, 255), 3)
    expect_near(picture.at(0, bottom), (0, 255, 128, 255), 3)
    expect_near(picture.at(right // 2, bottom // 2), (127, 127, 128, 255), 3)


@test
def transparency_is_kept(examples):
    for name in ("rgba", "palette"):
        picture = examples.thumbnail(name)
        expect_equal((name, picture.at(0, 0)[3]), (name, 0))
        expect_equal((name, picture.at(80, 80)[3]), (name, 0))
        expect_equal((name, picture.at(80, 28)[3]), (name, 255))


@test
def a_soft_edge_mixes_no_colour_of_invisible_pixels_in(examples):
    # All visible pixels of the ring have the same green or less; a black or white ground would show.
    edge = [pixel for pixel in examples.thumbnail("rgba").all() if 0 < pixel[3] < 255]
    assert len(edge) > 100, f"{len(edge)} pixels at the edges"
    for red, green, blue, _ in edge:
        assert 25 <= red <= 232 and 36 <= green <= 118 and 87 <= blue <= 245, (red, green, blue)


@test
def an_interlaced_file_gives_the_same_thumbnail(examples):
    expect_success(examples.thumbnails("landscape", "interlaced"))
    expect_equal((examples.work / "interlaced.png").read_bytes(), (examples.work / "landscape.png").read_bytes())


@test
def progress_is_reported_to_the_host(examples):
    done = examples.thumbnails("landscape")
    expect_in(" 10% 20% 30% 40% 50% 60% 70% 80% 90% 100% -> 160x100", done.stdout)


@test
def corrupt_files_are_errors_and_the_next_picture_works(examples):
    reasons = {"corrupt-cut": "the file ends too early", "corrupt-crc": "IHDR: CRC error",
               "corrupt-pixels": "IDAT", "corrupt-huge": "width exceeds user limit"}
    done = examples.thumbnails(*reasons, "deep")
    expect_equal(done.returncode, 1)
    for reason in reasons.values():
        expect_in(reason, done.stdout)
    expect_equal(done.stdout.count("failed with code 2: not a good PNG file"), len(reasons))
    expect_in("1 thumbnails in", done.stdout)
    expect_equal([path.name for path in examples.work.iterdir()], ["deep.png"])


@test
def a_crafted_file_is_a_fault_and_the_next_picture_works(examples):
    done = examples.thumbnails("deep", "crafted", "rgba")
    expect_equal(done.returncode, 1)
    expect_in("page fault, write of 0x", done.stdout)
    expect_in("apply_hint", done.stdout)
    expect_equal(sorted(path.name for path in examples.work.iterdir()), ["deep.png", "rgba.png"])
    expect_near(Picture(examples.work / "rgba.png").at(80, 28), (133, 77, 158, 255), 20)


@test
def wrong_arguments_are_refused(examples):
    for arguments in ((), ("--size",), ("--size", "large", "a.png"), ("--unknown", "a.png")):
        done = examples.run("thumbnail/thumbnail_host", *arguments)
        expect_equal(done.returncode, 2)
        expect_in("usage: thumbnail_host", done.stderr)
    done = examples.thumbnails("deep", size=0)
    expect_equal(done.returncode, 1)
    expect_in("max_side: expected 1 to 16384", done.stdout)


@test
def a_file_that_is_not_there_is_named(examples):
    done = examples.run("thumbnail/thumbnail_host", "missing.png")
    expect_equal(done.returncode, 1)
    expect_in("missing.png", done.stderr)


# ---- lua ----


@test
def a_script_reads_from_the_host_and_returns_text(examples):
    expect_success(examples.run("lua/lua_host"),
                   "[log] read 5 orders\n1. Ångström      1676.13 EUR\n2. Curie         1310.00 EUR\n"
                   "3. Bose          1305.50 EUR\n")


@test
def a_failing_script_is_an_error_with_its_line_and_the_next_one_works(examples):
    bad = examples.script("local x = nil\nreturn x.y")
    good = examples.script("return 6 * 7")
    done = examples.run("lua/lua_host", bad, good)
    expect_equal(done.returncode, 1)
    expect_equal(done.stdout, "42\n")
    expect_in("script:2: attempt to index a nil value (local 'x')", done.stderr)
    expect_in("stack traceback", done.stderr)


@test
def a_script_that_is_no_lua_is_an_error(examples):
    done = examples.run("lua/lua_host", examples.script("this is no Lua"))
    expect_equal(done.returncode, 1)
    expect_in("script:1: syntax error", done.stderr)


@test
def a_script_can_catch_the_refusal_of_a_host_function(examples):
    script = examples.script("local ok, message = pcall(host.lookup, 'secrets') return ok, message")
    expect_success(examples.run("lua/lua_host", script), "false\thost.lookup: the host has no 'secrets'\n")


@test
def globals_last_as_long_as_the_sandbox(examples):
    first, second = examples.script("counter = 41"), examples.script("counter = counter + 1 return counter")
    expect_success(examples.run("lua/lua_host", first, second), "\n42\n")


@test
def what_a_script_prints_reaches_the_host_in_order(examples):
    script = examples.script("print('one') io.stdout:write('two\\n') return 'three'")
    expect_success(examples.run("lua/lua_host", script), "one\ntwo\nthree\n")


@test
def text_that_is_not_utf8_is_an_error(examples):
    done = examples.run("lua/lua_host", examples.script("return '\\xff'"), examples.script("return 'fine'"))
    expect_equal(done.returncode, 1)
    expect_equal(done.stdout, "fine\n")
    expect_in("not UTF-8", done.stderr)


@test
def a_script_that_wants_all_memory_gets_an_error(examples):
    hungry = examples.script("local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end")
    done = examples.run("lua/lua_host", hungry, examples.script("collectgarbage() return 'fine'"))
    expect_equal(done.returncode, 1)
    expect_in("not enough memory", done.stderr)
    expect_equal(done.stdout, "fine\n")


def interpret(examples, program, *arguments, options=()):
    """A Lua program in the unmodified interpreter in a micro-VM."""
    return subprocess.run([examples.tool, "run", *options, examples.directory / "lua_interpreter", *arguments],
                          input=(SOURCES / "lua/programs" / program).read_text(encoding="utf-8"), capture_output=True,
                          text=True, cwd=examples.work, timeout=TIMEOUT_SECONDS, check=False)


@test
def the_unmodified_interpreter_prints_in_a_micro_vm_what_it_prints_as_a_process(examples):
    programs = sorted((SOURCES / "lua/programs").glob("*.lua"))
    assert len(programs) >= 4, programs
    for program in programs:
        natively = examples.run("lua_interpreter", program)
        expect_success(natively)
        assert len(natively.stdout) > 100, natively.stdout
        expect_success(interpret(examples, program.name, "-"), natively.stdout)


@test
def the_interpreter_reads_a_file_that_it_is_given_and_its_arguments(examples):
    program = SOURCES / "lua/programs/words.lua"
    text = examples.work / "text.txt"
    text.write_text("a b a c a b\n", encoding="utf-8")
    done = interpret(examples, "words.lua", "/words.lua", "/text.txt",
                     options=("--file", f"/words.lua={program}", "--file", f"/text.txt={text}"))
    expect_success(done)
    expect_in("6 words, 3 different\n   3  a        ###\n", done.stdout)


@test
def the_interpreter_passes_on_the_exit_status(examples):
    done = subprocess.run([examples.tool, "run", examples.directory / "lua_interpreter", "-e", "os.exit(7)"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    expect_equal(done.returncode, 7)


# ---- the demo, and a machine without KVM ----


@test
def the_demo_ends_with_the_table_of_costs(examples):
    done = examples.run("demo/demo")
    expect_success(done)
    expect_in("Backend: kvm.", done.stdout)
    lines = done.stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("what ran"))
    rows = [line for line in lines[header + 1:] if line.startswith("  ")]
    expect_equal(len(rows), 6)
    for row in rows:
        expect_in("x", row.split()[-1] if "first sandbox" in row else row.split()[-2])


@test
def without_kvm_the_examples_say_so_and_what_to_do(examples):
    # Root needs no user namespace for it, and cannot make one inside a chroot.
    own_mounts = ("--mount",) if os.geteuid() == 0 else ("--map-root-user", "--mount")
    no_devices = ("unshare", *own_mounts, "sh", "-c", 'mount -t tmpfs tmpfs /dev && exec "$@"', "sh")
    picture = examples.pictures / "deep.png"
    for program, arguments, status in (("hello/host", (), 1), ("hello/host_c", (), 1), ("lua/lua_host", (), 125),
                                       ("thumbnail/thumbnail_host", (picture,), 125), ("demo/demo", (), 125)):
        done = examples.run(program, *arguments, cwd=examples.directory / "hello", before=no_devices)
        expect_equal((program, done.returncode), (program, status))
        expect_in("/dev/kvm", done.stderr)
        expect_in("load the module", done.stderr)


def run_test(function, build):
    with tempfile.TemporaryDirectory() as work:
        try:
            function(Examples(build, pathlib.Path(work)))
            return True
        except (AssertionError, ValueError, OSError, subprocess.SubprocessError):
            traceback.print_exc(file=sys.stdout)
            return False


def main():
    parser = argparse.ArgumentParser(description="Runs the examples as a user would.")
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="a built tree with examples and the tool")
    parser.add_argument("tests", nargs="*", help="names of tests; all when none is given")
    arguments = parser.parse_args()
    chosen = [each for each in TESTS if not arguments.tests or each.__name__ in arguments.tests]
    failed = 0
    for each in chosen:
        ok = run_test(each, arguments.build_dir.resolve())
        print(f"{'ok' if ok else 'not ok'} {each.__name__.replace('_', ' ')}", flush=True)
        failed += not ok
    print(f"examples: {len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
