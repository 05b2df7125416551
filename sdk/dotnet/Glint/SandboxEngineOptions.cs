// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Glint;

/// <summary>What runs the guests.</summary>
public enum SandboxBackend
{
    /// <summary>The usual one: <see cref="Kvm"/>.</summary>
    Default = 0,

    /// <summary>The hypervisor of Linux.</summary>
    Kvm = 1,

    /// <summary>None: images can be loaded and inspected, not run.</summary>
    None = 2,

    /// <summary>A stand-in for tests without KVM: no code of the guest runs. A function answers with its
    /// first argument if that has the type of its result; if the program imports a function of the same name
    /// with the prefix <c>host_</c> and the same signature, it calls that, and answers what it gave. A
    /// function named <c>spin</c> never returns.</summary>
    Fake = 3,
}

/// <summary>How a <see cref="SandboxEngine"/> works.</summary>
public sealed class SandboxEngineOptions
{
    /// <summary>What runs the guests.</summary>
    public SandboxBackend Backend { get; init; }

    /// <summary>VMs that are kept for an image while no call needs more; 0: two for each processor.</summary>
    public int MaxShells
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>VMs that are kept over all images of the engine while no call needs more, dedicated ones not
    /// counted. Those used longest ago go first; their sandboxes stay, and need a millisecond for the next
    /// call. Each VM has about 0.6 MiB of the kernel's memory, and makes unrelated unmappings of the process
    /// slower. 0: <see cref="MaxShells"/>, and 32 at least.</summary>
    public int MaxVms
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>The real-time signal that makes a thread leave the guest when its call is to end; 0: the
    /// highest that is free. It must be above <c>SIGRTMIN</c>, which .NET uses, and is the process's: a later
    /// engine that wants another one is refused.</summary>
    public int KickSignal
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>How long a call may take that is not told otherwise. Null: 5 seconds;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is neither positive nor infinite.</exception>
    public TimeSpan? DefaultDeadline
    {
        get;
        init
        {
            Deadline.Check(value, nameof(value));
            field = value;
        }
    }
}
