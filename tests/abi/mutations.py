# SPDX-License-Identifier: Apache-2.0
"""Proves that the comparison with the baseline refuses what breaks programs and accepts what does not: each mutation is done
to a copy of the headers, which a compiler, abidw and abidiff then see."""

import concurrent.futures
import os
import pathlib
import tempfile

import abigail
import specimen

REFUSED = {
    "a function taken away": [("interrupt.h", "GLINT_API uint8_t glint_interrupt_raised", "uint8_t glint_interrupt_raised")],
    "a parameter of another type": [("engine.h", "_doctor *doctor, uint32_t index", "_doctor *doctor, uint64_t index")],
    "a parameter of other signedness": [("sandbox.h", "int32_t *exit_code", "uint32_t *exit_code")],
    "another parameter": [("host.h", "_host_call *call, glint_str text", "_host_call *call, glint_str text, int at")],
    "a parameter taken away": [("host.h", "glint_host_call *call, glint_str text", "glint_host_call *call")],
    "a pointer to const that may be written": [("image.h", "find_export(const glint_image", "find_export(glint_image")],
    "a result of another type": [("engine.h", "uint8_t glint_doctor_usable", "uint32_t glint_doctor_usable")],
    "a wider status": [("status.h", "typedef int32_t glint_status", "typedef int64_t glint_status")],
    "a callback with another parameter": [("host.h", "(*glint_notify)(void *user_data)",
                                           "(*glint_notify)(void *user_data, int)")],
    "a callback with a result": [("host.h", "void (*glint_notify)", "int (*glint_notify)")],
    "a field of another type": [("error.h", "int32_t signal;", "uint32_t signal;")],
    "a field taken away": [("error.h", "uint64_t error_code;", "")],
    "a narrower field": [("error.h", "uint64_t error_code;", "uint32_t error_code, unused;")],
    "a field between others": [("error.h", "uint64_t error_code;", "uint64_t cause, error_code;")],
    "two fields in the other order": [("engine.h", "uint64_t vms_created;", "uint64_t vms_live_now;"),
                                      ("engine.h", "uint64_t vms_live;", "uint64_t vms_created;"),
                                      ("engine.h", "vms_live_now;", "vms_live;")],
    "another member of a value": [("base.h", "int64_t i64;", "double i64;")],
    "a longer struct that has no size": [("base.h", "} glint_str;", "uint64_t capacity; } glint_str;")],
    "a longer struct with another field": [("error.h", "} glint_fault;", "uint64_t more; } glint_fault;"),
                                           ("error.h", "int32_t signal;", "uint32_t signal;")],
    "a longer struct with a field less": [("error.h", "} glint_fault;", "uint64_t more, yet; } glint_fault;"),
                                          ("error.h", "uint64_t error_code;", "")],
    "a struct that became opaque": [("sandbox.h", "typedef struct glint_syscall {",
                                     "typedef struct glint_syscall glint_syscall; typedef struct glint_other {"),
                                    ("sandbox.h", "} glint_syscall;", "} glint_other;")],
}
ACCEPTED = {
    "nothing changed": [],
    "another function": [("engine.h", "#ifdef __cplusplus\n}", "GLINT_API int glint_added(void);\n#ifdef __cplusplus\n}")],
    "a longer struct that has a size": [("error.h", "} glint_fault;", "uint64_t more; } glint_fault;")],
    "another struct": [("engine.h", "#ifdef __cplusplus\n}",
                        "typedef struct glint_more { uint32_t struct_size, more; } glint_more;\n"
                        "GLINT_API int glint_added(glint_more *more);\n#ifdef __cplusplus\n}")],
    "a reserved field that got a name": [("error.h", "uint32_t reserved;", "uint32_t core;")],
    "another constant": [("status.h", "#define GLINT_OK 0", "#define GLINT_OK 0\n#define GLINT_E_ADDED (-98)")],
}


def mutated(headers, edits):
    headers = dict(headers)
    for file, old, new in edits:
        if old not in headers[file]:
            raise ValueError(f"{file} does not have the text to mutate: {old}")
        headers[file] = headers[file].replace(old, new, 1)
    return headers


def dumps(headers, variants):
    """The ABI of each variant: (name, edits of the headers, version script, SONAME)."""
    def one(variant):
        _, edits, script, soname = variant
        with tempfile.TemporaryDirectory() as directory:
            return specimen.dump(pathlib.Path(directory), mutated(headers, edits), script, soname)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, variants))


def check_new_node(report, headers):
    """The recipe of docs/abi-stability.md for a new function: a name in a later node beats the pattern of an earlier one."""
    script = specimen.VERSION_SCRIPT.read_text() + "GLINT_9.9 { global: glint_added; } GLINT_1.0;\n"
    (text,) = dumps(headers, [("", ACCEPTED["another function"], script, None)])
    versions = abigail.symbol_versions(text)
    return report("a new function can be put into a node of its own",
                  [name for name, node in versions.items() if node == "GLINT_9.9"] == ["glint_added"], f"{versions}")


def check(report, baseline):
    headers = specimen.read_headers()
    variants = [(name, edits, None, None) for name, edits in (REFUSED | ACCEPTED).items()]
    script = specimen.VERSION_SCRIPT.read_text()
    variants += [("functions of another version node", [], script.replace("GLINT_1.0", "GLINT_9.0"), None),
                 ("another SONAME", [], None, "libglint.so.9")]
    results = [check_new_node(report, headers)]
    for (name, *_), text in zip(variants, dumps(headers, variants)):
        found = abigail.changes(text, baseline)
        if name in ACCEPTED:
            results.append(report(f"the ABI check accepts: {name}", not found, found))
        else:
            results.append(report(f"the ABI check refuses: {name}", bool(found), "it was accepted"))
    return results
