// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>Who frees what, and when. Every test ends with the check of <see cref="InteropTest"/> that
/// nothing is left.</summary>
public sealed class LifetimeTests : InteropTest
{
    [Fact]
    public void ParentsMayBeDisposedOfFirst()
    {
        SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Fake });
        GuestImage image = GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
        HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(image, host);
        engine.Dispose();
        image.Dispose();
        host.Dispose();
        Settle();
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        Assert.Throws<ObjectDisposedException>(() => new Sandbox(image, host));
        Assert.Throws<ObjectDisposedException>(() => engine.Counters);
    }

    [Fact]
    public void ADisposeByAnotherThreadDuringACallWaitsForItsEnd()
    {
        using HostFunctions host = Guests.Mirror();
        using CancellationTokenSource source = new();
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        Sandbox sandbox = new(Guests.Fake(), host);
        Task spin = sandbox.CallAsync("spin", source.Token);
        Await(() => sandbox.State == SandboxState.Running);
        sandbox.Dispose();
        Assert.Equal(before + 1, GlintDebug.LiveObjects.Sandboxes);
        Assert.Throws<ObjectDisposedException>(() => sandbox.State);
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => spin.GetAwaiter().GetResult());
        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
    }

    [Fact]
    public async Task AnAsynchronousCallHasTheSandboxFromItsBeginningOn()
    {
        using HostFunctions host = Guests.Mirror();
        for (int i = 0; i < 200; i++)
        {
            using CancellationTokenSource source = new();
            using Sandbox sandbox = new(Guests.Fake(), host);
            Task spin = sandbox.CallAsync("spin", source.Token);
            Assert.Throws<SandboxBusyException>(() => sandbox.Call<long>("add", 1, 2));
            await Assert.ThrowsAsync<SandboxBusyException>(() => sandbox.CallAsync<long>("add", 1, 2));
            source.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => spin);
            Assert.True(spin.IsCanceled);
        }
    }

    [Fact]
    public async Task AnAsynchronousCallEndsAlthoughItsSandboxIsDisposedOf()
    {
        using HostFunctions host = Guests.Mirror();
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        for (int i = 0; i < 200; i++)
        {
            Task<long> call;
            using (Sandbox sandbox = new(Guests.Fake(), host))
            {
                call = sandbox.CallAsync<long>("add", 1, 2);
            }

            Assert.Equal(3, await call);
        }

        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
    }

    [Fact]
    public async Task AnAsynchronousCallThatCannotBeMadeLeavesTheSandboxFree()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Guests.Fake(), host);
        CancellationToken cancelled = new(canceled: true);
        for (int i = 0; i < 50; i++)
        {
            await Assert.ThrowsAsync<SandboxException>(() => sandbox.CallAsync<long>("nothing of that name"));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                sandbox.CallAsync<long>("add", cancelled, 1, 2));
            Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        }

        sandbox.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sandbox.CallAsync<long>("add", 1, 2));
    }

    [Fact]
    public void DisposeAndCallsMayRace()
    {
        using HostFunctions host = Guests.Mirror();
        for (int i = 0; i < 1000; i++)
        {
            Sandbox sandbox = new(Guests.Fake(), host);
            Task caller = Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the end that was to be
                }
            });
            Thread.SpinWait(i * 10);
            sandbox.Dispose();
            caller.GetAwaiter().GetResult();
        }
    }

    [Fact]
    public void AfterADisposeInACallbackNobodyMayEnterAndTheCallEndsWell()
    {
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        Sandbox? sandbox = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            sandbox!.Dispose();
            sandbox.Dispose();
            Assert.Equal(before + 1, GlintDebug.LiveObjects.Sandboxes);
            AssertClosed(sandbox);
            Task.Run(() => AssertClosed(sandbox)).GetAwaiter().GetResult();
            return a + b;
        });
        sandbox = new Sandbox(Guests.Fake(), host);
        Assert.Equal(3, sandbox.GetFunction<long, long, long>("add").Invoke(1, 2));
        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
        AssertClosed(sandbox);
        sandbox.Dispose();
    }

    [Fact]
    public void ADisposeDuringACallIsKeptWhenTheCallFails()
    {
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        Sandbox? sandbox = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            sandbox!.Dispose();
            return a + b > 0 ? throw new FormatException("as it should") : 0L;
        });
        sandbox = new Sandbox(Guests.Fake(), host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => add.Invoke(1, 2));
        Assert.IsType<FormatException>(e.InnerException);
        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
    }

    [Fact]
    public void ManyDisposesAndTheEndOfACallMayRace()
    {
        // Freed twice, or in a call, it would end the process; not at all, the check after each test finds it.
        using HostFunctions host = Guests.Mirror();
        for (int i = 0; i < 300; i++)
        {
            Sandbox sandbox = new(Guests.Fake(), host);
            GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
            using Barrier start = new(4);
            void Call()
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                    {
                        Assert.Equal(3, add.Invoke(1, 2));
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the end that was to be
                }
            }

            void Dispose()
            {
                start.SignalAndWait();
                sandbox.Dispose();
            }

            Task.WaitAll([OnThread(Call), OnThread(Dispose), OnThread(Dispose), OnThread(Dispose)]);
        }
    }

    [Fact]
    public void TheFinalizerDoesNotFreeASandboxThatAnotherOneHasHandedToAThread()
    {
        // Finalizers of SafeHandles run after those of other classes: when this sandbox's runs, it is in a call.
        ulong before = GlintDebug.LiveObjects.Sandboxes;
        using ManualResetEventSlim inside = new();
        using ManualResetEventSlim goOn = new();
        long result = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            inside.Set();
            goOn.Wait();
            return a + b;
        });
        Task? call = null;
        Apart(() => _ = new Finalizable(new Sandbox(Guests.Fake(), host), sandbox =>
        {
            call = OnThread(() => result = sandbox.Call<long>("add", 1, 2));
            inside.Wait();
        }));
        Settle();
        Assert.True(inside.IsSet);
        Assert.Equal(before + 1, GlintDebug.LiveObjects.Sandboxes);
        goOn.Set();
        call!.GetAwaiter().GetResult();
        Assert.Equal(3, result);
        Assert.Equal(before, GlintDebug.LiveObjects.Sandboxes);
    }

    [Fact]
    public void ACallThatDoesNotBeginLeavesTheSandboxFree()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Guests.Fake(), host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        CancellationToken cancelled = new(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => add.Invoke(1, 2, cancelled));
        Assert.Equal(3, add.Invoke(1, 2));
        Assert.Equal(3, add.Invoke(1, 2, new CancellationToken(canceled: false)));
    }

    [Fact]
    public void WhatNobodyDisposesOfIsCollected()
    {
        // A sandbox and its set of host functions; engine and images are the process's.
        Abandons = 200;
        Apart(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Sandbox sandbox = new(Guests.Fake(), Guests.Mirror());
                Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
            }
        });
    }

    [Fact]
    public void ASandboxWhoseHostFunctionsReferToItIsCollectedToo()
    {
        Abandons = 20;
        int[] released = [0];
        Apart(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                Knot(released);
            }
        });
        Await(() =>
        {
            Settle();
            return Volatile.Read(ref released[0]) == 10;
        });
    }

    [Fact]
    public void AnAbandonedEngineAndImageAreCollected()
    {
        Abandons = 2;
        ulong engines = GlintDebug.LiveObjects.Engines;
        ulong images = GlintDebug.LiveObjects.Images;
        Apart(static () =>
        {
            SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.None });
            GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
        });
        Settle();
        Assert.Equal(engines, GlintDebug.LiveObjects.Engines);
        Assert.Equal(images, GlintDebug.LiveObjects.Images);
    }

    [Fact]
    public void AnAbandonedInterruptIsCollected()
    {
        // The sandbox, its functions, and the interrupt that it keeps for its next call with a token.
        Abandons = 3;
        Apart(static () =>
        {
            using CancellationTokenSource source = new();
            Sandbox sandbox = new(Guests.Fake(), Guests.Mirror());
            Assert.Equal(3, sandbox.Call<long>("add", source.Token, 1, 2));
            Assert.Equal(1u, GlintDebug.LiveObjects.Interrupts);
        });
    }

    [Fact]
    public void TheInterruptIsKeptForTheNextCallAndGoesWithTheSandbox()
    {
        using HostFunctions host = Guests.Mirror();
        using CancellationTokenSource source = new();
        Sandbox sandbox = new(Guests.Fake(), host);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(3, sandbox.Call<long>("add", source.Token, 1, 2));
            Assert.Equal(1u, GlintDebug.LiveObjects.Interrupts);
        }

        sandbox.Dispose();
        Assert.Equal(0u, GlintDebug.LiveObjects.Interrupts);
    }

    [Fact]
    public void ASandboxDisposedOfDuringACallWithATokenKeepsNoInterrupt()
    {
        Sandbox? sandbox = null;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            sandbox!.Dispose();
            return a + b;
        });
        using CancellationTokenSource source = new();
        sandbox = new Sandbox(Guests.Fake(), host);
        Assert.Equal(3, sandbox.Call<long>("add", source.Token, 1, 2));
        Assert.Equal(0u, GlintDebug.LiveObjects.Interrupts);
    }

    [Fact]
    public void AConstructorThatFailsLeavesNothingBehind()
    {
        using HostFunctions none = new();
        SandboxOptions options = new() { Output = static (_, _) => { } };
        for (int i = 0; i < 10; i++)
        {
            Assert.Throws<SandboxException>(() => new Sandbox(Guests.Fake(), none, options));
            Assert.Throws<ImageException>(() => GuestImage.Load("no ELF"u8,
                new GuestImageOptions { Engine = Guests.Engine(SandboxBackend.Fake) }));
        }

        Assert.Equal(0, Callbacks.Live);
    }

    [Fact]
    public void CallbacksRunOnSixteenThreadsAtOnce()
    {
        int inside = 0;
        int most = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        using Barrier barrier = new(16);
        host.Add("host_add", (long a, long b) =>
        {
            int now = Interlocked.Increment(ref inside);
            lock (barrier)
            {
                most = Math.Max(most, now);
            }

            barrier.SignalAndWait();
            Interlocked.Decrement(ref inside);
            return b % 100 == 99 ? throw new FormatException($"{a}") : a + b;
        });
        List<Exception> unexpected = [];
        Thread[] threads = [.. Enumerable.Range(0, 16).Select(t => new Thread(() =>
        {
            try
            {
                using Sandbox sandbox = new(Guests.Fake(), host);
                for (int i = 0; i < 200; i++)
                {
                    CallOnce(sandbox, t, i);
                }
            }
            catch (Exception e)
            {
                lock (unexpected)
                {
                    unexpected.Add(e);
                }
            }
        }))];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());
        Assert.Empty(unexpected);
        Assert.Equal(16, most);
    }

    private static void AssertClosed(Sandbox sandbox)
    {
        Assert.Throws<ObjectDisposedException>(() => sandbox.Call<long>("add", 1, 2));
        Assert.Throws<ObjectDisposedException>(() => sandbox.Run());
        Assert.Throws<ObjectDisposedException>(() => sandbox.Counters);
        Assert.Throws<ObjectDisposedException>(() => sandbox.State);
    }

    private static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    private static void CallOnce(Sandbox sandbox, int thread, int i)
    {
        if (i % 100 == 99)
        {
            // Each thread gets the exception of its own callback.
            HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
                sandbox.Call<long>("add", thread, i));
            Assert.Equal($"{thread}", e.InnerException!.Message);
        }
        else
        {
            Assert.Equal(thread + i, sandbox.Call<long>("add", thread, i));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Knot(int[] released)
    {
        Sandbox? sandbox = null;
        HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", new GuestSignature(GuestType.Void, GuestType.UInt32),
            call => Assert.Equal(SandboxState.Running, sandbox!.State),
            () => Interlocked.Increment(ref released[0]));
        sandbox = new Sandbox(Guests.Fake(), host,
            new SandboxOptions { Output = (_, _) => GC.KeepAlive(sandbox) });
        sandbox.Call("tell", 1);
    }

    private sealed class Finalizable(Sandbox sandbox, Action<Sandbox> finalize)
    {
        ~Finalizable() => finalize(sandbox);
    }
}
