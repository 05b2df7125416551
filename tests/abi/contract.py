# SPDX-License-Identifier: Apache-2.0
"""Checks of what the headers promise beyond compiling: the reviewed list of exports; for each a comment that says who owns
what, which threads may call it and how it fails, and a test; names for all status codes; versions; and C++ code that must
not compile."""

import ctypes
import dataclasses
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include/glint"
EXPORT = re.compile(r"GLINT_API\b\s*([^;(]*?)\b(glint_\w+)\s*\(([^)]*)\)")
# Which threads may call a function; glint.h says what the phrases mean.
THREAD_RULE = r"(?i:any thread|one at a time|callback only)\b"
# Before the first function of a header: the rule for those of its functions that have none of their own.
RULE_FOR_ALL = re.compile(r"All functions here\b[^:.]*: " + THREAD_RULE)
CODE = re.compile(r"\bGLINT_(?:E_\w+|OK)\b")
# How long what a function returns a view or a pointer of may be used.
LIFETIME = re.compile(r"(?i:\blives? (?:for ever|as long as)\b|\bborrowed\b|\bend with\b)")
# Code of guests, code that is not run, and what only prints layouts: none of it tests a function.
NO_TESTS = ("guests", "compile_fail", "abi")
MOST_EXPORTS = 80  # the ABI is to stay small enough to be read


@dataclasses.dataclass
class Export:
    name: str
    result: str  # its type
    parameters: str
    comment: str  # the one right before it
    has_thread_rule: bool

    def may_fail(self):
        return self.result == "glint_status" or "glint_error **" in self.parameters

    def gives_view(self):
        return self.result == "glint_str" or self.result.endswith("*")

    def given_handle(self):
        """The type of the handle that comes out of its last parameter but the error."""
        found = re.search(r"(glint_\w+) \*\*\w+,\s*glint_error \*\*", self.parameters)
        return found[1] if found else None


class Str(ctypes.Structure):
    """glint_str"""
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint64)]


def exports():
    """What the headers declare."""
    for header in sorted(HEADERS.glob("*.h")):
        text = header.read_text()
        rule_for_all = False
        for found in EXPORT.finditer(text):
            before = text[:found.start()].rstrip()
            rule_for_all = rule_for_all or bool(RULE_FOR_ALL.search(plain(before)))
            comment = plain(before[before.rindex("/*"):]) if before.endswith("*/") else ""
            yield Export(found[2], found[1].strip(), plain(found[3]), comment,
                         rule_for_all or bool(re.search(THREAD_RULE, comment)))


def plain(text):
    """Without the line breaks and asterisks of C comments, so that a phrase may be broken."""
    return re.sub(r"\s*\n\s*(\*(?!/)\s*)?", " ", text)


def status_codes():
    text = (HEADERS / "status.h").read_text()
    return {name: int(number) for name, number in re.findall(r"#define (GLINT_E_\w+) \((-\d+)\)", text)}


def names(found):
    return sorted(export.name for export in found)


def check_exports(report):
    found = list(exports())
    listed = [line for line in (ROOT / "abi/symbols.txt").read_text().splitlines() if not line.startswith("#")]
    declared = names(found)
    return [
        report("abi/symbols.txt lists what the headers declare", listed == declared,
               f"not listed: {sorted(set(declared) - set(listed))}; listed only: {sorted(set(listed) - set(declared))}"),
        report(f"there are at most {MOST_EXPORTS} exports", 0 < len(found) <= MOST_EXPORTS, f"{len(found)}"),
        *check_comments(report, found),
        *check_tested(report, found),
    ]


def check_comments(report, found):
    silent = names(export for export in found if not export.comment)
    unruled = names(export for export in found if not export.has_thread_rule)
    # Memory may run out in most functions, and NULL is refused by all; glint.h says so once. A comment names what else
    # there is, or that there is nothing else.
    vague = names(export for export in found if export.may_fail() and not CODE.search(export.comment))
    endless = names(export for export in found if export.gives_view() and not LIFETIME.search(export.comment))
    freed = {export.name for export in found}
    unowned = names(export for export in found if export.given_handle() and f"{export.given_handle()}_free" not in freed)
    return [
        report("every export has a comment of its own", not silent, f"without: {silent}"),
        report("every export says which threads may call it", not unruled, f"does not say: {unruled}"),
        report("every export that can fail names a code", not vague, f"does not: {vague}"),
        report("every export that returns a view or a pointer says how long it lives", not endless, f"does not: {endless}"),
        report("every handle that an export gives has a free", not unowned, f"has none: {unowned}"),
        check_named_codes(report),
    ]


def check_named_codes(report):
    """GLINT_E_GUEST_* stands for a group that must exist; GLINT_E_UNKNOWN is the name of no code."""
    codes = status_codes().keys() | {"GLINT_E_UNKNOWN"}
    named = {(header.name, code) for header in HEADERS.glob("*.h")
             for code in re.findall(r"\bGLINT_E_\w+\*?", header.read_text())}
    unknown = sorted((header, code) for header, code in named if code not in codes
                     and not (code.endswith("*") and any(known.startswith(code[:-1]) for known in codes)))
    return report("every code that a header names is in status.h", bool(named) and not unknown, f"not there: {unknown}")


def check_tested(report, found):
    """A test names each function in its code; to be named in a comment or a text is not enough."""
    code = "\n".join(without_comments(path.read_text()) for path in sorted((ROOT / "tests").rglob("*"))
                     if path.suffix in (".c", ".cpp") and path.relative_to(ROOT / "tests").parts[0] not in NO_TESTS)
    untested = names(export for export in found if not re.search(rf"\b{export.name}\b", code))
    return [report("every export is named in a test's code", not untested, f"not named: {untested}")]


def without_comments(code):
    """Without comments and texts; the three are looked for at once, since each may seem to begin in another."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', " ", code, flags=re.DOTALL)


def text_of(view):
    return ctypes.string_at(view.data, view.size).decode()


def check_status_names(report, glint):
    """The library itself is asked, as another language would."""
    glint.glint_status_name.restype = Str
    glint.glint_status_name.argtypes = [ctypes.c_int32]

    def name_of(status):
        return text_of(glint.glint_status_name(status))

    codes = status_codes()
    wrong = [f"{number}: {name}, not {name_of(number)}" for name, number in codes.items() if name_of(number) != name]
    stray = [number for number in range(-128, 128)
             if number not in codes.values() and name_of(number) not in ("GLINT_E_UNKNOWN", "GLINT_OK")]
    return report(f"each of {len(codes)} status codes has its name", len(codes) > 30 and not wrong and not stray,
                  f"wrong: {wrong}; names without a code: {stray}")


def check_versions(report, glint):
    """The headers, the library and the release agree."""
    base = (HEADERS / "base.h").read_text()
    major, minor = (int(re.search(rf"#define GLINT_C_ABI_{part} (\d+)u", base)[1]) for part in ("MAJOR", "MINOR"))
    release = re.search(r'#define GLINT_VERSION_STRING "([\d.]+)"', base)[1]
    others = {"CMakeLists.txt": r"^project\(Glint VERSION ([\d.]+)", "sdk/python/pyproject.toml": r'^version = "([\d.]+)"'}
    stated = {file: re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)[1] for file, pattern in others.items()}
    glint.glint_version_string.restype = Str
    glint.glint_abi_version.restype = ctypes.c_uint32
    said = text_of(glint.glint_version_string())
    return [
        report("library and headers are of one version of the ABI", glint.glint_abi_version() == major << 16 | minor),
        report(f"library, headers, {' and '.join(others)} are of one release", {said, release, *stated.values()} == {release},
               f"library {said}, headers {release}, {stated}"),
    ]


def check_must_not_compile(report, source):
    """A file says in `// error: TEXT` what the compiler must tell its author."""
    expected = re.findall(r"^// error: (.+)$", source.read_text(), re.MULTILINE)
    problems = []
    for compiler in ("g++", "clang++-19"):
        done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-I", str(ROOT / "include"), str(source)],
                              capture_output=True, text=True, check=False)
        if expected and done.returncode == 0:
            problems.append(f"{compiler} accepts it")
        problems += [f"{compiler} does not say '{text}':\n{done.stderr}" for text in expected if text not in done.stderr]
        if not expected and done.returncode != 0:
            problems.append(f"{compiler} refuses it:\n{done.stderr}")
    what = "is refused with a clear text" if expected else "compiles"
    return report(f"compile_fail/{source.name} {what}", not problems, "\n".join(problems))


def check(report, library):
    sources = sorted((ROOT / "tests/compile_fail").glob("*.cpp"))
    results = check_exports(report)
    glint = ctypes.CDLL(str(library))
    results.append(check_status_names(report, glint))
    results += check_versions(report, glint)
    results += [check_must_not_compile(report, source) for source in sources]
    return results
