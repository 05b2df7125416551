// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using Glint.Native;

namespace Glint;

/// <summary>Which side a function is on.</summary>
[SuppressMessage("Design", "CA1008:Enums should have zero value",
    Justification = "A function is on one side.")]
public enum GuestFunctionKind
{
    /// <summary>The guest has it; the host may call it.</summary>
    Exported = 1,

    /// <summary>The host has it; the guest calls it.</summary>
    Imported = 2,
}

/// <summary>A function that a guest program declares.</summary>
public sealed unsafe class GuestFunctionInfo
{
    internal GuestFunctionInfo(in NativeFunctionInfo info)
    {
        Name = Text.ToString(info.Name);
        Kind = (GuestFunctionKind)info.Kind;
        Number = info.Function;
        Signature = new GuestSignature((GuestType)info.Result,
            new ReadOnlySpan<GuestType>(info.Params, (int)info.ParamCount));
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Which side it is on.</summary>
    public GuestFunctionKind Kind { get; }

    /// <summary>Its result and its parameters.</summary>
    public GuestSignature Signature { get; }

    internal uint Number { get; }

    /// <summary>For people: <c>add: Int64 (Int64, Int64)</c>.</summary>
    public override string ToString() => $"{Name}: {Signature}";
}
