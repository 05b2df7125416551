// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>Many calls with callbacks while another thread collects garbage: the only GC stress there is for
/// release builds of the run time.</summary>
public sealed class StressTests : InteropTest
{
    private const int Warmup = 20_000;

    // What the allocators of the C library and of the run time may keep after the warm-up: 4 MiB by itself, 13 MiB were
    // seen after other tests.
    private const long Slack = 16 << 20;

    // Less than what an object for each tenth call would take; measured: 16 KiB.
    private const long ManagedSlack = 64 << 10;

    [Fact]
    public void AMillionCallsWithCallbacksLeaveNothingWhileGarbageIsCollected() =>
        Run(Guests.Fake(), static done => done < 1_000_000);

    [Fact]
    [Trait("Category", "Kvm")]
    public void FiftyThousandCallsWithCallbacksLeaveNothingOnKvmWhileGarbageIsCollected() =>
        Run(Guests.Kvm(), static done => done < 50_000);

    private static void Run(GuestImage image, Func<int, bool> goesOn)
    {
        int destroyed = 0;
        int called = 0;
        using (CancellationTokenSource stop = new())
        {
            Thread collector = new(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    Thread.Sleep(1); // the process has other threads, too
                }
            });
            collector.Start();
            HostFunctions host = Guests.Mirror(static n =>
                n is "host_add" or "host_echo_string" or "host_nest");
            GuestSignature two = new(GuestType.Int64, GuestType.Int64, GuestType.Int64);
            host.Add("host_add", two, call =>
            {
                called++;
                call.Return(call.GetInt64(0) + call.GetInt64(1));
            }, () => Interlocked.Increment(ref destroyed));
            host.Add("host_echo_string", (string text) => text + "!"); // short-lived objects
            host.Add("host_nest", (long n) => n % 2 == 0 ? n : throw new FormatException());
            (long Resident, long Managed) memory = default;
            int collections = GC.CollectionCount(2);
            int done = 0;
            using (Sandbox sandbox = new(image, host))
            {
                GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
                for (; goesOn(done); done++)
                {
                    if (done == Warmup)
                    {
                        memory = Memory();
                    }

                    CallOne(sandbox, add, done);
                }
            }

            Assert.Equal(0, Volatile.Read(ref destroyed));
            host.Dispose();
            stop.Cancel();
            collector.Join();
            Assert.True(done > Warmup, $"only {done} calls were made");
            (long resident, long managed) = Memory();
            Assert.InRange(GC.CollectionCount(2) - collections, 100, int.MaxValue);
            Assert.InRange(managed - memory.Managed, long.MinValue, ManagedSlack);
            Assert.InRange(resident - memory.Resident, long.MinValue, Slack);
            Assert.Equal(done - (done / 100), called);
        }

        Await(() => Volatile.Read(ref destroyed) == 1);
        Assert.Equal(0, Callbacks.Live);
        Assert.Equal(0, HostTokens.Live);
    }

    // Every hundredth call is one with strings, and every thousandth one that fails.
    private static void CallOne(Sandbox sandbox, GuestFunction<long, long, long> add, int i)
    {
        if (i % 1000 == 999)
        {
            Assert.IsType<FormatException>(
                Assert.Throws<HostFunctionException>(() => sandbox.Call<long>("nest", 1)).InnerException);
        }
        else if (i % 100 == 99)
        {
            Assert.Equal("x!", sandbox.Call<string>("echo_string", "x"));
        }
        else
        {
            Assert.Equal(i + 1, add.Invoke(i, 1));
        }
    }

    private static (long Resident, long Managed) Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        return (Environment.WorkingSet, managed);
    }
}
