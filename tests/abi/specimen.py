# SPDX-License-Identifier: Apache-2.0
"""A library with the functions that a set of headers declares, and nothing in them: what the ABI is by the headers alone,
and, from headers that were changed, what the checks must refuse or accept."""

import re
import subprocess

import abigail

DECLARATION = re.compile(r"GLINT_API\b\s*([^;(]*?)\b(glint_\w+)\s*\(([^)]*)\)")
VERSION_SCRIPT = abigail.ROOT / "cmake/glint.map"


def read_headers():
    return {path.name: path.read_text() for path in sorted(abigail.HEADERS.glob("*.h"))}


def abi_version():
    """(major, minor) of the headers."""
    text = read_headers()["base.h"]
    return tuple(int(re.search(rf"#define GLINT_C_ABI_{part} (\d+)u", text)[1]) for part in ("MAJOR", "MINOR"))


def source(headers):
    """C code that defines each declared function."""
    text = re.sub(r"/\*.*?\*/", "", "".join(headers.values()), flags=re.DOTALL)
    definitions = []
    for result, name, parameters in DECLARATION.findall(text):
        body = "" if result.strip() == "void" else f"return ({result.strip()}){{0}};"
        definitions.append(f"{result} {name}({parameters}) {{ {body} }}\n")
    return '#include "glint/glint.h"\n' + "".join(definitions)


def dump(directory, headers, script=None, soname=None):
    """The ABI of such a library, built in `directory`; with another version script or SONAME than ours, if wanted."""
    include = directory / "include/glint"
    include.mkdir(parents=True)
    for file, text in headers.items():
        (include / file).write_text(text)
    (directory / "specimen.c").write_text(source(headers))
    (directory / "specimen.map").write_text(script or VERSION_SCRIPT.read_text())
    library = directory / "libglint.so"
    soname = soname or f"libglint.so.{abi_version()[0]}"
    subprocess.run(["gcc", "-std=c11", "-g", "-fPIC", "-shared", "-w", "-I", str(directory / "include"),
                    str(directory / "specimen.c"), "-o", str(library), f"-Wl,-soname,{soname}",
                    f"-Wl,--version-script,{directory / 'specimen.map'}"], check=True)
    return abigail.dump(library, include)
