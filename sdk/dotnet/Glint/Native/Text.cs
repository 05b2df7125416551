// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Glint.Native;

internal static unsafe class Text
{
    /// <summary>UTF-8 that refuses what cannot be written in it (half of a surrogate pair) rather than
    /// replace it.</summary>
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true);

    /// <summary>A copy of native text, which the native side has checked to be UTF-8.</summary>
    public static string ToString(NativeStr text) => Utf8.GetString(Span(text));

    public static ReadOnlySpan<byte> Span(NativeStr text) => new(text.Data, checked((int)text.Size));
}

/// <summary>Texts in native memory, for options that are read while an object is made.</summary>
internal sealed unsafe class NativeTexts : IDisposable
{
    private readonly List<nint> _blocks = [];

    public NativeStr Add(string text)
    {
        int size = Text.Utf8.GetByteCount(text);
        var data = (byte*)Allocate((nuint)size);
        Text.Utf8.GetBytes(text, new Span<byte>(data, size));
        return new NativeStr { Data = data, Size = (ulong)size };
    }

    public NativeStr* AddAll(IReadOnlyCollection<string> texts)
    {
        var array = (NativeStr*)Allocate((nuint)texts.Count * (nuint)sizeof(NativeStr));
        int i = 0;
        foreach (string text in texts)
        {
            array[i++] = Add(text);
        }

        return array;
    }

    public void* Allocate(nuint size)
    {
        void* block = NativeMemory.AllocZeroed(Math.Max(size, 1));
        _blocks.Add((nint)block);
        return block;
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }

        _blocks.Clear();
    }
}
