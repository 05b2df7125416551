// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading;
using Xunit;

namespace Glint.Tests;

/// <summary>The paths that promise to allocate nothing.</summary>
public sealed class AllocationTests : InteropTest
{
    private const int Calls = 1000;

    [Fact]
    public void CallsThroughHandlesAllocateNothing()
    {
        using HostFunctions host = LowLevel();
        using Sandbox sandbox = new(Guests.Fake(), host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        GuestAction<uint> tell = sandbox.GetAction<uint>("tell");
        var echo = sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes");
        GuestFunction<string, string> text = sandbox.GetFunction<string, string>("echo_string");
        byte[] buffer = new byte[100];
        ArrayBufferWriter<byte> writer = new(100 * Calls * 3);
        AssertAllocatesNothing(() => add.Invoke(1, 2));
        AssertAllocatesNothing(() => tell.Invoke(1));
        AssertAllocatesNothing(() => echo.InvokeInto(buffer, buffer));
        AssertAllocatesNothing(() => echo.InvokeInto(buffer, writer));
        AssertAllocatesNothing(() => echo.InvokeWith(buffer, 1, static (view, one) => view.Length + one));
        AssertAllocatesNothing(() => text.InvokeInto("a string is encoded into a pooled buffer", buffer));
    }

    [Fact]
    public void CallsWithOptionsAllocateNothing()
    {
        using HostFunctions host = LowLevel();
        using Sandbox sandbox = new(Guests.Fake(), host);
        using CancellationTokenSource source = new();
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        CallOptions options = new() { Deadline = TimeSpan.FromSeconds(1), CancellationToken = source.Token };
        AssertAllocatesNothing(() => add.Invoke(1, 2, options));
    }

    [Fact]
    public void RestoringAllocatesNothing()
    {
        using HostFunctions host = LowLevel();
        using Sandbox sandbox = new(Guests.Fake(), host);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        using Sandbox isolated = new(snapshot, host, new SandboxOptions { RestoreEachCall = true });
        GuestFunction<long, long, long> add = isolated.GetFunction<long, long, long>("add");
        AssertAllocatesNothing(() => sandbox.Restore(snapshot));
        AssertAllocatesNothing(() => sandbox.Restore());
        AssertAllocatesNothing(() => add.Invoke(1, 2));
    }

    [Fact]
    public void CallsByNameAllocateNothing()
    {
        using HostFunctions host = LowLevel();
        using Sandbox sandbox = new(Guests.Fake(), host);
        byte[] buffer = new byte[100];
        AssertAllocatesNothing(() => sandbox.Call<long>("add", 1, 2));
        AssertAllocatesNothing(() => sandbox.Call("tell", 1));
        AssertAllocatesNothing(() => sandbox.CallInto("echo_bytes", buffer, default, buffer));
        AssertAllocatesNothing(() => sandbox.CallInto("echo_string", buffer, default, "text"));
    }

    [Fact]
    public void TypedHostFunctionsOfNumbersAndSpansAllocateNothing()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Guests.Fake(), host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        var echo = sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes");
        byte[] buffer = new byte[100];
        AssertAllocatesNothing(() => add.Invoke(1, 2));
        AssertAllocatesNothing(() => echo.InvokeInto(buffer, buffer));
    }

    private static HostFunctions LowLevel()
    {
        HostFunctions host = Guests.Mirror(static n =>
            n is "host_add" or "host_echo_bytes" or "host_echo_string" or "host_tell");
        host.Add("host_add", new(GuestType.Int64, GuestType.Int64, GuestType.Int64),
            static c => c.Return(c.GetInt64(0) + c.GetInt64(1)));
        host.Add("host_echo_bytes", new(GuestType.Bytes, GuestType.Bytes), static c =>
            c.Return(c.GetBytes(0)));
        host.Add("host_echo_string", new(GuestType.String, GuestType.String), static c =>
            c.Return(c.GetUtf8(0)));
        host.Add("host_tell", new(GuestType.Void, GuestType.UInt32), static c => { });
        return host;
    }

    /// <summary>Once to make what is made at the first time: code, pools, the interrupt for calls with a
    /// token.</summary>
    private static void AssertAllocatesNothing(Action call)
    {
        Repeat(call);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(call);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Repeat(Action call)
    {
        for (int i = 0; i < Calls; i++)
        {
            call();
        }
    }
}
