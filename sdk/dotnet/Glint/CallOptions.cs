// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Glint;

/// <summary>What can end a call before it ends by itself. A <see cref="System.Threading.CancellationToken"/>
/// converts to options that hold just that token.</summary>
public readonly record struct CallOptions
{
    private readonly TimeSpan? _deadline;

    /// <summary>How long the call may take from now, host functions included; then it ends with
    /// <see cref="SandboxDeadlineException"/>. Null: the engine's default;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is neither positive nor infinite.</exception>
    public TimeSpan? Deadline
    {
        get => _deadline;
        init
        {
            Glint.Deadline.Check(value, nameof(value));
            _deadline = value;
        }
    }

    /// <summary>Stops the guest when it is cancelled: the call then ends with
    /// <see cref="OperationCanceledException"/>, and the sandbox is poisoned: see
    /// <see cref="SandboxState.Poisoned"/>.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Options with a token.</summary>
    /// <param name="cancellationToken">The token.</param>
    public static implicit operator CallOptions(CancellationToken cancellationToken) =>
        FromCancellationToken(cancellationToken);

    /// <summary>Options with a token.</summary>
    /// <param name="cancellationToken">The token.</param>
    /// <returns>The options.</returns>
    public static CallOptions FromCancellationToken(CancellationToken cancellationToken) =>
        new() { CancellationToken = cancellationToken };
}
