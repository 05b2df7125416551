// SPDX-License-Identifier: Apache-2.0
using Glint.Native;

namespace Glint;

/// <summary>How an image is laid out. Sizes are in bytes, as rounded.</summary>
public readonly record struct GuestImageInfo
{
    internal GuestImageInfo(in NativeImageInfo info)
    {
        IsPositionIndependent = info.Pie != 0;
        Entry = info.Entry;
        MemorySize = info.MemorySize;
        StackSize = info.StackSize;
        HeapSize = info.HeapSize;
        SegmentCount = (int)info.SegmentCount;
        SymbolCount = (int)info.SymbolCount;
    }

    /// <summary>Whether the program is a static PIE.</summary>
    public bool IsPositionIndependent { get; }

    /// <summary>The guest address where the program begins.</summary>
    public ulong Entry { get; }

    /// <summary>Writable memory.</summary>
    public ulong MemorySize { get; }

    /// <summary>Of that, the stack.</summary>
    public ulong StackSize { get; }

    /// <summary>What is left for heap and <c>mmap</c>.</summary>
    public ulong HeapSize { get; }

    /// <summary>Ranges of addresses.</summary>
    public int SegmentCount { get; }

    /// <summary>Function symbols known for fault reports.</summary>
    public int SymbolCount { get; }
}

/// <summary>A range of the guest's addresses.</summary>
public readonly record struct GuestSegment
{
    internal GuestSegment(in NativeSegmentInfo info)
    {
        Address = info.Address;
        Size = info.Size;
        IsWritable = info.Writable != 0;
        IsExecutable = info.Executable != 0;
        Purpose = Text.ToString(info.What);
    }

    /// <summary>Where it begins, in the guest.</summary>
    public ulong Address { get; }

    /// <summary>Bytes, whole pages.</summary>
    public ulong Size { get; }

    /// <summary>Whether the guest may write there.</summary>
    public bool IsWritable { get; }

    /// <summary>Whether the guest may run code there.</summary>
    public bool IsExecutable { get; }

    /// <summary>"program", "libos", "stack", "heap", "transfer", "system" or "files".</summary>
    public string Purpose { get; }
}
