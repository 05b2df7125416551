# SPDX-License-Identifier: Apache-2.0
"""Runs the kvm tests, or the benchmarks, on real AMD-V code paths: Debian's kernel with kvm_amd in a QEMU machine whose
processor, SVM and nested paging are all emulated (TCG), so that no virtualization is needed here.

The kernel package is downloaded and unpacked, never installed. The machine boots an initramfs of busybox and the
program with its libraries and guests, under the paths they have here. Its first serial port is the console; the second
one carries a report out: the tests' in XML, the benchmarks' in JSON.
"""

import argparse
import gzip
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/nested"
MODULES = ("irqbypass", "ccp", "kvm", "kvm-amd")
# With two processors both locked up once in a loop that creates VMs; one holds.
MACHINE = ("-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-smp", "1", "-m", "2G")
KERNEL_ARGUMENTS = "console=ttyS0 quiet tsc=reliable no_timer_check mitigations=off panic=-1"


def say(text):
    print(f"nested: {text}", flush=True)


def output_of(*command, cwd=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode != 0:
        sys.exit(f"nested: `{' '.join(command)}` failed: {done.stderr.strip()}")
    return done.stdout


def kernel():
    """The directory of Debian's kernel and its modules, downloaded when it is not there yet."""
    depends = output_of("apt-cache", "depends", "linux-image-amd64")
    package = re.search(r"Depends: (linux-image-\S+)", depends)
    if not package:
        sys.exit("nested: apt does not know linux-image-amd64; run apt-get update")
    directory = WORK / package[1]
    if (directory / "vmlinuz").exists():
        return directory

    say(f"downloading {package[1]}")
    shutil.rmtree(WORK, ignore_errors=True)
    download, tree, unfinished = WORK / "download", WORK / "tree", WORK / "unfinished"
    for path in (download, tree, unfinished):
        path.mkdir(parents=True)
    output_of("apt-get", "-o", "APT::Sandbox::User=root", "download", package[1], cwd=download)
    say("unpacking it")
    output_of("dpkg-deb", "-x", str(next(download.glob("*.deb"))), str(tree))
    shutil.copy(next(tree.glob("boot/vmlinuz-*")), unfinished / "vmlinuz")
    for name in MODULES:
        unpack_module(next(tree.rglob(f"{name}.ko*")), unfinished / f"{name}.ko")
    unfinished.rename(directory)
    shutil.rmtree(download)
    shutil.rmtree(tree)
    return directory


def unpack_module(source, target):
    """Modules may be compressed; busybox loads plain ones only."""
    if source.suffix == ".ko":
        shutil.copy(source, target)
        return
    program = {".xz": "xz", ".zst": "zstd", ".gz": "gzip"}[source.suffix]
    with open(target, "wb") as output:
        subprocess.run([program, "-dc", str(source)], stdout=output, check=True)


def libraries_of(program):
    """The shared libraries that it loads, and the loader; none of a statically linked one."""
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)
    return [pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)]


def make_initramfs(directory, program, guests, arguments):
    tree = WORK / "initramfs"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("bin", "modules"):
        (tree / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", tree / "bin/busybox")
    for name in MODULES:
        shutil.copy(directory / f"{name}.ko", tree / "modules")
    shutil.copy(pathlib.Path(__file__).parent / "init", tree / "init")
    for path in (program, *libraries_of(program), *guests):
        target = tree / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tree / "run").write_text(f"exec {shlex.join([str(program), *arguments])}\n")

    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=subprocess.PIPE,
                             cwd=tree, check=True).stdout
    image = WORK / "initramfs.gz"
    with gzip.open(image, "wb", compresslevel=1) as output:
        output.write(archive)
    return image


def boot(directory, initramfs, report, timeout):
    """Boots the machine; the exit status of the program, None when it did not come to its end."""
    command = ["qemu-system-x86_64", *MACHINE, "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
               "-serial", f"file:{report}", "-kernel", str(directory / "vmlinuz"), "-initrd", str(initramfs),
               "-append", KERNEL_ARGUMENTS]
    start = time.monotonic()
    status = None
    # QEMU warns of each processor feature that it does not emulate; of interest only when it fails.
    complaints = WORK / "qemu.log"
    with open(complaints, "w", encoding="utf-8") as stderr, subprocess.Popen(
            ["timeout", "--kill-after=10", str(timeout), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=stderr, text=True, errors="replace") as machine:
        for line in machine.stdout:
            print(line.rstrip(), flush=True)
            found = re.match(r"nested: exit status (\d+)", line)
            if found:
                status = int(found[1])
    if status is None and machine.returncode == 124:
        say(f"the machine was stopped after {timeout} s")
    elif status is None:
        say(f"the machine ended without a result (qemu's exit status {machine.returncode})")
        print(complaints.read_text())
    say(f"{time.monotonic() - start:.0f} s from power-on to power-off")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build directory with the program")
    parser.add_argument("--bench", action="store_true", help="run bench/glint_bench instead of tests/glint_kvm_tests")
    parser.add_argument("--report", type=pathlib.Path, required=True, help="where the report goes")
    parser.add_argument("--timeout", type=int, default=900, help="seconds")
    parser.add_argument("arguments", nargs="*", help="for the program, after --")
    options = parser.parse_args()

    build = options.build.resolve()
    if options.bench:
        program, guests = build / "bench/glint_bench", (build / "bench").glob("bench_*")
        own = ["--json", "/report"]
    else:
        program, guests = build / "tests/glint_kvm_tests", (build / "tests/guests").iterdir()
        own = ["--gtest_color=no", "--gtest_output=xml:/report"]
    if not program.exists():
        sys.exit(f"nested: {program} is missing; build it first")
    guests = [path for path in sorted(guests) if path.is_file() and os.access(path, os.X_OK)]
    WORK.mkdir(parents=True, exist_ok=True)
    directory = kernel()
    initramfs = make_initramfs(directory, program, guests, [*own, *options.arguments])
    # The report appears under its name only when it is whole.
    raw = WORK / "report"
    status = boot(directory, initramfs, raw, options.timeout)
    # Where nothing ran, there is no report, and that is a failure whatever else was said.
    if status is None or raw.stat().st_size == 0:
        sys.exit(status or 1)
    raw.replace(options.report)
    sys.exit(status)


main()
