# SPDX-License-Identifier: Apache-2.0
"""The ABI as libabigail sees it: abidw writes down what a library's functions and their types are, abidiff compares that with
the committed baseline.

    abigail.py BUILD        compares BUILD's libglint.so with the baseline
    abigail.py --write BUILD    makes it the new baseline, if nothing that the old one has was changed
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include/glint"
BASELINE = ROOT / "abi/libglint.abi"

# abidiff's exit status is a set of bits; these mean that it could not compare.
ABIDIFF_ERROR = 1 | 2


def dump(library, headers=HEADERS):
    """What abidw says of the exported functions and of the types in `headers`, as XML without a path of this machine."""
    with tempfile.TemporaryDirectory() as directory:
        # A type is public when the file that defines it has the name of one in the directory. So cpp/ must not be there: its
        # engine.hpp would make the inside of src/sandbox/engine.hpp public.
        for header in headers.glob("*.h"):
            shutil.copy(header, directory)
        command = ["abidw", "--drop-private-types", "--headers-dir", directory, "--exported-interfaces-only",
                   "--type-id-style", "hash", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                   str(library)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "<function-decl" not in text:
        raise ValueError(f"{library} has no debug information that abidw can read")
    return re.sub(r"(<abi-instr [^>]*? path=')[^']*/", r"\1", text)


def structs(root):
    """The structs of an ABI by name, those without a name left out."""
    return {node.get("name"): node for node in root.iter("class-decl")
            if node.get("size-in-bits") and node.get("is-anonymous") != "yes"}


def members(struct):
    """(offset in bits, name, type, the element) of each field."""
    for member in struct.findall("data-member"):
        variable = member.find("var-decl")
        yield int(member.get("layout-offset-in-bits")), variable.get("name"), variable.get("type-id"), member


def without_allowed_changes(text, baseline):
    """`text` with the two changes undone that a struct may undergo: fields may be added behind the last one where the first
    one is `struct_size`, and a reserved field may get a name. abidiff has suppressions for the first, but they hide every
    change of a struct that has grown."""
    root = ElementTree.fromstring(text)
    old_structs = structs(ElementTree.fromstring(baseline))
    for name, struct in structs(root).items():
        old = old_structs.get(name)
        if old is None:
            continue
        undo_growth(struct, old)
        reserved = {(offset, kind) for offset, field, kind, _ in members(old) if field == "reserved"}
        for offset, _, kind, member in members(struct):
            if (offset, kind) in reserved:
                member.find("var-decl").set("name", "reserved")
    return ElementTree.tostring(root, encoding="unicode")


def undo_growth(struct, old):
    old_size = int(old.get("size-in-bits"))
    fields = list(members(struct))
    if int(struct.get("size-in-bits")) <= old_size or not fields or fields[0][1] != "struct_size":
        return
    for offset, _, _, member in fields:
        if offset >= old_size:
            struct.remove(member)
    struct.set("size-in-bits", str(old_size))


def changes(text, baseline):
    """What `text` changes of, or takes away from, `baseline`, as abidiff puts it; empty when it adds at most."""
    # abidiff takes a struct of unknown contents to be equal to any other.
    lost = structs(ElementTree.fromstring(baseline)).keys() - structs(ElementTree.fromstring(text)).keys()
    if lost:
        return f"no longer defined: {', '.join(sorted(lost))}"
    with tempfile.TemporaryDirectory() as directory:
        old, new = pathlib.Path(directory) / "baseline.abi", pathlib.Path(directory) / "now.abi"
        old.write_text(baseline)
        new.write_text(without_allowed_changes(text, baseline))
        # "Harmless" changes are those that existing programs survive, such as a const taken away; recompiling may not.
        done = subprocess.run(["abidiff", "--harmless", "--no-added-syms", str(old), str(new)], capture_output=True,
                              text=True, check=False)
    if done.returncode & ABIDIFF_ERROR or (done.returncode and not done.stdout):
        raise ValueError(f"abidiff failed with status {done.returncode}: {done.stderr}")
    return done.stdout if done.returncode else ""


def symbol_versions(text):
    """The version-script node of each exported function."""
    return {symbol.get("name"): symbol.get("version") for symbol in ElementTree.fromstring(text).iter("elf-symbol")}


def soname(text):
    return ElementTree.fromstring(text).get("soname")


def main(arguments):
    write = arguments[:1] == ["--write"]
    text = dump(pathlib.Path(arguments[-1]) / "src/libglint.so")
    changed = changes(text, BASELINE.read_text()) if BASELINE.exists() else ""
    if changed:
        sys.exit(changed)
    if write:
        BASELINE.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
