// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Glint.Tests;

/// <summary>The steps of a nested call with real guests, and those that only real guests can take.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmBorderTests : BorderTests
{
    protected override bool NeedsKvm => true;

    protected override GuestImage Mirror => Guests.Kvm();

    [Fact]
    public void Row3_CollectionsAndTheSignalOfTheRunTimeDoNotEndACall()
    {
        // A collection does not signal a thread that is in native code. A signal that was on its way when the
        // thread got there interrupts the vCPU all the same; here are many of them.
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        using CancellationTokenSource source = new();
        using ManualResetEventSlim sent = new();
        nuint caller = 0;
        Exception? thrown = null;
        Thread thread = new(() =>
        {
            caller = Signals.ThisThread();
            thrown = Record.Exception(() => sandbox.Call("spin",
                new CallOptions { Deadline = Timeout.InfiniteTimeSpan, CancellationToken = source.Token }));
            sent.Wait(); // a thread that has ended takes no signals
        });
        thread.Start();
        Await(() => sandbox.State == SandboxState.Running);
        for (int i = 0; i < 200; i++)
        {
            GC.Collect();
            Signals.Send(caller, Signals.OfTheRunTime);
        }

        Assert.Equal(SandboxState.Running, sandbox.State);
        sent.Set();
        source.Cancel();
        thread.Join();
        Assert.Equal(source.Token, Assert.IsType<OperationCanceledException>(thrown).CancellationToken);
        Assert.InRange(sandbox.Counters.Exits, 10ul, ulong.MaxValue); // most of the signals came to the guest
    }

    [Theory]
    [InlineData("call_function", 99u)]
    [InlineData("call_count", 99u)]
    [InlineData("call_type", 9u)]
    [InlineData("result_type", 9u)]
    public void Row4_ARequestWithAWrongIndexCountOrTypeIsABreach(string function, uint argument) =>
        AssertBreach(sandbox => sandbox.Call(function, argument));

    [Theory]
    [InlineData("call_bytes", 0ul, 16u)] // in the header
    [InlineData("call_bytes", ulong.MaxValue, 1u)]
    [InlineData("call_bytes", ulong.MaxValue - 15, 32u)] // wraps
    [InlineData("call_bytes", 1ul << 40, 1u)]
    [InlineData("call_bytes", 1ul << 20, uint.MaxValue)]
    [InlineData("result_bytes", 0ul, 16u)]
    [InlineData("result_bytes", ulong.MaxValue, 1u)]
    [InlineData("result_bytes", 1ul << 40, 1u)]
    [InlineData("result_bytes", 1ul << 20, uint.MaxValue)]
    public void Row4_BytesThatAreNotTheGuestsOwnAreABreach(string function, ulong offset, uint length) =>
        AssertBreach(sandbox => sandbox.Call(function, offset, length));

    [Theory]
    [InlineData("call_frame", 0ul)] // in the header
    [InlineData("call_frame", 1ul << 63)]
    [InlineData("call_frame", ulong.MaxValue - 15)] // wraps
    [InlineData("call_reply", 0ul)]
    [InlineData("call_reply", 1ul << 63)]
    [InlineData("call_reply", ulong.MaxValue - 15)]
    public void Row4_ArgumentsAndAnswersElsewhereAreABreach(string function, ulong offset) =>
        AssertBreach(sandbox => sandbox.Call(function, offset));

    [Theory]
    [InlineData("call_bytes_past_end")]
    [InlineData("call_frame_at_end")]
    public void Row4_WhatReachesPastTheEndIsABreach(string function) =>
        AssertBreach(sandbox => sandbox.Call(function));

    [Fact]
    public void Row4_ABoolThatIsNeitherTrueNorFalseNeverArrives() =>
        AssertBreach(static sandbox => sandbox.Call("call_bool", 2));

    [Fact]
    public void Row9_AFailureThatTheGuestHandlesIsForgotten()
    {
        using HostFunctions host = Callbacks(code => throw new HostErrorException((int)code, "told"));
        using Sandbox sandbox = new(Guests.Kvm("callbacks"), host);
        Assert.True(sandbox.Call<bool>("handle_failure", 5));
        Assert.Equal(0u, GlintDebug.LiveObjects.HostTokens);
        Assert.Equal(SandboxState.Ready, sandbox.State);
    }

    [Fact]
    public void Row9_TheGuestIsNotToldWhatAnExceptionSays()
    {
        FormatException thrown = new("secret");
        using HostFunctions host = Callbacks(_ => throw thrown);
        using Sandbox sandbox = new(Guests.Kvm("callbacks"), host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
            sandbox.Call<long>("pass_on_failure", 5));
        Assert.Same(thrown, e.InnerException);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Row9_TheLastFailureComesOutWhenTheCallFailsForAnotherReason()
    {
        using CancellationTokenSource source = new();
        List<Exception> thrown = [];
        using HostFunctions host = Callbacks(_ => 0, sum =>
        {
            FormatException e = new("number " + thrown.Count);
            thrown.Add(e);
            if (thrown.Count == 3)
            {
                source.Cancel();
            }

            throw e;
        });
        using Sandbox sandbox = new(Guests.Kvm("callbacks"), host);
        OperationCanceledException cancelled = Assert.Throws<OperationCanceledException>(() =>
            sandbox.Call<long>("call_many", source.Token, 1000));
        Assert.Equal(3, thrown.Count);
        Assert.Same(thrown[2], Assert.IsType<SandboxInterruptedException>(
            cancelled.InnerException).InnerException);
    }

    [Fact]
    public void Row10_AnErrorOfTheGuestComesWithItsCodeAndText()
    {
        using HostFunctions host = Callbacks(_ => 0);
        using Sandbox sandbox = new(Guests.Kvm("callbacks"), host);
        GuestException e = Assert.Throws<GuestException>(() =>
            sandbox.Call<long>("error_out", -7, "what went wrong"));
        Assert.Equal(-7, e.GuestCode);
        Assert.Equal(SandboxErrorCode.GuestError, e.Code);
        Assert.Contains("what went wrong", e.Message, StringComparison.Ordinal);
        Assert.Null(e.InnerException);
        Assert.Equal(SandboxState.Ready, sandbox.State);
    }

    [Fact]
    public void Row10_AFaultComesWithItsDetails()
    {
        using Sandbox sandbox = new(Guests.Kvm("faults"));
        GuestFaultException e = Assert.Throws<GuestFaultException>(() => sandbox.Call("null_write"));
        Assert.Equal(SandboxErrorCode.GuestFault, e.Code);
        Assert.NotNull(e.Fault);
        Assert.Equal(14, e.Fault.Vector);
        Assert.Equal(11, e.Fault.Signal);
        Assert.Equal(0u, e.Fault.Address);
        Assert.Equal("write", e.Fault.Access);
        Assert.Equal("page fault", e.Fault.Name);
        Assert.NotEqual(0u, e.Fault.Instruction);
        Assert.NotEmpty(e.Fault.Symbol);
        Assert.Equal(SandboxState.Poisoned, sandbox.State);
    }

    [Fact]
    public void Row10_AnAbortAndMemoryThatRanOutAreFaultsToo()
    {
        using (Sandbox sandbox = new(Guests.Kvm("faults")))
        {
            GuestFaultException e = Assert.Throws<GuestFaultException>(() => sandbox.Call("invalid_opcode"));
            Assert.Equal(6, e.Fault!.Vector);
        }

        using Sandbox aborts = new(Guests.Kvm("faults"));
        GuestFaultException abort = Assert.Throws<GuestFaultException>(() => aborts.Call("call_abort"));
        Assert.Equal(SandboxErrorCode.GuestAbort, abort.Code);
        Assert.Null(abort.Fault!.Vector);
        Assert.Equal(6, abort.Fault.Signal);
    }

    /// <summary>The guest is stopped before any host function is called, and others of its image are well.</summary>
    private static void AssertBreach(Action<Sandbox> call)
    {
        int called = 0;
        using HostFunctions host = new HostFunctions()
            .Add("host_add", (long a, long b) => a + b + (0 * called++))
            .Add("host_not", (bool v) => called++ < 0)
            .Add("host_echo_string", (string v) => v + called++)
            .Add("host_echo_bytes", (ReadOnlySpan<byte> v) => v[..Math.Min(called++, 0)]);
        using Sandbox sandbox = new(Guests.Kvm("hostile"), host);
        SandboxException e = Assert.Throws<SandboxException>(() => call(sandbox));
        Assert.Equal(SandboxErrorCode.GuestProtocol, e.Code);
        Assert.Equal(SandboxState.Poisoned, sandbox.State);
        Assert.Equal(0, called);
        using Sandbox next = new(Guests.Kvm("hostile"), host);
        Assert.Equal(3, next.Call<long>("honest"));
    }

    private static HostFunctions Callbacks(Func<long, long> fail, Func<long, long>? add = null)
    {
        HostFunctions host = Guests.Mirror(static n => n is "host_add" or "host_nest" or "host_tell");
        host.Add("host_add", (long a, long b) => add is null ? a + b : add(a));
        host.Add("host_fail", (int code) => fail(code));
        host.Add("host_nested", (long depth) => depth);
        host.Add("host_join", (byte[] a, byte[] b) => (byte[])[.. a, .. b]);
        host.Add("progress", (uint percent) => { });
        return host;
    }
}
