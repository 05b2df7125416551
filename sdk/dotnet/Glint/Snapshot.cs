// SPDX-License-Identifier: Apache-2.0
using System;
using Glint.Native;

namespace Glint;

/// <summary>A sandbox as it was at one moment, memory and registers: others go on from there, and sandboxes
/// are put back to it. <see cref="Sandbox.TakeSnapshot"/> takes one. Immutable, and independent of the
/// sandbox that it was taken of. Sandboxes hold on to what they were made from: a snapshot may be disposed of
/// first. Safe to use from any thread.
/// <para>Guests that go on from a snapshot do not repeat each other: their generators of random bytes get new
/// seeds, and their clocks go on from now. What the program itself keeps for being unpredictable is as it
/// was, such as a generator of its own that has been seeded, or the canaries of its stack.</para></summary>
public sealed unsafe class Snapshot : IDisposable
{
    internal Snapshot(GuestImage image, SnapshotHandle handle)
    {
        Image = image;
        Handle = handle;
    }

    /// <summary>The guest program.</summary>
    public GuestImage Image { get; }

    /// <summary>The writable memory that the guest has, in bytes.</summary>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed of.</exception>
    public ulong MemorySize => ReadInfo().MemorySize;

    /// <summary>How much of it is stored, in bytes: whole pages that are not zero.</summary>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed of.</exception>
    public ulong StoredSize => ReadInfo().StoredSize;

    internal SnapshotHandle Handle { get; }

    /// <summary>Gives up the snapshot. Sandboxes that were made from it, or restored to it, go on working,
    /// and can be restored.</summary>
    public void Dispose() => Handle.Dispose();

    private NativeSnapshotInfo ReadInfo()
    {
        NativeSnapshotInfo info = new() { StructSize = (uint)sizeof(NativeSnapshotInfo) };
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.SnapshotGetInfo(Handle, &info, &error), error);
        return info;
    }
}
