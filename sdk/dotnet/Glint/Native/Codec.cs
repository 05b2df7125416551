// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;

#pragma warning disable CS8500 // Pointers to managed types: only to locals, which do not move.

namespace Glint.Native;

/// <summary>Moves values of the closed set of types across the border. The compiler of the run time evaluates
/// the comparisons of types, so that one branch is left: nothing is boxed, and nothing needs
/// reflection.</summary>
internal static unsafe class Codec
{
    /// <summary>The type that T stands for in a signature.</summary>
    /// <exception cref="NotSupportedException">T is none of the set.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GuestType TypeOf<T>()
        where T : allows ref struct
    {
        if (typeof(T) == typeof(bool))
        {
            return GuestType.Boolean;
        }

        if (typeof(T) == typeof(int))
        {
            return GuestType.Int32;
        }

        if (typeof(T) == typeof(uint))
        {
            return GuestType.UInt32;
        }

        if (typeof(T) == typeof(long))
        {
            return GuestType.Int64;
        }

        if (typeof(T) == typeof(ulong))
        {
            return GuestType.UInt64;
        }

        if (typeof(T) == typeof(float))
        {
            return GuestType.Single;
        }

        if (typeof(T) == typeof(double))
        {
            return GuestType.Double;
        }

        if (typeof(T) == typeof(string))
        {
            return GuestType.String;
        }

        if (typeof(T) == typeof(byte[]) || typeof(T) == typeof(ReadOnlySpan<byte>))
        {
            return GuestType.Bytes;
        }

        return Refuse(typeof(T));
    }

    /// <summary>Whether values of T come with memory of their own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasPayload<T>()
        where T : allows ref struct =>
        typeof(T) == typeof(string) || typeof(T) == typeof(byte[]) || typeof(T) == typeof(ReadOnlySpan<byte>);

    /// <summary>The content of a value whose type is that of T. Copies, unless T is a span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(NativeValue* from)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(bool))
        {
            bool value = from->Boolean != 0; // any other byte would be a bool that is neither true nor false
            return *(T*)&value;
        }

        if (typeof(T) == typeof(string))
        {
            string value = Text.Utf8.GetString((byte*)from->Data, checked((int)from->Size));
            return *(T*)&value;
        }

        if (typeof(T) == typeof(byte[]))
        {
            byte[] value = new ReadOnlySpan<byte>(from->Data, checked((int)from->Size)).ToArray();
            return *(T*)&value;
        }

        if (typeof(T) == typeof(ReadOnlySpan<byte>))
        {
            ReadOnlySpan<byte> value = new(from->Data, checked((int)from->Size));
            return *(T*)&value;
        }

        return *(T*)&from->Boolean; // the numbers: all lie at the start of the union, as they are in C#
    }

    /// <summary>Makes `to` hold `from`; what has a payload, `data` and `size` say.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<T>(NativeValue* to, scoped ref T from, byte* data, int size)
        where T : allows ref struct
    {
        *to = default;
        to->Type = (uint)TypeOf<T>();
        if (HasPayload<T>())
        {
            to->Data = data;
            to->Size = (ulong)size;
        }
        else if (typeof(T) == typeof(bool))
        {
            to->Boolean = Unsafe.As<T, byte>(ref from) != 0 ? (byte)1 : (byte)0;
        }
        else if (sizeof(T) == sizeof(int))
        {
            to->U32 = Unsafe.As<T, uint>(ref from);
        }
        else
        {
            to->U64 = Unsafe.As<T, ulong>(ref from);
        }
    }

    [DoesNotReturn]
    private static GuestType Refuse(Type type) => throw new NotSupportedException(
        $"{type} cannot cross between host and guest; use bool, int, uint, long, ulong, float, "
        + "double, string, byte[] or ReadOnlySpan<byte>.");

    /// <summary>A value as the type that it has, which only the run time knows to be the same.</summary>
    public static TTo Reinterpret<TFrom, TTo>(TFrom* value)
        where TTo : allows ref struct => *(TTo*)value;

    /// <summary>Whether T is no parameter of the signature, but what a host function is told of its
    /// call.</summary>
    public static bool IsToken<T>()
        where T : allows ref struct => typeof(T) == typeof(CancellationToken);
}
