// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Xunit;

namespace Glint.Tests;

/// <summary>The same with real guests, and what these find in their memory.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmSnapshotTests : SnapshotTests
{
    /// <summary>How a call of <c>dirty</c> of the guest <c>dirt</c> ends.</summary>
    private enum End : uint
    {
        Return,
        Error,
        Fault,
        Abort,
        Exit,
        Stack,
        Memory,
        Spin,
        ThreadPointer,
    }

    private static GuestImage Dirt => Guests.Kvm("dirt");

    protected override bool NeedsKvm => true;

    protected override SandboxBackend Backend => SandboxBackend.Kvm;

    [Fact]
    public void SandboxesGoOnWhereTheSnapshotWasTakenAndDoNotSeeEachOther()
    {
        using Sandbox original = new(Dirt);
        Assert.Equal(1u, Count(original));
        using Snapshot snapshot = original.TakeSnapshot();
        Assert.Equal(2u, Count(original));
        using Sandbox one = new(snapshot);
        using Sandbox other = new(snapshot);
        Assert.Equal([2u, 3u, 2u, 3u, 4u],
            [Count(one), Count(original), Count(other), Count(one), Count(one)]);
    }

    [Fact]
    public void ManyThreadsMakeSandboxesOfOneSnapshot()
    {
        using Sandbox original = new(Dirt);
        using Snapshot snapshot = original.TakeSnapshot();
        List<Exception> unexpected = [];
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            try
            {
                for (int i = 0; i < 50; i++)
                {
                    using Sandbox sandbox = new(snapshot);
                    Assert.Equal(1u, Count(sandbox));
                    sandbox.Restore(snapshot);
                    Assert.Equal(1u, Count(sandbox));
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
    }

    [Fact]
    public void RestoringPutsBackWhateverBecameOfTheSandbox()
    {
        using Sandbox sandbox = new(Dirt);
        Assert.Equal(1u, Count(sandbox));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Restore(snapshot);
        foreach (End end in Enum.GetValues<End>())
        {
            Assert.Equal(end == End.Return, Dirty(sandbox, end));
            Assert.Equal(StateAfter(end), sandbox.State);
            sandbox.Restore();
            Assert.Equal(SandboxState.Ready, sandbox.State);
            Assert.Equal(2u, Count(sandbox));
        }
    }

    [Fact]
    public void RestoringToAnotherSnapshotMakesThatTheOneToGoBackTo()
    {
        using Sandbox sandbox = new(Dirt);
        using Snapshot first = sandbox.TakeSnapshot();
        Assert.Equal(1u, Count(sandbox));
        using Snapshot second = sandbox.TakeSnapshot();
        for (int i = 0; i < 3; i++)
        {
            sandbox.Restore(first);
            Assert.Equal(1u, Count(sandbox));
            sandbox.Restore(second);
            Assert.Equal(2u, Count(sandbox));
            sandbox.Restore();
            Assert.Equal(2u, Count(sandbox));
        }
    }

    [Fact]
    public void EachCallOfAnIsolatedSandboxBeginsWithTheSnapshot()
    {
        SandboxOptions options = new() { RestoreEachCall = true };
        using Sandbox fresh = new(Dirt, options);
        using Sandbox original = new(Dirt);
        Assert.Equal(1u, Count(original));
        using Snapshot snapshot = original.TakeSnapshot();
        using Sandbox made = new(snapshot, options);
        foreach (End end in Enum.GetValues<End>())
        {
            Assert.Equal(1u, Count(fresh));
            Assert.Equal(2u, Count(made));
            Assert.Equal(end == End.Return, Dirty(fresh, end));
            Assert.Equal(end == End.Return, Dirty(made, end));
        }
    }

    [Fact]
    public void RestoringCopiesThePagesThatWereWritten()
    {
        using Sandbox original = new(Dirt);
        using Snapshot snapshot = original.TakeSnapshot();
        using Sandbox sandbox = new(snapshot);
        Assert.Equal(0u, sandbox.Counters.Restores);
        for (ulong i = 1; i < 4; i++)
        {
            ulong before = sandbox.Counters.RestoredPages;
            sandbox.Call("touch", 16);
            sandbox.Restore();
            Assert.InRange(sandbox.Counters.RestoredPages - before, 16u, 40u);
        }

        Assert.Equal(0u, original.Counters.RestoredPages);
    }

    [Fact]
    public void NoTwoSandboxesDrawTheSameRandomBytes()
    {
        using Sandbox original = new(Dirt);
        using Snapshot snapshot = original.TakeSnapshot();
        using Sandbox kept = new(snapshot);
        List<ulong> drawn = [];
        for (int i = 0; i < 10; i++)
        {
            using Sandbox made = new(snapshot);
            drawn.AddRange([Draw(original), Draw(made), Draw(kept)]);
            kept.Restore();
        }

        Assert.Equal(30, drawn.Distinct().Count());
    }

    [Fact]
    public void AProgramThatHasEndedHasNoSnapshotAndCanBeRestored()
    {
        using Sandbox sandbox = new(Dirt);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        Assert.False(Dirty(sandbox, End.Exit));
        AssertRefused(SandboxErrorCode.Ended, () => sandbox.TakeSnapshot());
        sandbox.Restore(snapshot);
        Assert.Equal(1u, Count(sandbox));
    }

    [Fact]
    public void TheStartUpOfASnapshotHasADeadline()
    {
        // Over before the first instruction of the guest, or after some: it has not ended by then.
        using Sandbox sandbox = new(Dirt);
        Assert.Throws<SandboxDeadlineException>(() =>
            sandbox.TakeSnapshot(new CallOptions { Deadline = TimeSpan.FromTicks(1) }));
        Assert.NotEqual(SandboxState.Ready, sandbox.State);
    }

    [Fact]
    public void WhatACallbackThrowsDuringTheStartUpComesOutAndNoSnapshotIsLeft()
    {
        FormatException thrown = new("disk full");
        using Sandbox sandbox = new(Dirt, new SandboxOptions
        {
            Trace = _ => throw thrown,
            TraceAllSystemCalls = true,
        });
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => sandbox.TakeSnapshot());
        Assert.Same(thrown, e.InnerException);
        Assert.Equal(SandboxState.Ready, sandbox.State);
        Assert.Equal(0u, GlintDebug.LiveObjects.Snapshots);
        using Snapshot snapshot = sandbox.TakeSnapshot(); // nothing is left to be run
    }

    private static ulong Count(Sandbox sandbox) => sandbox.Call<ulong>("count");

    private static ulong Draw(Sandbox sandbox) => sandbox.Call<ulong>("random_word");

    /// <summary>Writes all over the guest's memory; returns whether the call did.</summary>
    private static bool Dirty(Sandbox sandbox, End end)
    {
        void Call(CallOptions options) => sandbox.Call("dirty", options, 7 + (uint)end, 20, (uint)end);
        if (end == End.Spin)
        {
            Poison(sandbox, () => Call(Soon));
            return false;
        }

        return Record.Exception(() => Call(new CallOptions { Deadline = TimeSpan.FromMinutes(1) })) is null;
    }

    private static SandboxState StateAfter(End end) => end switch
    {
        End.Return or End.Error => SandboxState.Ready,
        End.Exit => SandboxState.Ended,
        _ => SandboxState.Poisoned,
    };
}
