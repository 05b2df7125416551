// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Glint;

namespace DotnetBench;

/// <summary>What the guest exports, for the generated proxy.</summary>
[GuestFunctions]
internal interface IMirror
{
    long First(long a, long b);

    long EchoI64(long value);

    void Tell(uint number);
}

/// <summary>What it imports, for the generated registration.</summary>
[HostFunctions]
internal interface IMirrorHost
{
    long HostEchoI64(long value);

    byte[] HostEchoBytes(ReadOnlySpan<byte> value);

    void HostTell(uint number);
}

/// <summary>The guest tests/guests/mirror, called from C#. "first" answers at once; "echo_…" and "tell" call the host
/// function of that name and answer what that gave.</summary>
internal sealed class ManagedGuest : IDisposable
{
    private static readonly string[] s_used = ["host_echo_i64", "host_echo_bytes", "host_tell"];
    private readonly SandboxEngine _engine;
    private readonly GuestImage _image;
    private readonly HostFunctions _host = new();
    private readonly Sandbox _sandbox;
    private readonly GuestFunction<long, long, long> _first;
    private readonly GuestFunction<long, long> _echo;
    private readonly GuestFunction<ReadOnlySpan<byte>, byte[]> _echoBytes;
    private readonly MirrorProxy _proxy;
    private readonly byte[] _bytes = [1, 2, 3, 4, 5, 6, 7, 8];

    /// <summary>With host functions that are lambdas, or the methods of an interface.</summary>
    public ManagedGuest(SandboxBackend backend, bool generatedHost = false)
    {
        _engine = new SandboxEngine(new SandboxEngineOptions { Backend = backend });
        _image = GuestImage.Load(Program.Setting("GLINT_BENCH_GUEST"), new GuestImageOptions { Engine = _engine });
        if (generatedHost)
        {
            _host.AddMirrorHost(new Host());
        }
        else
        {
            _host.Add("host_echo_i64", static (long n) => n);
            _host.Add("host_echo_bytes", static (ReadOnlySpan<byte> bytes) => bytes);
            _host.Add("host_tell", static (uint _) => { });
        }

        foreach (GuestFunctionInfo function in _image.Functions)
        {
            if (function.Kind == GuestFunctionKind.Imported && Array.IndexOf(s_used, function.Name) < 0)
            {
                _host.Add(function.Name, function.Signature, static _ => throw new NotSupportedException());
            }
        }

        _sandbox = new Sandbox(_image, _host);
        _first = _sandbox.GetFunction<long, long, long>("first");
        _echo = _sandbox.GetFunction<long, long>("echo_i64");
        _echoBytes = _sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes");
        _proxy = new MirrorProxy(_sandbox);
    }

    /// <summary>The calls that are to allocate nothing. Each answers 1.</summary>
    public IEnumerable<(string Name, Func<long> Call)> FreeOfAllocations =>
    [
        ("handle", Call),
        ("handle, host call", CallWithHostCall),
        ("spans, host call", () => _echoBytes.InvokeInto(_bytes, _bytes) == _bytes.Length ? 1 : 0),
        ("proxy", () => _proxy.First(1, 2)),
        ("proxy, host call", () => _proxy.EchoI64(1)),
        ("proxy, host call, void", () =>
        {
            _proxy.Tell(7);
            return 1;
        }),
    ];

    public long Call() => _first.Invoke(1, 2);

    public long CallWithHostCall() => _echo.Invoke(1);

    /// <summary>Nanoseconds a call, on average. A loop as it is in C, with nothing between it and the call that is
    /// measured, such as a delegate.</summary>
    public double Call(int calls)
    {
        double start = CGuest.Now();
        for (int i = 0; i < calls; i++)
        {
            Require(_first.Invoke(1, 2));
        }

        return (CGuest.Now() - start) / calls;
    }

    public double CallWithHostCall(int calls)
    {
        double start = CGuest.Now();
        for (int i = 0; i < calls; i++)
        {
            Require(_echo.Invoke(1));
        }

        return (CGuest.Now() - start) / calls;
    }

    public void Dispose()
    {
        _sandbox.Dispose();
        _host.Dispose();
        _image.Dispose();
        _engine.Dispose();
    }

    private static void Require(long result)
    {
        if (result != 1)
        {
            throw new InvalidOperationException("A call gave a wrong result.");
        }
    }

    private sealed class Host : IMirrorHost
    {
        private readonly byte[] _answer = [1, 2, 3, 4, 5, 6, 7, 8];

        public long HostEchoI64(long value) => value;

        public byte[] HostEchoBytes(ReadOnlySpan<byte> value) => _answer;

        public void HostTell(uint number)
        {
        }
    }
}
