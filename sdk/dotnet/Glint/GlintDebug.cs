// SPDX-License-Identifier: Apache-2.0
using Glint.Native;

namespace Glint;

/// <summary>For tests that look for leaks, and for reports of defects.</summary>
public static unsafe class GlintDebug
{
    /// <summary>The version of the native library, such as "0.2.0".</summary>
    public static string NativeVersion
    {
        get
        {
            LibraryCheck.Ensure();
            return Text.ToString(NativeMethods.VersionString());
        }
    }

    /// <summary>How many native objects there are in this process now, whoever made them.</summary>
    public static LiveObjects LiveObjects
    {
        get
        {
            LibraryCheck.Ensure();
            NativeLiveObjects live = new() { StructSize = (uint)sizeof(NativeLiveObjects) };
            Failure.ThrowIfFailed(NativeMethods.GetLiveObjects(&live), 0);
            return new LiveObjects(live);
        }
    }
}

/// <summary>How many native objects there are. Each number is exact; taken together they may be of slightly
/// different moments while other threads work.</summary>
public readonly record struct LiveObjects
{
    internal LiveObjects(in NativeLiveObjects live)
    {
        Engines = live.Engines;
        Images = live.Images;
        Sandboxes = live.Sandboxes;
        Interrupts = live.Interrupts;
        Errors = live.Errors;
        Doctors = live.Doctors;
        HostFunctionSets = live.HostFunctionSets;
        HostFunctions = live.HostFunctions;
        HostTokens = live.HostTokens;
        Snapshots = live.Snapshots;
        Pools = live.Pools;
    }

    /// <summary>Engines.</summary>
    public ulong Engines { get; }

    /// <summary>Images.</summary>
    public ulong Images { get; }

    /// <summary>Sandboxes.</summary>
    public ulong Sandboxes { get; }

    /// <summary>Interrupts: one for each call with a cancellation token, and one that each sandbox keeps for
    /// its next such call.</summary>
    public ulong Interrupts { get; }

    /// <summary>Errors that have not become exceptions yet.</summary>
    public ulong Errors { get; }

    /// <summary>Reports of the doctor.</summary>
    public ulong Doctors { get; }

    /// <summary>Sets of host functions.</summary>
    public ulong HostFunctionSets { get; }

    /// <summary>Host functions.</summary>
    public ulong HostFunctions { get; }

    /// <summary>Exceptions on their way through native frames.</summary>
    public ulong HostTokens { get; }

    /// <summary>Snapshots that were not disposed of. Sandboxes that go on from one do not count.</summary>
    public ulong Snapshots { get; }

    /// <summary>Pools that were not disposed of. Sandboxes of one that are in use do not count.</summary>
    public ulong Pools { get; }
}
