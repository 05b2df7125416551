// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Glint.Native;

namespace Glint;

/// <summary>An argument of a call by name. Values convert to it by themselves:
/// <c>sandbox.Call&lt;long&gt;("add", 1, 2)</c>. It is then converted to what the guest function declares:
/// integers to any type of integer in which the value fits, floating-point numbers to <see cref="float"/> or
/// <see cref="double"/>; nothing else is converted.</summary>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types",
    Justification = "It is made for a call, and not compared.")]
[SuppressMessage("Usage", "CA2225:Operator overloads have named alternates",
    Justification = "A language without user-defined conversions has the typed functions.")]
public readonly unsafe struct GuestArgument
{
    private readonly ulong _bits;
    private readonly string? _text;
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly Kind _kind;

    private GuestArgument(Kind kind, ulong bits)
    {
        _kind = kind;
        _bits = bits;
    }

    private GuestArgument(string text)
    {
        _kind = Kind.Text;
        _text = text;
    }

    private GuestArgument(ReadOnlyMemory<byte> bytes)
    {
        _kind = Kind.Bytes;
        _bytes = bytes;
    }

    private enum Kind : byte
    {
        /// <summary>default(GuestArgument), which is no argument.</summary>
        None,
        Boolean,
        Signed,
        Unsigned,
        Floating,
        Text,
        Bytes,
    }

    private enum Fit
    {
        Ok,
        OtherType,
        OutOfRange,
    }

    internal bool HasPayload => _kind is Kind.Text or Kind.Bytes;

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(bool value) => new(Kind.Boolean, value ? 1u : 0u);

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(int value) => new(Kind.Signed, (ulong)value);

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(uint value) => new(Kind.Unsigned, value);

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(long value) => new(Kind.Signed, (ulong)value);

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(ulong value) => new(Kind.Unsigned, value);

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(float value) => (double)value;

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestArgument(double value) =>
        new(Kind.Floating, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value; not null.</param>
    public static implicit operator GuestArgument(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value; not null. It must not change during the call.</param>
    public static implicit operator GuestArgument(byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(new ReadOnlyMemory<byte>(value));
    }

    /// <summary>Converts a value.</summary>
    /// <param name="value">The value. It must not change during the call.</param>
    public static implicit operator GuestArgument(ReadOnlyMemory<byte> value) => new(value);

    /// <summary>What the call is to pin: the bytes, or the UTF-8 of the string in a pooled buffer.</summary>
    internal Payload GetPayload() => _kind == Kind.Text ? Payload.Encode(_text!) : Payload.Lend(_bytes.Span);

    /// <summary>Makes `to` hold this argument as `declared`; what has a payload, `data` and `size`
    /// say.</summary>
    internal void Write(NativeValue* to, GuestFunctionInfo function, int position, byte* data, int size)
    {
        GuestType declared = function.Signature.Types[position];
        *to = new NativeValue { Type = (uint)declared };
        Fit fit = Convert(to, declared, data, size);
        if (fit != Fit.Ok)
        {
            string problem = fit == Fit.OutOfRange ? ", which does not fit" : "";
            throw new SandboxException(SandboxErrorCode.Signature,
                $"{function.Name}, argument {position}: expected {declared}, given {Describe()}{problem}.");
        }
    }

    private Fit Convert(NativeValue* to, GuestType declared, byte* data, int size)
    {
        switch (_kind)
        {
            case Kind.Boolean when declared == GuestType.Boolean:
                to->Boolean = (byte)_bits;
                return Fit.Ok;
            case Kind.Signed:
                return ConvertInteger(to, declared, (long)_bits);
            case Kind.Unsigned:
                return ConvertInteger(to, declared, _bits);
            case Kind.Floating:
                return ConvertFloating(to, declared, BitConverter.UInt64BitsToDouble(_bits));
            case Kind.Text when declared == GuestType.String:
            case Kind.Bytes when declared == GuestType.Bytes:
                to->Data = data;
                to->Size = (ulong)size;
                return Fit.Ok;
            default:
                return Fit.OtherType;
        }
    }

    private static Fit ConvertInteger(NativeValue* to, GuestType declared, Int128 value)
    {
        switch (declared)
        {
            case GuestType.Int32:
                to->I32 = (int)value;
                return value == to->I32 ? Fit.Ok : Fit.OutOfRange;
            case GuestType.UInt32:
                to->U32 = (uint)value;
                return value == to->U32 ? Fit.Ok : Fit.OutOfRange;
            case GuestType.Int64:
                to->I64 = (long)value;
                return value == to->I64 ? Fit.Ok : Fit.OutOfRange;
            case GuestType.UInt64:
                to->U64 = (ulong)value;
                return value == to->U64 ? Fit.Ok : Fit.OutOfRange;
            default:
                return Fit.OtherType;
        }
    }

    /// <summary>A double for a float parameter is rounded, but not to infinity.</summary>
    private static Fit ConvertFloating(NativeValue* to, GuestType declared, double value)
    {
        switch (declared)
        {
            case GuestType.Double:
                to->F64 = value;
                return Fit.Ok;
            case GuestType.Single:
                to->F32 = (float)value;
                return float.IsInfinity(to->F32) && !double.IsInfinity(value) ? Fit.OutOfRange : Fit.Ok;
            default:
                return Fit.OtherType;
        }
    }

    private string Describe() => _kind switch
    {
        Kind.Boolean => "a bool",
        Kind.Signed => "the integer " + ((long)_bits).ToString(CultureInfo.InvariantCulture),
        Kind.Unsigned => "the integer " + _bits.ToString(CultureInfo.InvariantCulture),
        Kind.Floating => "the floating-point number "
            + BitConverter.UInt64BitsToDouble(_bits).ToString(CultureInfo.InvariantCulture),
        Kind.Text => "a string",
        Kind.Bytes => "bytes",
        _ => "nothing (default(GuestArgument))",
    };
}
