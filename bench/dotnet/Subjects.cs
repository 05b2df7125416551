// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Glint;

namespace DotnetBench;

/// <summary>The guest tests/guests/mirror, called from C#. "first" answers at once; "echo_i64" calls the host function
/// of its name and answers what that gave.</summary>
internal sealed class ManagedGuest : IDisposable
{
    private readonly SandboxEngine _engine;
    private readonly GuestImage _image;
    private readonly HostFunctions _host = new();
    private readonly Sandbox _sandbox;
    private readonly GuestFunction<long, long, long> _first;
    private readonly GuestFunction<long, long> _echo;

    public ManagedGuest(SandboxBackend backend)
    {
        _engine = new SandboxEngine(new SandboxEngineOptions { Backend = backend });
        _image = GuestImage.Load(Program.Setting("GLINT_BENCH_GUEST"), new GuestImageOptions { Engine = _engine });
        _host.Add("host_echo_i64", static (long n) => n);
        foreach (GuestFunctionInfo function in _image.Functions)
        {
            if (function.Kind == GuestFunctionKind.Imported && function.Name != "host_echo_i64")
            {
                _host.Add(function.Name, function.Signature, static _ => throw new NotSupportedException());
            }
        }

        _sandbox = new Sandbox(_image, _host);
        _first = _sandbox.GetFunction<long, long, long>("first");
        _echo = _sandbox.GetFunction<long, long>("echo_i64");
    }

    public long Call() => _first.Invoke(1, 2);

    public long CallWithHostCall() => _echo.Invoke(1);

    public void Dispose()
    {
        _sandbox.Dispose();
        _host.Dispose();
        _image.Dispose();
        _engine.Dispose();
    }
}

/// <summary>The same calls in a loop in C (c_loop.c).</summary>
internal sealed partial class CGuest(SandboxBackend backend) : IDisposable
{
    private readonly nint _loop = Open(Program.Setting("GLINT_BENCH_GUEST"), (uint)backend) is var loop and not 0
        ? loop
        : throw new InvalidOperationException("The C loop cannot be set up.");

    /// <summary>Nanoseconds a call, on average.</summary>
    public double Call(int calls) => Checked(Run(_loop, "first", 2, (uint)calls));

    public double CallWithHostCall(int calls) => Checked(Run(_loop, "echo_i64", 1, (uint)calls));

    public void Dispose() => Close(_loop);

    private static double Checked(double ns) => ns >= 0 ? ns : throw new InvalidOperationException("A call from C failed.");

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string guest, uint backend);

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_run", StringMarshalling = StringMarshalling.Utf8)]
    private static partial double Run(nint loop, string name, uint argumentCount, uint calls);

    [LibraryImport("glint_bench_c_loop", EntryPoint = "glint_bench_loop_close")]
    private static partial void Close(nint loop);
}
