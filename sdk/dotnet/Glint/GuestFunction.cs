// SPDX-License-Identifier: Apache-2.0
using System;
using Glint.Native;

namespace Glint;

/// <summary>Reads a result without a copy.</summary>
/// <typeparam name="TState">The type of the state.</typeparam>
/// <typeparam name="TOut">What is made of the result.</typeparam>
/// <param name="result">Bytes or UTF-8; the view ends when the reader returns.</param>
/// <param name="state">What was given to the call.</param>
/// <returns>What is made of the result.</returns>
public delegate TOut GuestResultReader<in TState, out TOut>(ReadOnlySpan<byte> result, TState state)
    where TState : allows ref struct;

/// <summary>A function of one sandbox, found once and called often. Get one from
/// <see cref="Sandbox.GetFunction{TResult}"/> or <see cref="Sandbox.GetAction"/>. Not safe for use by several
/// threads at once, like its sandbox.</summary>
public abstract class GuestFunction
{
    private protected GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
    {
        Sandbox = sandbox;
        Info = info;
        Number = info.Number;
    }

    /// <summary>The sandbox that has the function.</summary>
    public Sandbox Sandbox { get; }

    /// <summary>What the guest declares.</summary>
    public GuestFunctionInfo Info { get; }

    private protected uint Number { get; }

    private protected static void RequirePayload<T>()
    {
        if (!Codec.HasPayload<T>())
        {
            throw new InvalidOperationException(
                $"The result of the function is {typeof(T).Name}; only bytes and strings can be copied.");
        }
    }
}
