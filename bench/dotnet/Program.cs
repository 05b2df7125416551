// SPDX-License-Identifier: Apache-2.0
// DotnetBench [--check [--long-blocks]] [options of BenchmarkDotNet]: see docs/benchmarks.md.
using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Running;
using Glint;

namespace DotnetBench;

internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Contains("--check"))
        {
            // All bars, also behind one that is missed.
            bool good = Allocations.Check() & Bars.Check(args.Contains("--long-blocks"));
            Console.WriteLine(good ? "all bars hold" : "bars were missed");
            return good ? 0 : 1;
        }

        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
    }

    // Both libraries are built by CMake; script/bench says where they are.
    [ModuleInitializer]
    internal static void FindLibraries()
    {
        string glint = Setting("GLINT_NATIVE_LIBRARY");
        string loop = Setting("GLINT_BENCH_C_LOOP");
        NativeLibrary.SetDllImportResolver(typeof(SandboxEngine).Assembly,
            (name, _, _) => name == "glint" ? NativeLibrary.Load(glint) : 0);
        NativeLibrary.SetDllImportResolver(typeof(Program).Assembly,
            (name, _, _) => name == "glint_bench_c_loop" ? NativeLibrary.Load(loop) : 0);
    }

    internal static string Setting(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"Set {name}, or start this by script/bench --dotnet.");
}
