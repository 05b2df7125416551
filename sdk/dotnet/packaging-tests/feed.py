# SPDX-License-Identifier: Apache-2.0
"""Copies of projects that know Glint by its package only, and get it from a local folder and from nowhere else."""

import json
import re
import shutil
from xml.sax.saxutils import quoteattr

from checks import BUILD_SECONDS, dotnet, run
from package import VERSION

CONFIG = """<configuration>
  <packageSources>
{sources}
  </packageSources>
  <packageSourceMapping>
    <clear />
{mapping}
  </packageSourceMapping>
</configuration>
"""


def usual_sources(cwd):
    """The names of the sources that this machine has packages from."""
    listed = run(["dotnet", "nuget", "list", "source", "--format", "Detailed"], cwd)
    return re.findall(r"^\s*\d+\.\s+(.+?) \[(?:Enabled|Disabled)\]$", listed.stdout, re.MULTILINE)


def configure(project, folder, others=None):
    """Writes the project's nuget.config: Glint comes from `folder`, all else from this machine's sources and `others`,
    folders by their names."""
    others = others or {}
    sources = {"glint-local": folder, **others}
    patterns = {"glint-local": "Glint", **{name: "*" for name in [*usual_sources(project), *others]}}
    (project / "nuget.config").write_text(CONFIG.format(
        sources="\n".join(f"    <add key={quoteattr(name)} value={quoteattr(str(path))} />" for name, path in sources.items()),
        mapping="\n".join(f"    <packageSource key={quoteattr(name)}><package pattern={quoteattr(pattern)} /></packageSource>"
                          for name, pattern in patterns.items())), encoding="utf-8")


def copy_as_consumer(source, target, folder, others=None):
    """A copy of a project, away from the sources."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("bin", "obj"))
    configure(target, folder, others)
    return target


def environment(work):
    """A cache of packages of its own: the version is always the same, what is packed is not. All but Glint is there by
    links to the user's cache, so that nothing that script/bootstrap fetched is fetched again."""
    cache = work / "packages"
    cache.mkdir()
    usual = dotnet.packages()
    for package in usual.iterdir() if usual.is_dir() else ():
        if package.name != "glint":
            (cache / package.name).symlink_to(package)
    return {"NUGET_PACKAGES": str(cache)}


def check_mapping(checks, consumer, work, feed, env):
    """A package Glint that any other source has is not taken. Run this before a project has restored the right one."""
    empty = work / "empty-feed"
    empty.mkdir()
    project = copy_as_consumer(consumer, work / "misled", empty, {"elsewhere": feed})
    done = run(["dotnet", "restore"], project, env, BUILD_SECONDS)
    checks.report("Glint is taken from its own source only", done.status == 1 and "NU1101" in done.stdout, done.story)


def check_origin(checks, feed, env):
    """What was restored is what was packed."""
    with open(f"{env['NUGET_PACKAGES']}/glint/{VERSION}/.nupkg.metadata", encoding="utf-8") as file:
        checks.equal("the projects have Glint from the local folder", json.load(file)["source"], str(feed))
