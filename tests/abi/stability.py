# SPDX-License-Identifier: Apache-2.0
"""Checks that the ABI is still the committed one, and the same in every build; docs/abi-stability.md says what that means."""

import pathlib
import re
import subprocess
import tempfile

import abigail
import mutations
import specimen

ROOT = abigail.ROOT
# What macros are for the compiler alone, or are meant to change.
NO_CONSTANTS = re.compile(r"GLINT_(API|MUST_USE|NOEXCEPT|\w+_H|VERSION_STRING|C_ABI_MINOR)")


def read_list(name):
    return [line for line in (ROOT / "abi" / name).read_text().splitlines() if not line.startswith("#")]


def constants():
    """`NAME VALUE` of each constant that the headers define, by name; the compiler is asked for the values."""
    names = sorted({name for text in specimen.read_headers().values()
                    for name in re.findall(r"^#define (GLINT_\w+)", text, re.MULTILINE) if not NO_CONSTANTS.fullmatch(name)})
    prints = "".join(f'printf({name} < 0 ? "{name} %lld\\n" : "{name} %llu\\n", (long long)({name}));\n' for name in names)
    program = f'#include <glint/glint.h>\n#include <stdio.h>\nint main(void) {{\n{prints}return 0; }}\n'
    with tempfile.TemporaryDirectory() as directory:
        binary = pathlib.Path(directory) / "constants"
        subprocess.run(["gcc", "-I", str(ROOT / "include"), "-x", "c", "-", "-o", str(binary)], input=program, text=True,
                       check=True)
        return subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout.splitlines()


def differences(listed, found):
    return f"listed only: {sorted(set(listed) - set(found))}; found only: {sorted(set(found) - set(listed))}"


def check_baseline(report, text, baseline):
    changed = abigail.changes(text, baseline)
    with tempfile.TemporaryDirectory() as directory:
        declared = specimen.dump(pathlib.Path(directory), specimen.read_headers())
    beyond = abigail.changes(text, declared)
    paths = re.findall(r"='(/[^']*)'", baseline)
    return [
        report("abidiff: the library keeps what the baseline has", not changed, changed),
        report("abidiff: the library has what the headers declare", not beyond, beyond),
        report("the baseline has no path of a machine", not paths, f"{paths[:3]}"),
    ]


def misplaced(versions, old_versions, node):
    """The functions that are new and not in `node`, or in it although it is not new."""
    return sorted(name for name in versions.keys() - old_versions.keys()
                  if versions[name] != node or node in old_versions.values())


def check_versions(report, text, baseline):
    """New functions are in the node of a minor version of their own, so that a program that needs them says so."""
    major, minor = specimen.abi_version()
    old, new = abigail.symbol_versions(baseline), abigail.symbol_versions(text)
    wrong = misplaced(new, old, f"GLINT_{major}.{minor}")
    return [
        report(f"the SONAME is libglint.so.{major}", abigail.soname(text) == f"libglint.so.{major}", abigail.soname(text)),
        report("functions that the baseline lacks are in the node of a new minor version", not wrong,
               f"raise GLINT_C_ABI_MINOR, and put into its own node of cmake/glint.map: {wrong}"),
        report("a new function in an old node is refused", misplaced({"f": "N_1", "g": "N_1"}, {"f": "N_1"}, "N_1") == ["g"]
               and misplaced({"f": "N_1", "g": "N_1"}, {"f": "N_1"}, "N_2") == ["g"]
               and not misplaced({"f": "N_1", "g": "N_2"}, {"f": "N_1"}, "N_2")),
    ]


def dynamic_symbols(library):
    lines = subprocess.run(["nm", "--dynamic", "--defined-only", str(library)], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    # A is the symbol of a version node.
    return sorted(line.split()[2] for line in lines if line.split()[1] != "A")


def archive_symbols(library):
    """The C names of an archive that a program sees: global, of default visibility, defined."""
    table = subprocess.run(["readelf", "--symbols", "--wide", str(library)], capture_output=True, text=True,
                           check=True).stdout
    visible = re.findall(r" GLOBAL DEFAULT +(?!UND)\S+ (\w+)$", table, re.MULTILINE)
    return sorted(name for name in visible if not name.startswith("_Z"))


def check_builds(report, builds):
    """The debug and the release build, the shared and the static library."""
    listed = read_list("symbols.txt")
    results = []
    for build in builds:
        for library, read in (("libglint.so", dynamic_symbols), ("libglint.a", archive_symbols)):
            found = [name.split("@")[0] for name in read(build / "src" / library)]
            results.append(report(f"{build.name}: {library} has the functions of abi/symbols.txt", found == listed,
                                  differences(listed, found)))
    return results


def check_constants(report):
    listed, found = read_list("constants.txt"), constants()
    return report(f"the {len(found)} constants have the values of abi/constants.txt", len(found) > 90 and listed == found,
                  differences(listed, found))


def check_layout(report, program, text):
    """The program that bindings compare themselves with prints each field, and where the library has it."""
    lines = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.splitlines()
    printed = {tuple(line.split()[:3]) for line in lines if "." not in line}
    found = set()
    for name, struct in abigail.structs(abigail.ElementTree.fromstring(text)).items():
        found.add((name, "-", "0"))
        found |= {(name, field, str(offset // 8)) for offset, field, _, _ in abigail.members(struct)}
    return [
        report("tests/abi/layout.c prints every struct and field", bool(found) and printed == found,
               differences(printed, found)),
        check_padding(report, [line.split() for line in lines if "." not in line]),
    ]


def check_padding(report, fields):
    """Padding would be bytes that nobody sets, and that no later version could use."""
    sizes, ends = {}, {}
    gaps = []
    for struct, field, offset, size in fields:
        if field == "-":
            sizes[struct], ends[struct] = int(size), 0
            continue
        if int(offset) != ends[struct]:
            gaps.append(f"{struct}.{field}")
        ends[struct] = int(offset) + int(size)
    gaps += [struct for struct, size in sizes.items() if ends[struct] != size]
    return report("no struct has padding", bool(sizes) and not gaps, f"before or at the end of {gaps}")


def check(report, builds):
    text, baseline = abigail.dump(builds[0] / "src/libglint.so"), abigail.BASELINE.read_text()
    return [
        *check_baseline(report, text, baseline),
        *check_versions(report, text, baseline),
        *check_builds(report, builds),
        check_constants(report),
        *check_layout(report, builds[0] / "tests/abi/layout", text),
        *mutations.check(report, baseline),
    ]
