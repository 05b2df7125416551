# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD WORK: packs the C# SDK with BUILD's libglint.so, looks into the package, and uses it in a
project outside the solution that restores it from a local folder: framework-dependent, self-contained in a single file,
trimmed, and compiled ahead of time. So it runs the C# examples. Prints `ok NAME` or `not ok NAME` for each check."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SDK = HERE.parent
ROOT = SDK.parents[1]
VERSION = "0.2.0"
RID = "linux-x64"
WAYS = {
    "framework-dependent": ["-r", RID, "--self-contained", "false"],
    "self-contained, single file": ["-r", RID, "--self-contained", "true", "-p:PublishSingleFile=true",
                                    "-p:IncludeNativeLibrariesForSelfExtract=true"],
    "trimmed": ["-r", RID, "--self-contained", "true", "-p:PublishTrimmed=true", "-p:TrimMode=full"],
    "NativeAOT": ["-r", RID, "-p:PublishAot=true"],
}
CONTENTS = {"lib/net10.0/Glint.dll", "lib/net10.0/Glint.xml", f"runtimes/{RID}/native/libglint.so", "README.md", "Glint.nuspec",
            "analyzers/dotnet/cs/Glint.Generators.dll"}


def report(name, ok, detail=""):
    if not ok:
        print(detail)
    print(f"{'ok' if ok else 'not ok'} {name}", flush=True)
    return ok


def command(name, words, cwd, env=None, expected=None):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd,
                          env={**os.environ, **(env or {})}, check=False)
    ok = done.returncode == 0 and expected in (None, done.stdout)
    return report(name, ok, f"$ {' '.join(map(str, words))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")


def pack(library, work):
    """The folder with the package, or None. The library goes in under its plain name, whatever a link points to."""
    feed = work / "feed"
    plain = work / "native/libglint.so"
    plain.parent.mkdir()
    shutil.copy(library, plain)
    subprocess.run(["strip", "--strip-debug", plain], check=True)
    if not command("dotnet pack", ["dotnet", "pack", SDK / "Glint/Glint.csproj", "-c", "Release", "-o", feed,
                                   "--artifacts-path", work / "artifacts", f"-p:GlintNativeLibrary={plain}"], SDK):
        return None
    package = zipfile.ZipFile(feed / f"Glint.{VERSION}.nupkg")
    names = set(package.namelist())
    report("the package holds the assembly, its documentation, the library and the readme", CONTENTS <= names,
           f"missing: {CONTENTS - names}; there are {sorted(names)}")
    nuspec = package.read("Glint.nuspec").decode()
    report("the package names its licence and its readme",
           '<license type="expression">Apache-2.0</license>' in nuspec and "<readme>README.md</readme>" in nuspec, nuspec)
    report("the symbols are packed beside it", (feed / f"Glint.{VERSION}.snupkg").exists())
    return feed


def copy_as_consumer(source, target, feed):
    """A copy of a project, away from the sources, with the folder as a source of packages of its own."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("bin", "obj"))
    subprocess.run(["dotnet", "new", "nugetconfig", "-o", target], check=True, capture_output=True)
    subprocess.run(["dotnet", "nuget", "add", "source", feed, "-n", "glint-local", "--configfile",
                    target / "nuget.config"], check=True, capture_output=True)
    return target


def check_consumer(consumer, guest, work, env):
    good = True
    for name, options in WAYS.items():
        out = work / "published" / name.split(",")[0].replace(" ", "-")
        built = command(f"the consumer is published, {name}",
                        ["dotnet", "publish", "-c", "Release", "-o", out, *options, "-p:UseArtifactsOutput=true",
                         f"-p:ArtifactsPath={out}-build"], consumer, env)
        good &= built and command(f"the consumer runs, {name}", [out / "Consumer", guest], out,
                                  expected="the package works\n")
    return good


def check_examples(directory, build, work, env):
    """Builds and runs the C# examples; what they print is in part known."""
    pictures = sorted((build / "examples/thumbnail/pictures").glob("*.png"))
    runs = {
        "Thumbnail": ([build / "examples/thumbnail/thumbnail", work / "thumbnails", *pictures], " -> "),
        "Lua": ([build / "examples/lua/lua", ROOT / "examples/lua/report.lua"], "Bose"),
        "Nested": ([build / "examples/hello/greeter"], "KeyNotFoundException through two guests: nobody\n"
                                                       "cancelled while a host function waited\n"),
    }
    good = True
    for name, (arguments, part) in runs.items():
        out = work / "examples-out" / name
        if not command(f"the example {name} builds", ["dotnet", "build", name, "-c", "Release", "-o", out], directory, env):
            good = False
            continue
        done = subprocess.run([out / name, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        # The thumbnailer is given files that are no good pictures, too, and says so.
        status = 1 if name == "Thumbnail" else 0
        good &= report(f"the example {name} runs", done.returncode == status and part in done.stdout,
                       f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return good


def main(build, work):
    build = pathlib.Path(build).resolve()
    work = pathlib.Path(work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    feed = pack(build / "src/libglint.so", work)
    if feed is None:
        return 1
    # A cache of packages of its own: the version number is always the same, what is packed is not.
    env = {"NUGET_PACKAGES": str(work / "packages")}
    consumer = copy_as_consumer(HERE / "Consumer", work / "consumer", feed)
    examples = copy_as_consumer(ROOT / "examples/csharp", work / "examples", feed)
    good = check_consumer(consumer, build / "tests/guests/mirror", work, env)
    good &= check_examples(examples, build, work, env)
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
