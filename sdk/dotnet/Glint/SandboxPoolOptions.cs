// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint;

/// <summary>How a <see cref="SandboxPool"/> works.</summary>
public sealed class SandboxPoolOptions
{
    /// <summary>Sandboxes that there are at most, those in use included; up to 1,000,000. 0: two for each
    /// processor.</summary>
    public int Size
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Of them, those that are made beforehand; they are in VMs, as far as the engine keeps any
    /// (<see cref="SandboxEngineOptions.MaxShells"/>). 0: as many as that. More are made when they are
    /// needed.</summary>
    public int Warm
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>No sandbox is put into a VM before somebody asks for one. <see cref="Warm"/> must not be
    /// given then.</summary>
    public bool Lazy { get; init; }

    /// <summary>A thread of the pool's restores what is given back. Otherwise
    /// <see cref="Sandbox.Dispose"/> does so before it returns.</summary>
    public bool UseThread { get; init; } = true;

    /// <summary>Each of its sandboxes has a VM that serves no other; see
    /// <see cref="SandboxOptions.DedicatedVm"/>.</summary>
    public bool DedicatedVms { get; init; }

    /// <summary>Bytes of their own that sandboxes at rest may keep together: above it, those that were used
    /// longest ago are dropped. 0: no limit. What all sandboxes of the snapshot share is not counted, nor is
    /// what is in use.</summary>
    public long IdleMemory
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Whose the sandboxes are; see <see cref="SandboxOptions.Tenant"/>.</summary>
    public string? Tenant { get; init; }
}
