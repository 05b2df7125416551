// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

/// <summary>The memory of an argument: the caller's own for bytes, to be pinned; a pooled buffer with the
/// UTF-8 of a string; none for the others.</summary>
internal ref struct Payload
{
    private byte[]? _rented;

    private Payload(ReadOnlySpan<byte> data)
    {
        Data = data;
        _rented = null;
    }

    /// <summary>The bytes; to be pinned with <c>fixed</c> during the call.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Payload Of<T>(ref T value)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(string))
        {
            return Encode(Unsafe.As<T, string>(ref value));
        }

        if (typeof(T) == typeof(byte[]))
        {
            byte[] bytes = Unsafe.As<T, byte[]>(ref value);
            ArgumentNullException.ThrowIfNull(bytes, nameof(value));
            return new Payload(bytes);
        }

        if (typeof(T) == typeof(ReadOnlySpan<byte>))
        {
            ref ReadOnlySpan<byte> span = ref Unsafe.As<T, ReadOnlySpan<byte>>(ref value);
            ref byte data = ref MemoryMarshal.GetReference(span);
            return new Payload(MemoryMarshal.CreateReadOnlySpan(ref data, span.Length));
        }

        return default;
    }

    /// <summary>The caller's own memory.</summary>
    public static Payload Lend(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>The UTF-8 of a string, in a pooled buffer.</summary>
    public static Payload Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, Text.Utf8.GetByteCount(text)));
        int size = Text.Utf8.GetBytes(text, rented);
        return new Payload(rented.AsSpan(0, size)) { _rented = rented };
    }

    /// <summary>Gives the buffer back; harmless for a payload without one.</summary>
    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
            Data = default;
        }
    }
}
