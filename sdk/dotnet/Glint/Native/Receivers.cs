// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;

namespace Glint.Native;

/// <summary>Takes the result of a call while its view is valid. Structs, so that each gets code of its
/// own.</summary>
internal unsafe interface IReceiver
{
    /// <summary>Whether it takes results of `declared` type.</summary>
    static abstract bool Accepts(GuestType declared);

    /// <summary>What it takes, for messages.</summary>
    static abstract string Wanted { get; }

    void Receive(NativeValue* result);
}

internal unsafe struct NoReceiver : IReceiver
{
    public static string Wanted => "nothing";

    public static bool Accepts(GuestType declared) => true;

    public readonly void Receive(NativeValue* result)
    {
    }
}

internal unsafe struct ValueReceiver<T> : IReceiver
{
    public T Value;

    public static string Wanted => typeof(T).Name;

    public static bool Accepts(GuestType declared) => Codec.TypeOf<T>() == declared;

    public void Receive(NativeValue* result) => Value = Codec.Read<T>(result);
}

/// <summary>Copies to the caller's buffer as much as fits; <see cref="Size"/> is what there was.</summary>
internal unsafe ref struct SpanReceiver(Span<byte> destination) : IReceiver
{
    private readonly Span<byte> _destination = destination;

    public int Size { get; private set; }

    public static string Wanted => "bytes or a string";

    public static bool Accepts(GuestType declared) => declared is GuestType.Bytes or GuestType.String;

    public void Receive(NativeValue* result)
    {
        ReadOnlySpan<byte> view = Codec.Read<ReadOnlySpan<byte>>(result);
        Size = view.Length;
        if (view.Length <= _destination.Length)
        {
            view.CopyTo(_destination);
        }
    }

    /// <summary>How much was written.</summary>
    /// <exception cref="ArgumentException">The buffer was too small.</exception>
    public readonly int Written() =>
        Size <= _destination.Length
            ? Size
            : throw new ArgumentException(
                $"The result has {Size} bytes, the buffer {_destination.Length}. The call itself went well.",
                "destination");
}

internal unsafe struct WriterReceiver(IBufferWriter<byte> destination) : IReceiver
{
    public static string Wanted => "bytes or a string";

    public static bool Accepts(GuestType declared) => declared is GuestType.Bytes or GuestType.String;

    public readonly void Receive(NativeValue* result) =>
        destination.Write(Codec.Read<ReadOnlySpan<byte>>(result));
}

/// <summary>Lends the view itself; the sandbox is busy meanwhile, so nothing can end the view.</summary>
internal unsafe ref struct LendingReceiver<TState, TOut>(TState state, GuestResultReader<TState, TOut> reader)
    : IReceiver
    where TState : allows ref struct
{
    private readonly TState _state = state;

    public TOut? Value { get; private set; }

    public static string Wanted => "bytes or a string";

    public static bool Accepts(GuestType declared) => declared is GuestType.Bytes or GuestType.String;

    public void Receive(NativeValue* result) =>
        Value = reader(Codec.Read<ReadOnlySpan<byte>>(result), _state);
}
