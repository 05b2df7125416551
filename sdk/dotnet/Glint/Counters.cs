// SPDX-License-Identifier: Apache-2.0
using Glint.Native;

namespace Glint;

/// <summary>Counts of a <see cref="SandboxEngine"/> since it was made. Each number is exact; taken together
/// they may be of slightly different moments while other threads work.</summary>
public readonly record struct EngineCounters
{
    internal EngineCounters(in NativeEngineCounters from)
    {
        VmsCreated = from.VmsCreated;
        VmsLive = from.VmsLive;
        SandboxesCreated = from.SandboxesCreated;
        SandboxesLive = from.SandboxesLive;
        Attaches = from.Attaches;
        Parks = from.Parks;
    }

    /// <summary>VMs made.</summary>
    public ulong VmsCreated { get; }

    /// <summary>VMs that exist now.</summary>
    public ulong VmsLive { get; }

    /// <summary>Sandboxes made.</summary>
    public ulong SandboxesCreated { get; }

    /// <summary>Sandboxes that exist now.</summary>
    public ulong SandboxesLive { get; }

    /// <summary>How often a sandbox was put into a VM.</summary>
    public ulong Attaches { get; }

    /// <summary>How often a sandbox was taken out of a VM to make room.</summary>
    public ulong Parks { get; }
}

/// <summary>Counts of a <see cref="Sandbox"/> since it was made.</summary>
public readonly record struct SandboxCounters
{
    internal SandboxCounters(in NativeSandboxCounters from)
    {
        Calls = from.Calls;
        HostCalls = from.HostCalls;
        Exits = from.Exits;
        Ioctls = from.Ioctls;
        Attaches = from.Attaches;
        UnknownSystemCalls = from.UnknownSyscalls;
        OutputBytes = from.OutputBytes;
        Restores = from.Restores;
        RestoredPages = from.RestoredPages;
    }

    /// <summary>Guest calls begun.</summary>
    public ulong Calls { get; }

    /// <summary>Host functions called by the guest.</summary>
    public ulong HostCalls { get; }

    /// <summary>Returns of the virtual processor to the host process.</summary>
    public ulong Exits { get; }

    /// <summary>Hypervisor calls, those that ran the virtual processor included.</summary>
    public ulong Ioctls { get; }

    /// <summary>How often the sandbox was put into a VM.</summary>
    public ulong Attaches { get; }

    /// <summary>System calls that the libos does not serve.</summary>
    public ulong UnknownSystemCalls { get; }

    /// <summary>Bytes that the guest printed.</summary>
    public ulong OutputBytes { get; }

    /// <summary>How often the sandbox was put back to a snapshot.</summary>
    public ulong Restores { get; }

    /// <summary>Pages of 4 KiB that were copied for that.</summary>
    public ulong RestoredPages { get; }
}
