// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Glint.Native;

namespace Glint;

/// <summary>The result and the parameters of a function that guests export or import. Immutable.</summary>
public sealed class GuestSignature : IEquatable<GuestSignature>
{
    private readonly GuestType[] _parameters;

    /// <summary>Makes a signature.</summary>
    /// <param name="result">The type of the result; <see cref="GuestType.Void"/> for none.</param>
    /// <param name="parameters">The types of the parameters, 32 at most.</param>
    /// <exception cref="ArgumentException">A parameter is <see cref="GuestType.Void"/>, a type is none, or
    /// there are too many.</exception>
    public GuestSignature(GuestType result, params ReadOnlySpan<GuestType> parameters)
    {
        if (parameters.Length > NativeConstants.MaxArguments)
        {
            throw new ArgumentException("A function has at most 32 parameters.", nameof(parameters));
        }

        foreach (GuestType parameter in parameters)
        {
            if (parameter is <= GuestType.Void or > GuestType.Bytes)
            {
                throw new ArgumentException($"{parameter} is no type of a parameter.", nameof(parameters));
            }
        }

        if (result is < GuestType.Void or > GuestType.Bytes)
        {
            throw new ArgumentException($"{result} is no type of a result.", nameof(result));
        }

        Result = result;
        _parameters = parameters.ToArray();
    }

    /// <summary>The type of the result.</summary>
    public GuestType Result { get; }

    /// <summary>The types of the parameters.</summary>
    public IReadOnlyList<GuestType> Parameters => _parameters;

    internal ReadOnlySpan<GuestType> Types => _parameters;

    /// <inheritdoc/>
    public bool Equals(GuestSignature? other) =>
        other is not null && Result == other.Result && Types.SequenceEqual(other.Types);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as GuestSignature);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Result);
        foreach (GuestType type in _parameters)
        {
            hash.Add(type);
        }

        return hash.ToHashCode();
    }

    /// <summary>For people: <c>Int64 (String, Bytes)</c>.</summary>
    public override string ToString() => $"{Result} ({string.Join(", ", _parameters)})";
}
