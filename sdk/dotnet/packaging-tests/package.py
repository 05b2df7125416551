# SPDX-License-Identifier: Apache-2.0
"""Makes the NuGet package and looks into it."""

import re
import shutil
import struct
import zipfile

from checks import ROOT, dotnet, run

VERSION = "0.2.0"
LIBRARY = "runtimes/linux-x64/native/libglint.so"
ASSEMBLY = "lib/net10.0/Glint.dll"
SYMBOLS = "lib/net10.0/Glint.pdb"
CONTENTS = {ASSEMBLY, "lib/net10.0/Glint.xml", LIBRARY, "analyzers/dotnet/cs/Glint.Generators.dll", "README.md",
            "THIRD-PARTY-NOTICES.txt", "Glint.nuspec"}
SYMBOL_CONTENTS = {SYMBOLS, "Glint.nuspec"}


def pack(checks, build, work):
    """The folder with the package, or None. In it is the library of a release build, as `cmake --install` gives it."""
    installed, native, feed = work / "installed", work / "native", work / "feed"
    if not checks.command("the library is installed", ["cmake", "--install", build, "--prefix", installed], work):
        return None
    # Under its plain name, which is a link.
    native.mkdir()
    shutil.copy(installed / "lib/libglint.so", native / "libglint.so")
    pack_command = ["dotnet", "pack", ROOT / "sdk/dotnet/Glint/Glint.csproj", "-c", "Release", "-o", feed,
                    "--artifacts-path", work / "artifacts", *dotnet.BUILD_OPTIONS]
    if not checks.command("dotnet pack", [*pack_command, f"-p:GlintNativeLibrary={native / 'libglint.so'}"],
                          ROOT / "sdk/dotnet"):
        return None
    without = run([*pack_command, "--no-build"], ROOT / "sdk/dotnet")
    checks.report("dotnet pack without the native library says what to do",
                  without.status not in (0, None) and "-p:GlintNativeLibrary=" in without.stdout, without.story)
    look_into(checks, feed, native / "libglint.so", work)
    return feed


def contents(archive):
    """The names of the files, without NuGet's own bookkeeping."""
    return {name for name in archive.namelist()
            if not name.startswith(("_rels/", "package/")) and name != "[Content_Types].xml"}


def look_into(checks, feed, library, work):
    with zipfile.ZipFile(feed / f"Glint.{VERSION}.nupkg") as package, \
            zipfile.ZipFile(feed / f"Glint.{VERSION}.snupkg") as symbols:
        checks.equal("the package holds just what it is to hold", contents(package), CONTENTS)
        checks.equal("the package of symbols holds just them", contents(symbols), SYMBOL_CONTENTS)
        nuspec = package.read("Glint.nuspec").decode()
        checks.report("the package names its licence and its readme",
                      '<license type="expression">Apache-2.0</license>' in nuspec and "<readme>README.md</readme>" in nuspec,
                      nuspec)
        checks.equal("the symbols are those of the assembly", pdb_id(symbols.read(SYMBOLS)),
                     referred_pdb_id(package.read(ASSEMBLY)))
        checks.equal("the library in the package is the one that is installed", package.read(LIBRARY), library.read_bytes())
        telling = [name for archive in (package, symbols) for name in archive.namelist()
                   if any(str(place).encode() in archive.read(name) for place in (ROOT, work))]
        checks.equal("nothing in the packages says where they were made", telling, [])
    check_native_symbols(checks, library)


def check_native_symbols(checks, library):
    """The release build makes no debug information. The names of functions stay in, so that debuggers, profilers and core
    dumps show them; packages of symbols may hold none but .NET's."""
    sections = run(["readelf", "--section-headers", "--wide", library], library.parent)
    names = set(re.findall(r"\] (\.\S+)", sections.stdout))
    checks.report("the library has the names of its functions, and no debug information",
                  {".dynsym", ".symtab"} <= names and not any(name.startswith(".debug") for name in names), sections.story)


def referred_pdb_id(assembly):
    """The GUID of the symbols, as an assembly refers to them: a record that begins with RSDS."""
    start = assembly.index(b"RSDS") + 4
    return assembly[start:start + 16]


def pdb_id(data):
    """The GUID of a portable PDB: the first bytes of its stream #Pdb (ECMA-335, II.24.2.1, and the Portable PDB format)."""
    magic, length = struct.unpack_from("<4s8xI", data)
    if magic != b"BSJB":
        return None
    (count,) = struct.unpack_from("<2xH", data, 16 + length)
    position = 16 + length + 4
    for _ in range(count):
        offset, _size = struct.unpack_from("<II", data, position)
        name = data[position + 8:data.index(b"\0", position + 8)]
        if name == b"#Pdb":
            return data[offset:offset + 16]
        position += 8 + (len(name) // 4 + 1) * 4
    return None
