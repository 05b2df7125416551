// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>One nested call, step by step: C# → native → guest → native → C# and back. The rows are the
/// steps; each has a test that it works, and one for each way in which it can fail. They run on the fake
/// backend, and again on KVM (<see cref="KvmBorderTests"/>).
/// <list type="table">
/// <item><term>1 C# enters</term><description>Row1: disposed of; used by another thread. Row6: by its own
/// callback.</description></item>
/// <item><term>2 P/Invoke</term><description>Row2: arguments are copied; collections go on.
/// <see cref="AllocationTests"/>: spans are not copied before.</description></item>
/// <item><term>3 the guest runs</term><description>Row3: cancelled before, during and after; the deadline; on
/// KVM signals of the run time. <see cref="KickTests"/>: stray kicks. <see cref="CancellationTests"/>:
/// storms.</description></item>
/// <item><term>4 it asks</term><description>Row4, on KVM only: index, count, types, bool, lengths, offsets of
/// data, arguments, answer and result.</description></item>
/// <item><term>5 the core looks up</term><description>Row5: this sandbox's table; functions stay alive.
/// </description></item>
/// <item><term>6 user code</term><description>Row6: throws, allocates, waits, disposes, cancels, comes back, reads
/// counters.</description></item>
/// <item><term>7 another sandbox</term><description>Row7: values and exceptions through all levels; the depth.
/// </description></item>
/// <item><term>8 back to the core</term><description>Row8: a result of another type, none, no UTF-8, too large; a
/// failure after one.</description></item>
/// <item><term>9 the guest or the end</term><description>Row9: passed on, with code and text, the end by policy; on
/// KVM handled, and the last failure.</description></item>
/// <item><term>10 C# returns</term><description>Row10: results last, no error is left; on KVM errors, faults and
/// aborts. <see cref="CallTests"/>: buffers, writers and views.</description></item>
/// </list></summary>
public class BorderTests : InteropTest
{
    protected virtual GuestImage Mirror => Guests.Fake();

    // ---- 1: C# enters: the sandbox claimed for the thread, spans pinned ----

    [Fact]
    public void Row1_ADisposedSandboxIsRefused()
    {
        using HostFunctions host = Guests.Mirror();
        Sandbox sandbox = new(Mirror, host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        sandbox.Dispose();
        sandbox.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sandbox.Call<long>("add", 1, 2));
        Assert.Throws<ObjectDisposedException>(() => add.Invoke(1, 2));
        Assert.Throws<ObjectDisposedException>(() => sandbox.Run());
        Assert.Throws<ObjectDisposedException>(() => sandbox.State);
        Assert.Throws<ObjectDisposedException>(() => sandbox.Counters);
    }

    [Fact]
    public void Row1_ASecondThreadIsRefusedAndTheFirstGoesOn()
    {
        Exception? refused = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        Sandbox? sandbox = null;
        host.Add("host_add", (long a, long b) =>
        {
            refused = OnOtherThread(() => sandbox!.Call<long>("add", 3, 4));
            return a + b;
        });
        using (sandbox = new(Mirror, host))
        {
            Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
            Assert.Contains("another thread", Assert.IsType<SandboxBusyException>(refused).Message,
                StringComparison.Ordinal);
            // By the handle, before any native work: what the core refuses is thrown by Failure.
            Assert.Contains(nameof(SandboxHandle), refused.StackTrace, StringComparison.Ordinal);
            Assert.DoesNotContain(nameof(Failure), refused.StackTrace, StringComparison.Ordinal);
            Assert.Equal(1u, sandbox.Counters.Calls);
        }
    }

    [Fact]
    public void Row1_AfterARefusalTheSandboxCanBeUsedByAnyThread()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Assert.Throws<SandboxException>(() => sandbox.Call("nothing"));
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        Assert.Null(OnOtherThread(() => Assert.Equal(7, sandbox.Call<long>("add", 3, 4))));
    }

    // ---- 2: the thread goes preemptive; arguments are copied ----

    [Fact]
    public void Row2_TheGuestSeesACopyOfTheArguments()
    {
        byte[] argument = [1, 2, 3];
        using HostFunctions host = Guests.Mirror(static n => n == "host_echo_bytes");
        host.Add("host_echo_bytes", (ReadOnlySpan<byte> view) =>
        {
            argument.AsSpan().Fill(9);
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            return view;
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.Equal([1, 2, 3], sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes").Invoke(
            argument));
        Assert.Equal([9, 9, 9], argument);
    }

    [Fact]
    public void Row2_CollectionsGoOnWhileTheGuestRuns()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        using CancellationTokenSource source = new();
        Task spin = sandbox.CallAsync("spin", source.Token);
        Await(() => sandbox.State == SandboxState.Running);
        int before = GC.CollectionCount(2);
        GC.Collect();
        Assert.True(GC.CollectionCount(2) > before);
        Assert.False(spin.IsCompleted);
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => WaitFor(spin));
    }

    // ---- 3: the core runs the guest; only what is meant for this call ends it ----

    [Fact]
    public void Row3_ATokenThatIsCancelledAlreadyEndsTheCallBeforeTheGuestRuns()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        CancellationToken cancelled = new(canceled: true);
        OperationCanceledException e = Assert.Throws<OperationCanceledException>(() =>
            sandbox.Call("spin", cancelled));
        Assert.Equal(cancelled, e.CancellationToken);
        Assert.Equal(0u, sandbox.Counters.Calls);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void Row3_ACancellationStopsTheGuest()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        do
        {
            using CancellationTokenSource source = new();
            Task spin = sandbox.CallAsync("spin", source.Token);
            Await(() => sandbox.State == SandboxState.Running);
            source.Cancel();
            OperationCanceledException e = Assert.ThrowsAny<OperationCanceledException>(() => WaitFor(spin));
            Assert.Equal(source.Token, e.CancellationToken);
            Assert.True(spin.IsCanceled);
        }
        while (sandbox.State == SandboxState.Ready); // it was its start-up code that ran

        Assert.Equal(SandboxState.Poisoned, sandbox.State);
        Assert.Equal(SandboxErrorCode.Poisoned,
            Assert.Throws<SandboxException>(() => sandbox.Call<long>("add", 1, 2)).Code);
    }

    [Fact]
    public void Row3_ACancellationAfterTheCallReachesNoOther()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        Assert.Equal(3, sandbox.Call<long>("add", first.Token, 1, 2));
        first.Cancel();
        Assert.Equal(3, sandbox.Call<long>("add", second.Token, 1, 2));
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void Row3_TheTimeOfACallIsLimited()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        using CancellationTokenSource source = new();
        SandboxDeadlineException e = Assert.Throws<SandboxDeadlineException>(() => sandbox.Call("spin",
            new CallOptions { Deadline = TimeSpan.FromMilliseconds(20), CancellationToken = source.Token }));
        Assert.Equal(SandboxErrorCode.Deadline, e.Code);
        Assert.Equal(SandboxState.Poisoned, sandbox.State);
    }

    // ---- 5: the core finds the function in this sandbox's table ----

    [Fact]
    public void Row5_EachSandboxCallsTheFunctionsThatItWasMadeWith()
    {
        using HostFunctions plus = Guests.Mirror();
        using HostFunctions minus = Guests.Mirror(static n => n == "host_add");
        minus.Add("host_add", (long a, long b) => a - b);
        using Sandbox one = new(Mirror, plus);
        using Sandbox two = new(Mirror, minus);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(5, one.Call<long>("add", 3, 2));
            Assert.Equal(1, two.Call<long>("add", 3, 2));
        }
    }

    [Fact]
    public void Row5_FunctionsLiveAsLongAsASandboxHasThem()
    {
        using Sandbox sandbox = MakeWithForgottenFunctions();
        for (int i = 0; i < 3; i++)
        {
            Settle();
            Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        }
    }

    // ---- 6: user code runs: it may do anything ----

    [Fact]
    public void Row6_AnExceptionComesOutAsItselfWithItsStack()
    {
        InvalidTimeZoneException thrown = new("original");
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => ThrowFromHere(thrown));
        using Sandbox sandbox = new(Mirror, host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", 1, 2));
        Assert.Same(thrown, e.InnerException);
        Assert.Contains(nameof(ThrowFromHere), thrown.StackTrace, StringComparison.Ordinal);
        Assert.Equal(SandboxErrorCode.HostFunction, e.Code);
        Assert.DoesNotContain("original", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Row6_UserCodeMayAllocateAndCollect()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_echo_string");
        host.Add("host_echo_string", (string text) =>
        {
            byte[][] garbage = [new byte[100_000], new byte[1000]];
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
            return text + garbage.Length;
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.Equal("x2", sandbox.Call<string>("echo_string", "x"));
    }

    [Fact]
    public void Row6_UserCodeMayWaitForATask()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => Task.Run(async () =>
        {
            await Task.Yield();
            return a + b;
        }).GetAwaiter().GetResult());
        using Sandbox sandbox = new(Mirror, host);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void Row6_UserCodeMayDisposeOfItsSandbox()
    {
        Sandbox? sandbox = null;
        ulong during = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            sandbox!.Dispose();
            during = GlintDebug.LiveObjects.Sandboxes;
            return a + b;
        });
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        sandbox = new(Mirror, host);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        Assert.Equal(before + 1, during);
        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
        Assert.Throws<ObjectDisposedException>(() => sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void Row6_UserCodeMayCancelItsCall()
    {
        using CancellationTokenSource source = new();
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b, CancellationToken token) =>
        {
            Assert.False(token.IsCancellationRequested);
            source.Cancel();
            Assert.True(token.WaitHandle.WaitOne(TimeSpan.FromMinutes(1)));
            return a + b;
        });
        using Sandbox sandbox = new(Mirror, host);
        OperationCanceledException e = Assert.Throws<OperationCanceledException>(() =>
            sandbox.Call<long>("add", source.Token, 1, 2));
        Assert.Equal(source.Token, e.CancellationToken);
        Assert.IsType<SandboxInterruptedException>(e.InnerException);
    }

    [Fact]
    public void Row6_UserCodeCannotComeBackToTheSandboxThatCalledIt()
    {
        Sandbox? sandbox = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => sandbox!.Call<long>("first", a, b));
        using (sandbox = new(Mirror, host))
        {
            HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
                sandbox.Call<long>("add", 1, 2));
            Assert.Contains("callbacks", Assert.IsType<SandboxBusyException>(e.InnerException).Message,
                StringComparison.Ordinal);
            Assert.Equal(1, sandbox.Call<long>("first", 1, 2));
        }
    }

    [Fact]
    public void Row6_CountersCanBeReadDuringACallByItsCallbackOnly()
    {
        Sandbox? sandbox = null;
        SandboxCounters during = default;
        Exception? refused = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            during = sandbox!.Counters;
            refused = OnOtherThread(() => _ = sandbox.Counters);
            return a + b;
        });
        using (sandbox = new(Mirror, host))
        {
            sandbox.Call("add", 1, 2);
            Assert.IsType<SandboxBusyException>(refused);
            Assert.Equal((1ul, 1ul), (during.Calls, during.HostCalls));
            Assert.Equal((1ul, 1ul), (sandbox.Counters.Calls, sandbox.Counters.HostCalls));
        }
    }

    // ---- 7: user code calls another sandbox, one level deeper ----

    [Fact]
    public void Row7_GuestsMayCallEachOtherThroughTheHost()
    {
        using Tower tower = new(Mirror, 4, static (depth, inner) => 10 * inner());
        Assert.Equal(10_000, tower.Call());
    }

    [Fact]
    public void Row7_AnExceptionComesThroughEveryLevelAsItself()
    {
        InvalidTimeZoneException thrown = new("innermost");
        using Tower tower = new(Mirror, 4, (depth, inner) => depth == 0 ? ThrowFromHere(thrown) : inner());
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => tower.Call());
        Assert.Same(thrown, e.InnerException);
        Assert.Contains(nameof(ThrowFromHere), thrown.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public void Row7_TwoExceptionsDoNotOverwriteEachOther()
    {
        InvalidTimeZoneException first = new("first");
        FormatException second = new("second");
        Exception? caught = null;
        using Tower tower = new(Mirror, 3, (depth, inner) =>
        {
            switch (depth)
            {
                case 0:
                    throw first;
                case 1:
                    try
                    {
                        return inner();
                    }
                    catch (HostFunctionException e)
                    {
                        caught = e.InnerException;
                        throw second;
                    }

                default:
                    return inner();
            }
        });
        HostFunctionException outermost = Assert.Throws<HostFunctionException>(() => tower.Call());
        Assert.Same(second, outermost.InnerException);
        Assert.Same(first, caught);
    }

    [Fact]
    public void Row7_TheDepthIsLimited()
    {
        using Tower tower = new(Mirror, 20, static (depth, inner) => inner());
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => tower.Call());
        Assert.Equal(SandboxErrorCode.Depth, Assert.IsType<SandboxException>(e.InnerException).Code);
    }

    // ---- 8: the result is checked before the guest sees it ----

    [Fact]
    public void Row8_AResultOfAnotherTypeNeverReachesTheGuest()
    {
        AssertRefused(static call => call.Return(1.5));
        AssertRefused(static call => call.Return("text"));
        AssertRefused(static call => call.Reserve(1));

        void AssertRefused(HostFunctionCallback returns) =>
            Assert.IsType<InvalidCastException>(ThrownByHostAdd(returns));
    }

    [Fact]
    public void Row8_TheCoreTakesNoResultOfAnotherTypeEither()
    {
        AssertRefused(static call => call.TypedReturn(1.5));
        AssertRefused(static call => call.TypedReturn("text"));

        void AssertRefused(HostFunctionCallback returns) => Assert.Equal(SandboxErrorCode.Signature,
            Assert.IsType<SandboxException>(ThrownByHostAdd(returns)).Code);
    }

    [Fact]
    public void Row8_NoResultWhereOneIsDeclaredIsAFailure() =>
        Assert.IsType<InvalidOperationException>(ThrownByHostAdd(static _ => { }));

    [Fact]
    public void Row8_TextThatIsNoUtf8NeverReachesTheGuest()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_echo_string");
        host.Add("host_echo_string", new GuestSignature(GuestType.String, GuestType.String),
            static call => call.Return([0xc3]));
        using Sandbox sandbox = new(Mirror, host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
            sandbox.Call<string>("echo_string", "x"));
        Assert.Equal(SandboxErrorCode.InvalidArgument,
            Assert.IsType<SandboxException>(e.InnerException).Code);
    }

    [Fact]
    public void Row8_ATooLargeResultIsRefused()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_echo_bytes");
        host.Add("host_echo_bytes", new GuestSignature(GuestType.Bytes, GuestType.Bytes),
            static call => call.Reserve((64 << 20) + 1));
        using Sandbox sandbox = new(Mirror, host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
            sandbox.Call<byte[]>("echo_bytes", Array.Empty<byte>()));
        Assert.Equal(SandboxErrorCode.TooLarge, Assert.IsType<SandboxException>(e.InnerException).Code);
    }

    [Fact]
    public void Row8_AFailureAfterAResultIsAFailure()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_nest");
        host.Add("host_nest", new GuestSignature(GuestType.Int64, GuestType.Int64), static call =>
        {
            call.Return(1L);
            throw new FormatException();
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.IsType<FormatException>(
            Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("nest", 1)).InnerException);
    }

    // ---- 9: a failure is an error value for the guest, or the end of the call ----

    [Fact]
    public void Row9_AfterAFailureThatTheGuestPassesOnTheSandboxIsReady()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => a < 0 ? throw new FormatException() : a + b);
        using Sandbox sandbox = new(Mirror, host);
        Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", -1, 2));
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void Row9_TheGuestMayBeToldACodeAndAText()
    {
        HostErrorException told = new(77, "what the guest may know");
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => ThrowFromHere(told));
        using Sandbox sandbox = new(Mirror, host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", 1, 2));
        Assert.Same(told, e.InnerException);
        Assert.Contains("what the guest may know", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Row9_TheCallMayBeEndedByAFailure()
    {
        InvalidTimeZoneException thrown = new("original");
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => ThrowFromHere(thrown));
        using Sandbox sandbox = new(Mirror, host, new SandboxOptions { EndOnHostFailure = true });
        Assert.Same(thrown,
            Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", 1, 2)).InnerException);
        Assert.Equal(SandboxState.Poisoned, sandbox.State);
    }

    // ---- 10: the call returns: the view is copied, errors become exceptions and are freed ----

    [Fact]
    public void Row10_AResultStaysWhatItWasAfterTheNextCall()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        byte[] first = sandbox.Call<byte[]>("echo_bytes", new byte[] { 1, 2, 3 });
        byte[] second = sandbox.Call<byte[]>("echo_bytes", new byte[] { 7, 8, 9 });
        Assert.Equal([1, 2, 3], first);
        Assert.Equal([7, 8, 9], second);
    }

    [Fact]
    public void Row10_NoErrorIsLeftBehindByAFailure()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) => ThrowFromHere(new FormatException()));
        using Sandbox sandbox = new(Mirror, host);
        for (int i = 0; i < 10; i++)
        {
            Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", 1, 2));
            Assert.Equal(0u, GlintDebug.LiveObjects.Errors);
            Assert.Equal(0u, GlintDebug.LiveObjects.HostTokens);
        }
    }

    /// <summary>What the failure of a host function, which is to return a long, was.</summary>
    private Exception? ThrownByHostAdd(HostFunctionCallback callback)
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", new GuestSignature(GuestType.Int64, GuestType.Int64, GuestType.Int64), callback);
        using Sandbox sandbox = new(Mirror, host);
        return Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("add", 1, 2)).InnerException;
    }

    protected static Exception? OnOtherThread(Action action)
    {
        Exception? thrown = null;
        Thread thread = new(() => thrown = Record.Exception(action));
        thread.Start();
        thread.Join();
        return thrown;
    }

    /// <summary>Waits for a task that will certainly end, and throws what it threw.</summary>
    protected static void WaitFor(Task task) =>
        task.WaitAsync(TimeSpan.FromMinutes(1)).GetAwaiter().GetResult();

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    protected static long ThrowFromHere(Exception e) => throw e;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Sandbox MakeWithForgottenFunctions()
    {
        using HostFunctions host = Guests.Mirror();
        return new Sandbox(Mirror, host);
    }
}
