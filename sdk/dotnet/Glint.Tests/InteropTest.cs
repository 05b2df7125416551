// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>Each test ends as it began: with no native object, no handle to a managed one, and no SafeHandle
/// that nobody disposed of, unless the test says that it abandons some.</summary>
public abstract class InteropTest : IDisposable
{
    private readonly (ulong, ulong, ulong, ulong, ulong, ulong, ulong, ulong, ulong) _before;
    private readonly long _abandonedBefore;

    protected InteropTest()
    {
        // Those that live as long as the process, first.
        foreach (SandboxBackend backend in (SandboxBackend[])[SandboxBackend.Fake, SandboxBackend.Kvm])
        {
            if (backend == SandboxBackend.Fake || NeedsKvm)
            {
                Guests.Get(backend, "mirror");
            }
        }

        Settle();
        _before = WithoutImages(GlintDebug.LiveObjects);
        _abandonedBefore = GlintHandle.Abandoned;
        Assert.Equal(0, Callbacks.Live);
        Assert.Equal(0, HostTokens.Live);
    }

    protected virtual bool NeedsKvm => false;

    /// <summary>How many SafeHandles the test leaves to the finalizer.</summary>
    protected long Abandons { get; set; }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Settle();
        Assert.Equal(_before, WithoutImages(GlintDebug.LiveObjects));
        Assert.Equal(0, Callbacks.Live);
        Assert.Equal(0, HostTokens.Live);
        Assert.Equal(0, InterruptRelay.Live);
        Assert.Equal(Abandons, GlintHandle.Abandoned - _abandonedBefore);
    }

    /// <summary>Runs all finalizers that are due, twice: the objects of the first round refer to those of the
    /// second.</summary>
    protected static void Settle()
    {
        for (int round = 0; round < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    /// <summary>Runs something in a frame of its own, so that nothing of it is reachable from the
    /// caller's.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    protected static void Apart(Action action) => action();

    /// <summary>Waits for what another thread will certainly do; a test that waits for a minute has
    /// failed.</summary>
    protected static void Await(Func<bool> condition)
    {
        SpinWait wait = default;
        long limit = Environment.TickCount64 + 60_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < limit, "Waited for a minute.");
            wait.SpinOnce(1);
        }
    }

    // Images that tests share are loaded when the first needs them.
    private static (ulong, ulong, ulong, ulong, ulong, ulong, ulong, ulong, ulong) WithoutImages(
        LiveObjects live) =>
        (live.Sandboxes, live.Interrupts, live.Errors, live.Doctors, live.HostFunctionSets,
            live.HostFunctions, live.HostTokens, live.Snapshots, live.Pools);
}
