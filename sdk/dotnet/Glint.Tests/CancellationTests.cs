// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Glint.Tests;

/// <summary>Tokens, deadlines, and many of them at once.</summary>
public class CancellationTests : InteropTest
{
    protected virtual GuestImage Mirror => Guests.Fake();

    protected virtual int Rounds => 2000;

    [Fact]
    public async Task ATaskIsCancelledOnlyWithTheTokenThatWasTheCause()
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        OperationCanceledException foreign = new(new CancellationToken(canceled: true));
        host.Add("host_add", (long a, long b) => a == 0 ? throw foreign : a);
        using Sandbox sandbox = new(Mirror, host);
        using CancellationTokenSource source = new();
        // An OperationCanceledException of a host function is a failure of that, not a cancelled call.
        HostFunctionException e = await Assert.ThrowsAsync<HostFunctionException>(() =>
            sandbox.CallAsync<long>("add", source.Token, 0, 0));
        Assert.Same(foreign, e.InnerException);
    }

    [Fact]
    public async Task ATokenThatIsCancelledAlreadyCancelsTheTaskAndNothingRuns()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        CancellationToken cancelled = new(canceled: true);
        Task<long> task = sandbox.CallAsync<long>("add", cancelled, 1, 2);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.True(task.IsCanceled);
        Assert.Equal(0u, sandbox.Counters.Calls);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sandbox.RunAsync(cancelled));
        Assert.Equal(SandboxState.New, sandbox.State);
    }

    [Fact]
    public void AHostFunctionIsToldThatTheTimeIsOver()
    {
        bool told = false;
        bool ending = false;
        using HostFunctions host = Guests.Mirror(static n => n is "host_add");
        host.Add("host_add", new GuestSignature(GuestType.Int64, GuestType.Int64, GuestType.Int64), call =>
        {
            Assert.False(call.IsEnding);
            told = call.CancellationToken.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
            ending = call.IsEnding;
            Assert.Equal(call.CancellationToken, call.CancellationToken);
            call.Return(1L);
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.Throws<SandboxDeadlineException>(() =>
            sandbox.Call<long>("add", new CallOptions { Deadline = TimeSpan.FromMilliseconds(10) }, 1, 2));
        Assert.True(told);
        Assert.True(ending);
    }

    [Fact]
    public void WhatIsRegisteredWithTheTokenOfAHostCallRunsOnTheThreadPool()
    {
        bool onPool = false;
        using CancellationTokenSource source = new();
        using HostFunctions host = Guests.Mirror(static n => n is "host_add");
        host.Add("host_add", (long a, long b, CancellationToken token) =>
        {
            using ManualResetEventSlim ran = new();
            using CancellationTokenRegistration registration = token.Register(() =>
            {
                onPool = Thread.CurrentThread.IsThreadPoolThread;
                ran.Set();
            });
            Thread canceller = new(source.Cancel);
            canceller.Start();
            Assert.True(ran.Wait(TimeSpan.FromMinutes(1)));
            canceller.Join();
            return a;
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.Throws<OperationCanceledException>(() => sandbox.Call<long>("add", source.Token, 1, 2));
        Assert.True(onPool);
    }

    [Fact]
    public void TheEnginesDeadlineHoldsForCallsThatAreNotToldOtherwise()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions
        {
            Backend = SandboxBackend.Fake,
            DefaultDeadline = TimeSpan.FromMilliseconds(10),
        });
        using GuestImage image = GuestImage.Load(Setup.Guest("mirror"),
            new GuestImageOptions { Engine = engine });
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(image, host);
        Assert.Throws<SandboxDeadlineException>(() => sandbox.Call("spin"));

        using Sandbox patient = new(image, host);
        using CancellationTokenSource source = new();
        Task spin = patient.CallAsync("spin",
            new CallOptions { Deadline = Timeout.InfiniteTimeSpan, CancellationToken = source.Token });
        Assert.False(spin.Wait(TimeSpan.FromMilliseconds(100)));
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => spin.GetAwaiter().GetResult());
    }

    [Fact]
    public void DeadlinesThatAreNoTimesAreRefused()
    {
        foreach (TimeSpan bad in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(-2), TimeSpan.MaxValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new CallOptions { Deadline = bad });
            Assert.Throws<ArgumentOutOfRangeException>(() =>
                new SandboxEngineOptions { DefaultDeadline = bad });
        }
    }

    [Fact]
    public void OneTokenEndsManyCalls()
    {
        using HostFunctions host = Guests.Mirror();
        using CancellationTokenSource source = new();
        Sandbox[] sandboxes = [.. Enumerable.Range(0, 8).Select(_ => new Sandbox(Mirror, host))];
        Task[] spins = [.. sandboxes.Select(s => s.CallAsync("spin", source.Token))];
        Await(() => sandboxes.All(static s => s.State == SandboxState.Running));
        source.Cancel();
        foreach (Task spin in spins)
        {
            Assert.ThrowsAny<OperationCanceledException>(() =>
                spin.WaitAsync(TimeSpan.FromMinutes(1)).GetAwaiter().GetResult());
        }

        Assert.All(sandboxes, static s => s.Dispose());
    }

    [Fact]
    public void AStormOfCancellationsIsSurvivedAndEachIsRight()
    {
        // Cancelled before, during and after: whatever happens first counts, and nothing else comes out.
        using HostFunctions host = Guests.Mirror();
        using CancellationTokenSource stop = new();
        CancellationTokenSource? current = null;
        Thread canceller = new(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Volatile.Read(ref current)?.Cancel();
                Thread.SpinWait(Random.Shared.Next(2000));
            }
        });
        canceller.Start();
        int cancelled = 0;
        Sandbox sandbox = new(Mirror, host);
        for (int next = 0; next < Rounds || cancelled < 20; next++)
        {
            CancellationTokenSource source = new();
            Volatile.Write(ref current, source);
            try
            {
                Assert.Equal(next, sandbox.Call<long>("add", source.Token, next, 0));
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(source.Token, e.CancellationToken);
                Assert.True(source.IsCancellationRequested);
                cancelled++;
            }

            if (sandbox.State == SandboxState.Poisoned)
            {
                sandbox.Dispose();
                sandbox = new Sandbox(Mirror, host);
            }

            // Whatever the storm did, the sandbox takes a call that nobody cancels.
            Assert.Equal(7, sandbox.Call<long>("add", 3, 4));
        }

        sandbox.Dispose();
        stop.Cancel();
        canceller.Join();
    }

    [Fact]
    public void CancelDisposeAndCallMayRaceOnManyThreads()
    {
        using HostFunctions host = Guests.Mirror();
        List<Exception> unexpected = [];
        Thread[] threads = [.. Enumerable.Range(0, 4)
            .Select(seed => new Thread(() => Race(host, seed, unexpected)))];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());
        Assert.Empty(unexpected);
    }

    private void Race(HostFunctions host, int seed, List<Exception> unexpected)
    {
        Random random = new(seed);
        for (int i = 0; i < Rounds / 20; i++)
        {
            Sandbox sandbox = new(Mirror, host);
            using CancellationTokenSource source = new();
            Task call = random.Next(2) == 0
                ? sandbox.CallAsync("spin", source.Token)
                : sandbox.CallAsync<long>("add", source.Token, 1, 2);
            Thread.SpinWait(random.Next(20_000));
            Action[] actions = [sandbox.Dispose, source.Cancel];
            random.Shuffle(actions);
            Array.ForEach(actions, static a => a());
            Exception? thrown = Record.Exception(() =>
                call.WaitAsync(TimeSpan.FromMinutes(1)).GetAwaiter().GetResult());
            if (thrown is not (null or OperationCanceledException or ObjectDisposedException))
            {
                lock (unexpected)
                {
                    unexpected.Add(thrown);
                }
            }
        }
    }
}

/// <summary>The same with real guests.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmCancellationTests : CancellationTests
{
    protected override bool NeedsKvm => true;

    protected override GuestImage Mirror => Guests.Kvm();
}
