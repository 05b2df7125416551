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

// The same; the floor is that of a sandbox that gets a VM which others share, with as many pages.
std::unique_ptr<Subject> create_from_snapshot_parked();
// The same, while all VMs are in use: one is made.
std::unique_ptr<Subject> create_from_snapshot_no_shell();
// The same by two threads at once, per sandbox; the floor is one thread.
std::unique_ptr<Subject> create_from_snapshot_two_threads();
// A call of a sandbox at rest, for which another one has to leave the VM; the floor is the same without
// Glint.
std::unique_ptr<Subject> call_of_parked();
// The call that comes after restore(), which writes to 16 pages; the floor is the same call without
// restoring.
std::unique_ptr<Subject> call_after_restore();

// The first call that fills 16 MiB of fresh memory, on large pages; the floor is the same on small ones.
std::unique_ptr<Subject> fill_large_pages();

// Of a warm pool: acquire, an empty call, give back; the floor is a bare exit.
std::unique_ptr<Subject> pool_loan();

// How many sandboxes the next three have: 10,000, or what --crowd says.
unsigned crowd_size();
// Sandboxes of one snapshot of Lua, called at random by four threads. The time is that of making and first
// calling one of the last tenth; the floor, one of the first tenth.
std::unique_ptr<Subject> ten_thousand();
// While they live: a page that is mapped, written and unmapped, and a thread that starts and ends, each
// without anything to do with Glint; the floor is the same before there was any sandbox.
std::unique_ptr<Subject> unrelated_munmap();
std::unique_ptr<Subject> unrelated_thread();

// What a sandbox counted in between.
Counts difference(const SandboxCounters& now, const SandboxCounters& before);
void add(Counts& sum, const Counts& counts);

}  // namespace glint::bench
