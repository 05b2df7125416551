// SPDX-License-Identifier: Apache-2.0
#pragma once

#if __cplusplus < 202002L
#error "glint.hpp needs C++20: compile with -std=c++20 or later"
#endif

// Glint for C++20: a header-only layer over the C ABI.
//
//   glint::Engine engine;
//   glint::HostFunctions host;
//   host.add("progress", [](uint32_t percent) { std::cout << percent << "%\n"; });
//   glint::Sandbox sandbox(engine.load("adder"), host);
//   std::cout << sandbox.call<int64_t>("add", 1, 2) << '\n';
//
// What can fail throws glint::Error; each such function has a `try_` form that returns an Expected instead.
// Programs without exceptions use those; the others end the process there.
// Types that cross the border: bool, 32- and 64-bit integers, float, double, strings (UTF-8) and bytes.
// Threads: Engine and Image may be used from any thread; a Sandbox, and what came from it, by one at a time.
// Lifetime: every object keeps what it needs alive, so the order of destruction does not matter. The
// exception: a Function or Result of a sandbox that has gone is of no use any more, and says so.

#include "glint/cpp/doctor.hpp"
#include "glint/cpp/engine.hpp"
#include "glint/cpp/error.hpp"
#include "glint/cpp/host.hpp"
#include "glint/cpp/image.hpp"
#include "glint/cpp/interrupt.hpp"
#include "glint/cpp/pool.hpp"
#include "glint/cpp/sandbox.hpp"
#include "glint/cpp/snapshot.hpp"
#include "glint/cpp/value.hpp"
