// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>Snapshots: who owns them, when they can be taken and gone back to, and what is refused.</summary>
public class SnapshotTests : InteropTest
{
    protected static CallOptions Soon { get; } = new() { Deadline = TimeSpan.FromMilliseconds(5) };

    protected virtual SandboxBackend Backend => SandboxBackend.Fake;

    private GuestImage Mirror => Guests.Get(Backend, "mirror");

    [Fact]
    public void ASnapshotSaysWhatItIsOfAndHowLarge()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        using Snapshot snapshot = sandbox.TakeSnapshot(); // starts it
        Assert.Equal(SandboxState.Ready, sandbox.State);
        Assert.Same(Mirror, snapshot.Image);
        Assert.Equal(Mirror.Info.MemorySize, snapshot.MemorySize);
        Assert.InRange(snapshot.StoredSize, 4096u, snapshot.MemorySize - 4096);
        Assert.Equal(0u, snapshot.StoredSize % 4096);
    }

    [Fact]
    public void EverythingElseMayBeDisposedOfFirst()
    {
        SandboxEngine engine = new(new SandboxEngineOptions { Backend = Backend });
        GuestImage image = GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
        HostFunctions host = Guests.Mirror();
        Sandbox original = new(image, host);
        Snapshot snapshot = original.TakeSnapshot();
        Assert.Equal(1u, GlintDebug.LiveObjects.Snapshots);
        original.Dispose();
        image.Dispose();
        engine.Dispose();
        using Sandbox sandbox = new(snapshot, host);
        host.Dispose();
        snapshot.Dispose();
        Assert.Equal(0u, GlintDebug.LiveObjects.Snapshots);
        Settle();
        Assert.Equal(SandboxState.Ready, sandbox.State);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        sandbox.Restore();
        Assert.Equal(7, sandbox.Call<long>("add", 3, 4));
    }

    [Fact]
    public void ASandboxMayHaveOtherHostFunctionsThanTheOneOfTheSnapshot()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        using HostFunctions other = Guests.Mirror(static n => n == "host_add");
        other.Add("host_add", (long a, long b) => a * b);
        using Sandbox sandbox = new(snapshot, other);
        Assert.Equal(12, sandbox.Call<long>("add", 3, 4));
        Assert.Equal(7, original.Call<long>("add", 3, 4));
    }

    [Fact]
    public void RestoringMakesAPoisonedSandboxReadyAndFunctionsAndProxiesKeepWorking()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        MirrorProxy proxy = new(sandbox);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Restore(snapshot);
        for (ulong i = 2; i < 5; i++)
        {
            Poison(sandbox, () => proxy.Spin(Soon));
            Assert.Equal(SandboxState.Poisoned, sandbox.State);
            Assert.Equal(SandboxErrorCode.Poisoned,
                Assert.Throws<SandboxException>(() => add.Invoke(1, 2)).Code);
            Assert.Equal(SandboxErrorCode.Poisoned,
                Assert.Throws<SandboxException>(() => sandbox.TakeSnapshot()).Code);
            sandbox.Restore();
            Assert.Equal(SandboxState.Ready, sandbox.State);
            Assert.Equal(3, add.Invoke(1, 2));
            Assert.Equal(5, proxy.EchoI64(5));
            Assert.Equal(i, sandbox.Counters.Restores);
        }
    }

    [Fact]
    public async Task ACancelledSandboxIsRestoredAndTheTokenEndsNoLaterCall()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox original = new(Mirror, host);
        using Snapshot snapshot = original.TakeSnapshot();
        using Sandbox sandbox = new(snapshot, host);
        for (int i = 0; i < 3; i++)
        {
            using CancellationTokenSource source = new();
            Task spin = sandbox.CallAsync("spin", source.Token);
            Await(() => sandbox.State == SandboxState.Running);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => spin);
            sandbox.Restore();
            using CancellationTokenSource another = new();
            Assert.Equal(3, sandbox.Call<long>("add", another.Token, 1, 2));
        }
    }

    [Fact]
    public void ASandboxInACallIsBusy()
    {
        Sandbox? sandbox = null;
        Snapshot? snapshot = null;
        int refused = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", (uint number) =>
        {
            Assert.Throws<SandboxBusyException>(() => sandbox!.Restore());
            Assert.Throws<SandboxBusyException>(() => sandbox!.Restore(snapshot));
            Assert.Throws<SandboxBusyException>(() => sandbox!.TakeSnapshot());
            refused++;
        });
        sandbox = new Sandbox(Mirror, host);
        snapshot = sandbox.TakeSnapshot();
        sandbox.Call("tell", 1);
        Assert.Equal(1, refused);

        using CancellationTokenSource source = new();
        Task spin = sandbox.CallAsync("spin", source.Token);
        Await(() => sandbox.State == SandboxState.Running);
        Assert.Throws<SandboxBusyException>(() => sandbox.Restore(snapshot));
        Assert.Throws<SandboxBusyException>(() => sandbox.TakeSnapshot());
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => spin.GetAwaiter().GetResult());
        sandbox.Restore(snapshot);
        sandbox.Dispose();
        snapshot.Dispose();
    }

    [Fact]
    public void WhatIsDisposedOfSaysSoAndTheSandboxIsFreeForTheNext()
    {
        using HostFunctions host = Guests.Mirror();
        Sandbox sandbox = new(Mirror, host);
        Snapshot snapshot = sandbox.TakeSnapshot();
        snapshot.Dispose();
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.MemorySize);
        Assert.Throws<ObjectDisposedException>(() => snapshot.StoredSize);
        Assert.Throws<ObjectDisposedException>(() => new Sandbox(snapshot, host));
        Assert.Throws<ObjectDisposedException>(() => sandbox.Restore(snapshot));
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        sandbox.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sandbox.Restore());
        Assert.Throws<ObjectDisposedException>(() => sandbox.TakeSnapshot());
    }

    [Fact]
    public void WhatCannotBeIsRefusedAndLeavesNothing()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        long callbacks = Callbacks.Live;
        AssertRefused(SandboxErrorCode.InvalidArgument, () => sandbox.Restore()); // to what?
        using Snapshot snapshot = sandbox.TakeSnapshot();
        using Sandbox stranger = new(Guests.Get(Backend, "faults"));
        AssertRefused(SandboxErrorCode.InvalidArgument, () => stranger.Restore(snapshot));
        Assert.Equal(SandboxState.New, stranger.State);
        SandboxOptions arguments = new() { Arguments = ["name"], Output = static (_, _) => { } };
        AssertRefused(SandboxErrorCode.InvalidArgument, () => new Sandbox(snapshot, host, arguments));
        SandboxOptions variables = new() { Environment = new Dictionary<string, string> { ["A"] = "1" } };
        AssertRefused(SandboxErrorCode.InvalidArgument, () => new Sandbox(snapshot, host, variables));
        AssertRefused(SandboxErrorCode.MissingImport, () => new Sandbox(snapshot));
        Assert.Throws<ArgumentNullException>(() => new Sandbox((Snapshot)null!));
        Assert.Throws<ArgumentNullException>(() => new Sandbox((Snapshot)null!, host));
        Assert.Throws<ArgumentNullException>(() => new Sandbox(snapshot, (HostFunctions)null!));
        Assert.Equal(callbacks, Callbacks.Live);
    }

    [Fact]
    public void NothingRunsWithATokenThatIsCancelledAlready()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        CancellationToken cancelled = new(canceled: true);
        Assert.Throws<OperationCanceledException>(() => sandbox.TakeSnapshot(cancelled));
        Assert.Equal(SandboxState.New, sandbox.State);
        using CancellationTokenSource source = new();
        using Snapshot snapshot = sandbox.TakeSnapshot(source.Token);
    }

    [Fact]
    public void ASandboxThatIsRestoredForEachCallIsNeverFoundPoisoned()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host, new SandboxOptions { RestoreEachCall = true });
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
            Poison(sandbox, () => sandbox.Call("spin", Soon));
            Assert.Equal(SandboxState.Poisoned, sandbox.State);
        }

        Assert.Equal(0u, GlintDebug.LiveObjects.Snapshots); // its own is no handle
    }

    [Fact]
    public void AnAbandonedSnapshotIsCollected()
    {
        Abandons = 10;
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Apart(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                sandbox.TakeSnapshot();
            }
        });
        Settle();
        Assert.Equal(0u, GlintDebug.LiveObjects.Snapshots);
    }

    [Fact]
    public void DisposingOfASnapshotMayRaceWithItsUse()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        for (int i = 0; i < 200; i++)
        {
            Snapshot snapshot = sandbox.TakeSnapshot();
            Task user = Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        using Sandbox made = new(snapshot, host);
                        made.Restore(snapshot);
                        Assert.Equal(3, made.Call<long>("add", 1, 2));
                    }
                }
                catch (ObjectDisposedException)
                {
                    // the end that was to be
                }
            });
            Thread.SpinWait(i * 100);
            snapshot.Dispose();
            user.GetAwaiter().GetResult();
        }
    }

    /// <summary>Makes a call that never returns run into its deadline. Where the machine is so slow that the
    /// deadline is over before the guest runs, the sandbox is ready still, and the call is made
    /// again.</summary>
    protected static void Poison(Sandbox sandbox, Action spin)
    {
        do
        {
            Assert.Throws<SandboxDeadlineException>(spin);
        }
        while (sandbox.State == SandboxState.Ready);
    }

    protected static void AssertRefused(SandboxErrorCode code, Action action) =>
        Assert.Equal(code, Assert.Throws<SandboxException>(action).Code);

    protected static void AssertRefused(SandboxErrorCode code, Func<IDisposable> make) =>
        Assert.Equal(code, Assert.Throws<SandboxException>(make).Code);
}
