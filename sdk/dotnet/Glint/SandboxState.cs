// SPDX-License-Identifier: Apache-2.0
namespace Glint;

/// <summary>What a sandbox can do next.</summary>
public enum SandboxState
{
    /// <summary>Its start-up code has not run.</summary>
    New = 0,

    /// <summary>It waits for calls.</summary>
    Ready = 1,

    /// <summary>It is in a call.</summary>
    Running = 2,

    /// <summary>It faulted, aborted, or was interrupted: it is to be restored to a snapshot,
    /// or disposed of.</summary>
    Poisoned = 3,

    /// <summary>The program ended by itself.</summary>
    Ended = 4,
}
