// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Glint;

namespace DotnetBench;

/// <summary>The calls of <see cref="ManagedGuest"/> in a loop in C (c_loop.c).</summary>
internal sealed partial class CGuest(SandboxBackend backend) : IDisposable
{
    private readonly nint _loop = Open(Program.Setting("GLINT_BENCH_GUEST"), (uint)backend) is var loop and not 0
        ? loop
        : throw new InvalidOperationException("The C loop cannot be set up.");

    /// <summary>Nanoseconds a call, on average.</summary>
    public double Call(int calls) => Checked(Run(_loop, "first", 2, (uint)calls));

    public double CallWithHostCall(int calls) => Checked(Run(_loop, "echo_i64", 1, (uint)calls));

    /// <summary>The clock of the loop, in nanoseconds.</summary>
    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_now")]
    public static partial double Now();

    public void Dispose() => Close(_loop);

    private static double Checked(double ns) => ns >= 0 ? ns : throw new InvalidOperationException("A call from C failed.");

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string guest, uint backend);

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_run", StringMarshalling = StringMarshalling.Utf8)]
    private static partial double Run(nint loop, string name, uint argumentCount, uint calls);

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_close")]
    private static partial void Close(nint loop);
}
