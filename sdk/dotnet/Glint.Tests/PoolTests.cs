// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>Pools: who gets a sandbox and when, how waiting ends, and who frees what.</summary>
public class PoolTests : InteropTest
{
    protected static CallOptions Soon { get; } = new() { Deadline = TimeSpan.FromMilliseconds(5) };

    protected virtual SandboxBackend Backend => SandboxBackend.Fake;

    private GuestImage Mirror => Guests.Get(Backend, "mirror");

    [Fact]
    public void ItHandsOutAsManyAsItsSizeAndTakesThemBack()
    {
        using SandboxPool pool = MakePool(2);
        Assert.Equal(2, pool.Size);
        Assert.Same(Mirror, pool.Image);
        using (Sandbox one = pool.Acquire())
        using (Sandbox two = pool.Acquire())
        {
            Assert.Same(Mirror, one.Image);
            Assert.Equal(3, one.Call<long>("add", 1, 2));
            Assert.Equal(7, two.Call<long>("add", 3, 4));
            Assert.Equal(2u, pool.Counters.InUse);
            AssertEmpty(pool);
        }

        Await(() => pool.Counters.Ready == 2);
        PoolCounters counters = pool.Counters;
        Assert.Equal((0u, 0u, 2u, 2u), (counters.InUse, counters.Returned, counters.Live, counters.Acquired));
        Assert.Equal(2u, counters.Restored + counters.RestoredLate);
        Assert.True(pool.TryAcquire(out Sandbox? again));
        Assert.Equal(3, again.Call<long>("add", 1, 2));
        again.Dispose();
    }

    [Fact]
    public void ATimeoutEndsTheWaitingInTime()
    {
        using SandboxPool pool = MakePool(1);
        using Sandbox held = pool.Acquire();
        TimeSpan time = TimeSpan.FromMilliseconds(30);
        using CancellationTokenSource source = new();
        foreach (CancellationToken token in (CancellationToken[])[CancellationToken.None, source.Token])
        {
            long begin = Stopwatch.GetTimestamp();
            Assert.False(pool.TryAcquire(time, out Sandbox? none, null, token));
            Assert.True(Stopwatch.GetElapsedTime(begin) >= time);
            Assert.Null(none);
            begin = Stopwatch.GetTimestamp();
            SandboxPoolEmptyException e =
                Assert.Throws<SandboxPoolEmptyException>(() => pool.Acquire(time, null, token));
            Assert.True(Stopwatch.GetElapsedTime(begin) >= time);
            Assert.Equal(SandboxErrorCode.PoolEmpty, e.Code);
        }

        Assert.Equal(4u, pool.Counters.Waited);
        Assert.Equal(0u, pool.Counters.Waiting);
    }

    [Fact]
    public void WhoeverWaitsIsServedInTheOrderOfComing()
    {
        using SandboxPool pool = MakePool(1);
        Sandbox held = pool.Acquire();
        List<int> order = [];
        List<Task> tasks = [];
        for (int i = 0; i < 8; i++)
        {
            int number = i;
            tasks.Add(OnThread(() =>
            {
                using Sandbox mine = pool.Acquire();
                order.Add(number); // by one at a time: there is one sandbox
                Assert.Equal(number + 1, mine.Call<long>("add", number, 1));
            }));
            Await(() => pool.Counters.Waiting == (ulong)number + 1);
        }

        held.Dispose();
        Task.WaitAll([.. tasks]);
        Assert.Equal(Enumerable.Range(0, 8), order);
        Assert.Equal(8u, pool.Counters.Waited);
    }

    [Fact]
    public async Task CancellingATokenEndsTheWaitingAndLosesNothing()
    {
        using SandboxPool pool = MakePool(1);
        Sandbox held = pool.Acquire();
        using CancellationTokenSource source = new();
        Task<Sandbox>[] waiting =
        [
            OnThread(() => pool.Acquire(source.Token)),
            OnThread(() => pool.Acquire(TimeSpan.FromMinutes(10), null, source.Token)),
            pool.AcquireAsync(source.Token),
        ];
        Await(() => pool.Counters.Waiting == 3);
        Assert.DoesNotContain(waiting, static w => w.IsCompleted);
        await source.CancelAsync();
        foreach (Task<Sandbox> task in waiting)
        {
            OperationCanceledException e =
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
            Assert.Equal(source.Token, e.CancellationToken);
        }

        Assert.True(waiting[2].IsCanceled);
        Assert.Equal(0u, pool.Counters.Waiting);
        Assert.Equal(0u, GlintDebug.LiveObjects.Interrupts);
        held.Dispose();
        using CancellationTokenSource another = new();
        using Sandbox next = pool.Acquire(another.Token);
        Assert.Equal(3, next.Call<long>("add", another.Token, 1, 2));
    }

    [Fact]
    public async Task ATokenThatIsCancelledAlreadyTakesNothing()
    {
        using SandboxPool pool = MakePool(1);
        CancellationToken cancelled = new(canceled: true);
        Assert.Throws<OperationCanceledException>(() => pool.Acquire(cancelled));
        Assert.Throws<OperationCanceledException>(() =>
            pool.TryAcquire(TimeSpan.Zero, out _, null, cancelled));
        Task<Sandbox> task = pool.AcquireAsync(cancelled);
        Assert.True(task.IsCanceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.Equal(0u, pool.Counters.Acquired);
    }

    [Fact]
    public async Task AcquireAsyncIsDoneAtOnceWhenThereIsOneAndElseWhenOneComesBack()
    {
        using SandboxPool pool = MakePool(1);
        Task<Sandbox> first = pool.AcquireAsync();
        Assert.True(first.IsCompletedSuccessfully);
        Task<Sandbox> second = pool.AcquireAsync();
        Await(() => pool.Counters.Waiting == 1);
        Assert.False(second.IsCompleted);
        Assert.IsType<SandboxPoolEmptyException>(
            await Record.ExceptionAsync(() => pool.AcquireAsync(TimeSpan.Zero)));
        Assert.IsType<SandboxPoolEmptyException>(
            await Record.ExceptionAsync(() => pool.AcquireAsync(TimeSpan.FromMilliseconds(5))));
        (await first).Dispose();
        using Sandbox sandbox = await second;
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public async Task DisposingOfThePoolEndsTheWaitingAndLeavesWhatIsInUse()
    {
        SandboxPool pool = MakePool(2);
        using Sandbox one = pool.Acquire();
        Sandbox two = pool.Acquire();
        using CancellationTokenSource source = new();
        Task<Sandbox>[] waiting =
        [
            OnThread(() => pool.Acquire()),
            OnThread(() => pool.Acquire(source.Token)),
            pool.AcquireAsync(),
        ];
        Await(() => pool.Counters.Waiting == 3);
        pool.Dispose();
        pool.Dispose();
        foreach (Task<Sandbox> task in waiting)
        {
            ObjectDisposedException e = await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
            Assert.Equal(typeof(SandboxPool).FullName, e.ObjectName);
        }

        Assert.Equal(0u, GlintDebug.LiveObjects.Pools);
        Assert.Throws<ObjectDisposedException>(() => pool.Acquire());
        Assert.Throws<ObjectDisposedException>(() => pool.TryAcquire(out _));
        Assert.True(pool.AcquireAsync().IsFaulted);
        Assert.Throws<ObjectDisposedException>(() => pool.Counters);
        Assert.Throws<ObjectDisposedException>(() => pool.Trim());
        Assert.Equal(2, pool.Size);
        Settle();
        Assert.Equal(3, one.Call<long>("add", 1, 2));
        Assert.Equal(7, two.Call<long>("add", 3, 4));
        two.Dispose();
    }

    [Fact]
    public void DisposingOfThePoolMayRaceWithItsUse()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        for (int i = 0; i < 50; i++)
        {
            SandboxPool pool = new(snapshot, host, new SandboxPoolOptions { Size = 2 });
            using CancellationTokenSource source = new();
            Task[] users = [.. Enumerable.Range(0, 3).Select(_ => OnThread(() =>
            {
                try
                {
                    while (true)
                    {
                        using Sandbox sandbox = pool.Acquire(source.Token);
                        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the end that was to be
                }
            }))];
            Thread.SpinWait(i * 1000);
            Task[] enders = [OnThread(pool.Dispose), OnThread(pool.Dispose)];
            Task.WaitAll([.. users, .. enders]);
        }
    }

    [Fact]
    public void WaitingEndsInWhicheverWayComesFirstAndNoneIsLost()
    {
        using SandboxPool pool = MakePool(1);
        for (int i = 0; i < 200; i++)
        {
            Sandbox held = pool.Acquire();
            using CancellationTokenSource source = new();
            TimeSpan time = TimeSpan.FromMilliseconds(i % 2);
            Task waiter = OnThread(() =>
            {
                try
                {
                    if (pool.TryAcquire(time, out Sandbox? sandbox, null, source.Token))
                    {
                        sandbox.Dispose();
                    }
                }
                catch (OperationCanceledException)
                {
                    // one of the three
                }
            });
            source.Cancel();
            held.Dispose();
            waiter.GetAwaiter().GetResult();
        }

        Assert.Equal(0u, pool.Counters.InUse);
        Assert.Equal(0u, pool.Counters.Waiting);
        Assert.True(pool.TryAcquire(out Sandbox? left));
        left.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhateverBecameOfASandboxTheNextOneIsReady(bool useThread)
    {
        using SandboxPool pool = MakePool(1, new SandboxPoolOptions { Size = 1, UseThread = useThread });
        for (int i = 0; i < 4; i++)
        {
            using Sandbox sandbox = pool.Acquire();
            Assert.Equal(SandboxState.Ready, sandbox.State);
            Assert.Equal(i + 1, sandbox.Call<long>("add", i, 1));
            Poison(sandbox);
        }

        Assert.Equal(1u, pool.Counters.Made);
        if (!useThread)
        {
            Assert.Equal(4u, pool.Counters.Restored);
            Assert.Equal(1u, pool.Counters.Ready);
        }
    }

    [Fact]
    public void ASandboxDisposedOfDuringItsCallIsGivenBackAtTheEndOfThat()
    {
        Sandbox? sandbox = null;
        SandboxPool? pool = null;
        ulong inUse = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", (uint number) =>
        {
            sandbox!.Dispose();
            inUse = pool!.Counters.InUse;
            AssertEmpty(pool);
        });
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        pool = new SandboxPool(snapshot, host, new SandboxPoolOptions { Size = 1 });
        for (int i = 0; i < 3; i++)
        {
            sandbox = pool.Acquire();
            sandbox.Call("tell", 1);
            Assert.Equal(1u, inUse);
            Assert.Equal(0u, pool.Counters.InUse);
            Assert.Throws<ObjectDisposedException>(() => sandbox.Call("tell", 1));
        }

        pool.Dispose();
    }

    [Fact]
    public void AnExceptionOfAHostFunctionComesOutAndTheNextSandboxIsReady()
    {
        FormatException thrown = new("as it should");
        using HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", (uint number) => throw thrown);
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        using SandboxPool pool = new(snapshot, host, new SandboxPoolOptions { Size = 1 });
        for (int i = 0; i < 3; i++)
        {
            using Sandbox sandbox = pool.Acquire(new SandboxOptions { EndOnHostFailure = true });
            HostFunctionException e = Assert.Throws<HostFunctionException>(() => sandbox.Call("tell", 1));
            Assert.Same(thrown, e.InnerException);
            Assert.Equal(SandboxState.Poisoned, sandbox.State);
        }

        using Sandbox isolated = pool.Acquire(new SandboxOptions { RestoreEachCall = true });
        Poison(isolated);
        Assert.Equal(3, isolated.Call<long>("add", 1, 2)); // an option of this loan
        isolated.Dispose();
        using Sandbox plain = pool.Acquire();
        Poison(plain);
        Assert.Equal(SandboxErrorCode.Poisoned,
            Assert.Throws<SandboxException>(() => plain.Call("add", 1, 2)).Code);
    }

    [Fact]
    public void EverythingElseMayBeDisposedOfFirst()
    {
        SandboxEngine engine = new(new SandboxEngineOptions { Backend = Backend });
        GuestImage image = GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
        HostFunctions host = Guests.Mirror();
        Sandbox original = new(image, host);
        Snapshot snapshot = original.TakeSnapshot();
        SandboxPool pool = new(snapshot, host, new SandboxPoolOptions { Size = 2 });
        IDisposable[] rest = [original, snapshot, host, image, engine];
        Array.ForEach(rest, static r => r.Dispose());
        Settle();
        using Sandbox one = pool.Acquire();
        using Sandbox two = pool.Acquire();
        pool.Dispose();
        Settle();
        Assert.Equal(3, one.Call<long>("add", 1, 2));
        Assert.Equal(7, two.Call<long>("add", 3, 4));
    }

    [Fact]
    public void PoolsAndSandboxesKeepTheirHostFunctions()
    {
        using SandboxPool pool = MakePool(1); // nobody else refers to the set
        Settle();
        using (Sandbox lent = pool.Acquire())
        {
            Assert.Equal(3, lent.Call<long>("add", 1, 2));
        }

        using Sandbox left = AcquireOfAPoolThatEnds();
        Settle();
        Assert.Equal(7, left.Call<long>("add", 3, 4));
    }

    [Fact]
    public void HostFunctionsAreReleasedWhenPoolAndSandboxesAreGone()
    {
        int released = 0;
        HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", new GuestSignature(GuestType.Void, GuestType.UInt32), static _ => { },
            () => Interlocked.Increment(ref released));
        SandboxPool pool;
        using (Sandbox original = new(Mirror, host))
        using (Snapshot snapshot = original.TakeSnapshot())
        {
            pool = new SandboxPool(snapshot, host);
        }

        host.Dispose();
        Sandbox sandbox = pool.Acquire();
        pool.Dispose();
        sandbox.Call("tell", 1);
        Thread.Sleep(20);
        Assert.Equal(0, Volatile.Read(ref released));
        sandbox.Dispose();
        Await(() => Volatile.Read(ref released) == 1);
    }

    [Fact]
    public void WhatNobodyDisposesOfIsCollectedAndAnAbandonedSandboxIsGivenBack()
    {
        Abandons = 1 + 5;
        using SandboxPool pool = MakePool(1);
        Apart(() => pool.Acquire());
        Await(() =>
        {
            Settle();
            return pool.Counters.InUse == 0;
        });
        Apart(() =>
        {
            for (int i = 0; i < 5; i++)
            {
                MakePool(1);
            }
        });
        Settle();
        Assert.Equal(1u, GlintDebug.LiveObjects.Pools);
    }

    [Fact]
    public void WhatCannotBeIsRefusedAndLeavesNothing()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox original = new(Mirror, host);
        Snapshot snapshot = original.TakeSnapshot();
        AssertRefused(SandboxErrorCode.MissingImport, () => new SandboxPool(snapshot));
        AssertRefused(SandboxErrorCode.InvalidArgument,
            () => new SandboxPool(snapshot, host, new SandboxPoolOptions { Size = 1_000_001 }));
        AssertRefused(SandboxErrorCode.InvalidArgument,
            () => new SandboxPool(snapshot, host, new SandboxPoolOptions { Size = 1, Warm = 2 }));
        AssertRefused(SandboxErrorCode.InvalidArgument,
            () => new SandboxPool(snapshot, host, new SandboxPoolOptions { Lazy = true, Warm = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxPoolOptions { Size = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxPoolOptions { Warm = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxPoolOptions { IdleMemory = -1 });
        Assert.Throws<ArgumentNullException>(() => new SandboxPool(null!));
        Assert.Throws<ArgumentNullException>(() => new SandboxPool(null!, host));
        Assert.Throws<ArgumentNullException>(() => new SandboxPool(snapshot, (HostFunctions)null!));
        using SandboxPool pool = new(snapshot, host, new SandboxPoolOptions { Size = 1, Tenant = "one" });
        foreach (int seconds in (int[])[-1, int.MinValue])
        {
            TimeSpan time = TimeSpan.FromSeconds(seconds);
            Assert.Throws<ArgumentOutOfRangeException>(() => pool.Acquire(time));
            Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryAcquire(time, out _));
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = pool.AcquireAsync(time); });
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Acquire(TimeSpan.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Trim(-1));
        GuestOutputCallback output = static (_, _) => { };
        SandboxOptions[] bad =
        [
            new() { Arguments = ["late"], Output = output },
            new() { Environment = new Dictionary<string, string> { ["A"] = "1" }, Output = output },
            new() { Tenant = "two", Output = output },
        ];
        foreach (SandboxOptions options in bad)
        {
            AssertRefused(SandboxErrorCode.InvalidArgument, () => pool.Acquire(options));
        }

        using Sandbox held = pool.Acquire(new SandboxOptions { Output = output }); // it is still there
        Assert.Equal(1, Callbacks.Live - HostFunctionsOf(Mirror));
        Assert.False(pool.TryAcquire(out _, new SandboxOptions { Output = output }));
        Assert.Equal(1, Callbacks.Live - HostFunctionsOf(Mirror));
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => new SandboxPool(snapshot, host));
    }

    [Fact]
    public void EightThreadsShareThreeSandboxesWhileGarbageIsCollected()
    {
        const int Threads = 8;
        const int Turns = 200;
        int inside = 0;
        int most = 0;
        using SandboxPool pool = MakePool(3);
        using CancellationTokenSource stop = new();
        Task collector = OnThread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Yield();
            }
        });
        Task[] users = [.. Enumerable.Range(0, Threads).Select(t => OnThread(() =>
        {
            using CancellationTokenSource source = new();
            SandboxOptions options = new() { Output = static (_, _) => { } };
            for (int i = 0; i < Turns; i++)
            {
                using Sandbox sandbox = (i % 3) switch
                {
                    0 => pool.Acquire(),
                    1 => pool.Acquire(options, source.Token),
                    _ => pool.AcquireAsync(source.Token).GetAwaiter().GetResult(),
                };
                int now = Interlocked.Increment(ref inside);
                int seen;
                while (now > (seen = Volatile.Read(ref most))
                    && Interlocked.CompareExchange(ref most, now, seen) != seen)
                {
                }

                Assert.Equal((t * 1000) + i, sandbox.Call<long>("add", t * 1000, i));
                Interlocked.Decrement(ref inside);
            }
        }))];
        Task.WaitAll(users);
        stop.Cancel();
        collector.GetAwaiter().GetResult();
        Assert.InRange(most, 1, 3);
        PoolCounters counters = pool.Counters;
        Assert.Equal(Threads * Turns, (int)counters.Acquired);
        Assert.Equal((0u, 0u, 0u), (counters.InUse, counters.Waiting, counters.Replaced));
        Assert.InRange(counters.Live, 1u, 3u);
    }

    protected static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    protected static Task<T> OnThread<T>(Func<T> function) =>
        Task.Factory.StartNew(function, CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    private static void AssertEmpty(SandboxPool pool)
    {
        Assert.False(pool.TryAcquire(out Sandbox? none));
        Assert.Null(none);
        Assert.Throws<SandboxPoolEmptyException>(() => pool.Acquire(TimeSpan.Zero));
    }

    private static void AssertRefused(SandboxErrorCode code, Func<IDisposable> make) =>
        Assert.Equal(code, Assert.Throws<SandboxException>(make).Code);

    private static int HostFunctionsOf(GuestImage image) =>
        image.Functions.Count(static f => f.Kind == GuestFunctionKind.Imported);

    // Where the machine is so slow that the deadline is over before the guest runs, it is ready still.
    private static void Poison(Sandbox sandbox)
    {
        do
        {
            Assert.Throws<SandboxDeadlineException>(() => sandbox.Call("spin", Soon));
        }
        while (sandbox.State == SandboxState.Ready);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Sandbox AcquireOfAPoolThatEnds()
    {
        using SandboxPool pool = MakePool(1);
        return pool.Acquire();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private SandboxPool MakePool(int size, SandboxPoolOptions? options = null)
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        return new SandboxPool(snapshot, host, options ?? new SandboxPoolOptions { Size = size });
    }
}
