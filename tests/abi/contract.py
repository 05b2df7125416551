# SPDX-License-Identifier: Apache-2.0
"""Checks of what the headers promise beyond compiling: the reviewed list of exports, a comment, a thread rule and a test
for each, names for all status codes, and C++ code that must not compile."""

import ctypes
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include/glint"
EXPORT = re.compile(r"GLINT_API\b[^;(]*?\b(glint_\w+)\s*\(")
# Which threads may call a function; glint.h says what the phrases mean.
THREAD_RULE = r"(?i:any thread|one at a time|callback only)\b"
# Before the first function of a header: the rule for those of its functions that have none of their own.
RULE_FOR_ALL = re.compile(r"All functions here\b[^:.]*: " + THREAD_RULE)
MOST_EXPORTS = 60  # the ABI is to stay small enough to be read


class Str(ctypes.Structure):
    """glint_str"""
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint64)]


def exports_with_comments():
    """(name, the comment right before it, has a thread rule) of each function that the headers declare."""
    for header in sorted(HEADERS.glob("*.h")):
        text = header.read_text()
        rule_for_all = False
        for found in EXPORT.finditer(text):
            before = text[:found.start()].rstrip()
            rule_for_all = rule_for_all or bool(RULE_FOR_ALL.search(plain(before)))
            comment = plain(before[before.rindex("/*"):]) if before.endswith("*/") else ""
            yield found.group(1), comment, rule_for_all or bool(re.search(THREAD_RULE, comment))


def plain(text):
    """Without the line breaks and asterisks of C comments, so that a phrase may be broken."""
    return re.sub(r"\s*\n\s*(\*(?!/)\s*)?", " ", text)


def check_exports(report):
    described = list(exports_with_comments())
    exports = [name for name, _, _ in described]
    listed = [line for line in (ROOT / "abi/symbols.txt").read_text().splitlines() if not line.startswith("#")]
    silent = sorted(name for name, comment, _ in described if not comment)
    unruled = sorted(name for name, _, ruled in described if not ruled)
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*") if path.suffix in (".c", ".cpp"))
    untested = sorted(name for name in exports if not re.search(rf"\b{name}\b", tests))
    return [
        report("abi/symbols.txt lists what the headers declare", listed == sorted(exports),
               f"not listed: {sorted(set(exports) - set(listed))}; listed only: {sorted(set(listed) - set(exports))}"),
        report(f"there are at most {MOST_EXPORTS} exports", 0 < len(exports) <= MOST_EXPORTS, f"{len(exports)}"),
        report("every export has a comment of its own", not silent, f"without: {silent}"),
        report("every export says which threads may call it", not unruled, f"does not say: {unruled}"),
        report("every export is named in a test", not untested, f"not named: {untested}"),
    ]


def check_status_names(report, library):
    """The library itself is asked, as another language would."""
    glint = ctypes.CDLL(str(library))
    glint.glint_status_name.restype = Str
    glint.glint_status_name.argtypes = [ctypes.c_int32]

    def name_of(status):
        name = glint.glint_status_name(status)
        return ctypes.string_at(name.data, name.size).decode()

    text = (HEADERS / "status.h").read_text()
    codes = {name: int(number) for name, number in re.findall(r"#define (GLINT_E_\w+) \((-\d+)\)", text)}
    wrong = [f"{number}: {name}, not {name_of(number)}" for name, number in codes.items() if name_of(number) != name]
    stray = [number for number in range(-128, 128)
             if number not in codes.values() and name_of(number) not in ("GLINT_E_UNKNOWN", "GLINT_OK")]
    return report(f"each of {len(codes)} status codes has its name", len(codes) > 30 and not wrong and not stray,
                  f"wrong: {wrong}; names without a code: {stray}")


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
    results.append(check_status_names(report, library))
    results += [check_must_not_compile(report, source) for source in sources]
    return results
