// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glint/glint.hpp>
#include <memory>

#include "measurement.hpp"

namespace glint::bench {

// Calls of a warm guest; their floor is the bare exits that they cannot do without.
std::unique_ptr<Subject> empty_call();
std::unique_ptr<Subject> call_with_host_call();
std::unique_ptr<Subject> echo_64_bytes();
std::unique_ptr<Subject> echo_1_mib();

// From the raising of an interrupt to the return of the call, of a guest that loops; its floor is the bare
// kick of a vCPU.
std::unique_ptr<Subject> interrupt_to_return();

// From glint_sandbox_create to the first result of a call; their floor is a bare VM from nothing to its first
// exit, in a process that has no other VM, with as many page touches. "first": no VM of the process exists.
// "shell free": another sandbox of the image was freed before, and left its VM.
std::unique_ptr<Subject> create_hello_first();
std::unique_ptr<Subject> create_hello_shell_free();
std::unique_ptr<Subject> create_lua_first();
std::unique_ptr<Subject> create_lua_shell_free();

// Putting a sandbox back to its snapshot after a call that wrote to so many pages, which are its own already;
// the floor is copying the pages that were copied.
std::unique_ptr<Subject> restore_1();
std::unique_ptr<Subject> restore_16();
std::unique_ptr<Subject> restore_256();
std::unique_ptr<Subject> restore_4096();

// From glint_sandbox_create_from to the first result, a VM being free; the floor is that of a creation.
std::unique_ptr<Subject> create_from_snapshot();

// What a sandbox counted in between.
Counts difference(const SandboxCounters& now, const SandboxCounters& before);
void add(Counts& sum, const Counts& counts);

}  // namespace glint::bench
