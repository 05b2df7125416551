// SPDX-License-Identifier: Apache-2.0
using System;
using Glint.Native;

namespace Glint;

/// <summary>A sandbox as it was at one moment, memory and registers: others go on from there, and sandboxes
/// are put back to it. <see cref="Sandbox.TakeSnapshot"/> takes one, and <see cref="Load"/> gets one from a
/// file. Immutable, and independent of the sandbox that it was taken of. Sandboxes hold on to what they were
/// made from: a snapshot may be disposed of first. Safe to use from any thread.
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

    /// <summary>The snapshot of a file that <see cref="Save"/> wrote, of the same image: loaded from the same
    /// program with the same options by the same build of Glint, on the same backend, on a machine whose
    /// guests have at least the processor features of the one that it was taken on.
    /// <para>The file's memory is mapped, but all of it is checked once, here. While the snapshot or a sandbox
    /// of it lives, the file must not be written to or shortened in place; it may be replaced or
    /// removed.</para></summary>
    /// <param name="image">The guest program.</param>
    /// <param name="path">The file.</param>
    /// <returns>The snapshot, which the caller disposes of.</returns>
    /// <exception cref="SnapshotException">The file is none that fits; the code tells why.</exception>
    /// <exception cref="SandboxException">It cannot be read (<see cref="SandboxErrorCode.System"/>), or the
    /// image's engine runs no guests.</exception>
    /// <exception cref="ObjectDisposedException">The image was disposed of.</exception>
    public static Snapshot Load(GuestImage image, string path)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(path);
        using NativeTexts texts = new();
        SnapshotHandle handle = new();
        try
        {
            nint snapshot = 0;
            nint error = 0;
            Failure.ThrowIfFailed(NativeMethods.SnapshotLoad(image.Handle, texts.Add(path), &snapshot, &error),
                error);
            handle.Initialize(snapshot);
        }
        catch
        {
            handle.Dispose();
            throw;
        }

        return new Snapshot(image, handle);
    }

    /// <summary>Writes the snapshot to a file, for this program or another one to load. The file appears at
    /// once and whole, when it is on the disk, and replaces one that is there. It holds what the guest's
    /// memory holds, secrets too: only its owner may read it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SandboxException">It cannot be written
    /// (<see cref="SandboxErrorCode.System"/>).</exception>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed of.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using NativeTexts texts = new();
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.SnapshotSave(Handle, texts.Add(path), &error), error);
    }

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
