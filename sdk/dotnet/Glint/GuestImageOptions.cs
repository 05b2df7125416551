// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Glint;

/// <summary>How a <see cref="GuestImage"/> is laid out.</summary>
public sealed class GuestImageOptions
{
    /// <summary>The engine that runs the image; null: <see cref="SandboxEngine.Default"/>.</summary>
    public SandboxEngine? Engine { get; init; }

    /// <summary>Bytes of writable memory that a sandbox may use: data, stack, heap. 0: 64 MiB. From 1 MiB to
    /// 16 GiB, rounded up to 2 MiB. Reserved, not committed.</summary>
    public long MemorySize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Bytes of it for the stack. 0: 1 MiB. Rounded up to 4 KiB.</summary>
    public long StackSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Backs the heap of sandboxes by pages of 2 MiB, where it holds nothing yet: for guests that
    /// fill megabytes of fresh memory, which is ten times as fast then. Each 2 MiB of which a guest touches a
    /// byte take 2 MiB, and are restored whole.</summary>
    public bool LargePages { get; init; }

    /// <summary>Files that the guest may read, by absolute path: <c>"/data/rules.txt"</c>. They are copied
    /// once, and shared by all sandboxes of the image.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>>? Files { get; init; }
}
