// SPDX-License-Identifier: Apache-2.0
using Glint.Native;

namespace Glint;

/// <summary>Counts of a <see cref="SandboxPool"/>, all of the same moment.</summary>
public readonly record struct PoolCounters
{
    internal PoolCounters(in NativePoolCounters from)
    {
        Live = from.Live;
        InUse = from.InUse;
        Ready = from.Ready;
        Returned = from.Returned;
        Waiting = from.Waiting;
        IdleMemory = from.IdleMemory;
        Acquired = from.Acquired;
        Waited = from.Waited;
        Restored = from.Restored;
        RestoredLate = from.RestoredLate;
        Made = from.Made;
        Replaced = from.Replaced;
        Dropped = from.Dropped;
    }

    /// <summary>Sandboxes that there are now.</summary>
    public ulong Live { get; }

    /// <summary>Of them, those that were acquired, and not given back.</summary>
    public ulong InUse { get; }

    /// <summary>Those at rest, as the snapshot has them.</summary>
    public ulong Ready { get; }

    /// <summary>Those that were given back, and not restored yet.</summary>
    public ulong Returned { get; }

    /// <summary>Threads that wait for a sandbox now.</summary>
    public ulong Waiting { get; }

    /// <summary>Bytes that the ready ones have of their own.</summary>
    public ulong IdleMemory { get; }

    /// <summary>Sandboxes handed out since the pool was made, as all that follow.</summary>
    public ulong Acquired { get; }

    /// <summary>How often somebody had to wait: none was at rest, and there were as many as there may
    /// be.</summary>
    public ulong Waited { get; }

    /// <summary>Restorings by the pool's thread, or by who gave the sandbox back.</summary>
    public ulong Restored { get; }

    /// <summary>Restorings by who acquired the sandbox: the pool's thread was behind.</summary>
    public ulong RestoredLate { get; }

    /// <summary>Sandboxes made.</summary>
    public ulong Made { get; }

    /// <summary>Sandboxes dropped because they could not be restored.</summary>
    public ulong Replaced { get; }

    /// <summary>Sandboxes dropped for their memory.</summary>
    public ulong Dropped { get; }
}
