// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.Versioning;
using Xunit;

namespace Glint.Tests;

/// <summary>Snapshots in files: saved, loaded by another engine, and what cannot be loaded.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmSnapshotFileTests : InteropTest, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("glint-snapshots").FullName;
    private readonly string _path;

    public KvmSnapshotFileTests()
    {
        _path = Path.Combine(_directory, "a snapshot — of dirt");
        using Sandbox original = new(Dirt);
        Assert.Equal(1u, Count(original));
        using Snapshot snapshot = original.TakeSnapshot();
        snapshot.Save(_path);
    }

    protected override bool NeedsKvm => true;

    private static GuestImage Dirt => Guests.Kvm("dirt");

    public new void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        base.Dispose();
    }

    [Fact]
    public void ANewEngineGoesOnWhereTheOriginalWould()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Kvm });
        using GuestImage image =
            GuestImage.Load(Setup.Guest("dirt"), new GuestImageOptions { Engine = engine });
        using Snapshot snapshot = Snapshot.Load(image, _path);
        File.Delete(_path);
        Assert.Same(image, snapshot.Image);
        Assert.InRange(snapshot.StoredSize, 4096u, snapshot.MemorySize - 4096);
        using Sandbox one = new(snapshot);
        using Sandbox other = new(snapshot);
        Assert.Equal([2u, 3u, 2u], [Count(one), Count(one), Count(other)]);
        one.Restore();
        Assert.Equal(2u, Count(one));
        using SandboxPool pool = new(snapshot, new SandboxPoolOptions { Size = 1 });
        using Sandbox lent = pool.Acquire();
        Assert.Equal(2u, Count(lent));
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void SavingReplacesTheFileAndLeavesWhoHasLoadedItAlone()
    {
        using Snapshot old = Snapshot.Load(Dirt, _path);
        using (Sandbox sandbox = new(old))
        {
            Assert.Equal(2u, Count(sandbox));
            using Snapshot newer = sandbox.TakeSnapshot();
            newer.Save(_path);
        }

        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(_path));
        using Snapshot loaded = Snapshot.Load(Dirt, _path);
        using Sandbox ofLoaded = new(loaded);
        using Sandbox ofOld = new(old);
        Assert.Equal([3u, 2u], [Count(ofLoaded), Count(ofOld)]);
    }

    [Fact]
    public void WhatIsNoSuchFileIsRefusedWithACodeOfItsOwn()
    {
        byte[] good = File.ReadAllBytes(_path);
        AssertRefused(SandboxErrorCode.SnapshotImage, Guests.Kvm("echo"));
        using (GuestImage small = GuestImage.Load(Setup.Guest("dirt"), new GuestImageOptions
        {
            Engine = Guests.Engine(SandboxBackend.Kvm),
            MemorySize = 32 << 20,
        }))
        {
            AssertRefused(SandboxErrorCode.SnapshotImage, small);
        }

        Replace(good[..(good.Length / 2)]);
        AssertRefused(SandboxErrorCode.SnapshotTruncated, Dirt);
        Replace([]);
        AssertRefused(SandboxErrorCode.SnapshotFormat, Dirt);
        Replace(new byte[100_000]);
        AssertRefused(SandboxErrorCode.SnapshotFormat, Dirt);
        Replace(Changed(good, good.Length - 1));
        AssertRefused(SandboxErrorCode.SnapshotCorrupt, Dirt);
        Replace(Changed(good, 8));
        AssertRefused(SandboxErrorCode.SnapshotVersion, Dirt);
        File.Delete(_path);
        SandboxException missing = Assert.Throws<SandboxException>(() => Snapshot.Load(Dirt, _path));
        Assert.Equal(SandboxErrorCode.System, missing.Code);
        Assert.Contains(_path, missing.Message, StringComparison.Ordinal);
        Replace(good);
        using Snapshot snapshot = Snapshot.Load(Dirt, _path);
    }

    [Fact]
    public void ASnapshotOfTheFakeBackendIsOfAnotherMachine()
    {
        using (Sandbox sandbox = new(Guests.Fake("dirt")))
        using (Snapshot snapshot = sandbox.TakeSnapshot())
        {
            snapshot.Save(_path);
        }

        AssertRefused(SandboxErrorCode.SnapshotMachine, Dirt);
        using Snapshot loaded = Snapshot.Load(Guests.Fake("dirt"), _path);
        using Sandbox made = new(loaded);
        Assert.Equal(SandboxState.Ready, made.State);
    }

    [Fact]
    public void WhereNothingCanBeWrittenOrIsDisposedOfAnExceptionSaysSo()
    {
        using Snapshot snapshot = Snapshot.Load(Dirt, _path);
        Assert.Equal(SandboxErrorCode.System, Assert.Throws<SandboxException>(() =>
            snapshot.Save(Path.Combine(_path, "below a file"))).Code);
        Assert.Equal(SandboxErrorCode.InvalidArgument, Assert.Throws<SandboxException>(() =>
            snapshot.Save("no\0path")).Code);
        Assert.Throws<ArgumentNullException>(() => snapshot.Save(null!));
        Assert.Throws<ArgumentNullException>(() => Snapshot.Load(Dirt, null!));
        Assert.Throws<ArgumentNullException>(() => Snapshot.Load(null!, _path));
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.Save(_path));
        GuestImage image = GuestImage.Load(Setup.Guest("dirt"), new GuestImageOptions
        {
            Engine = Guests.Engine(SandboxBackend.Kvm),
        });
        image.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Snapshot.Load(image, _path));
    }

    private static ulong Count(Sandbox sandbox) => sandbox.Call<ulong>("count");

    private static byte[] Changed(byte[] bytes, int at)
    {
        var changed = (byte[])bytes.Clone();
        changed[at] ^= 0x10;
        return changed;
    }

    // Not in place: a snapshot of the old one may be mapped.
    private void Replace(byte[] content)
    {
        File.Delete(_path);
        File.WriteAllBytes(_path, content);
    }

    private void AssertRefused(SandboxErrorCode code, GuestImage image)
    {
        Assert.Equal(code, Assert.Throws<SnapshotException>(() => Snapshot.Load(image, _path)).Code);
        Assert.Equal(0u, GlintDebug.LiveObjects.Snapshots);
    }
}
