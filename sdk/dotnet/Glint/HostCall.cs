// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Glint.Native;

#pragma warning disable CS8500 // A pointer to a managed type: to a local, which does not move.

namespace Glint;

/// <summary>A host function in its low-level form: it reads its arguments from `call`, and returns with one
/// of its Return methods. It allocates nothing by itself. What it throws comes out of the outermost call of
/// the guest, as the inner exception of a <see cref="HostFunctionException"/>.</summary>
/// <param name="call">The call; it cannot be kept.</param>
public delegate void HostFunctionCallback(HostCall call);

/// <summary>One call of a host function: its arguments, and the way to return. Spans are views of memory that
/// cannot change during the call, and end with it.</summary>
public readonly unsafe ref struct HostCall
{
    private readonly ref HostCallFrame _frame;

    internal HostCall(ref HostCallFrame frame) => _frame = ref frame;

    /// <summary>How many arguments there are: as many as the signature says.</summary>
    public int ArgumentCount => _frame.Count;

    /// <summary>Cancelled when the call that the guest is in is to end, because it was cancelled or its time
    /// is over. Nothing that the host function returns is seen by the guest then: it should end soon. What is
    /// registered with the token runs on the thread pool.</summary>
    public CancellationToken CancellationToken => _frame.GetToken();

    /// <summary>Whether the call that the guest is in is to end. Costs less than
    /// <see cref="CancellationToken"/>, for host functions that look from time to time.</summary>
    public bool IsEnding => _frame.IsEnding;

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.Boolean"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public bool GetBoolean(int index) => Argument<bool>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.Int32"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public int GetInt32(int index) => Argument<int>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.UInt32"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public uint GetUInt32(int index) => Argument<uint>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.Int64"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public long GetInt64(int index) => Argument<long>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.UInt64"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public ulong GetUInt64(int index) => Argument<ulong>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.Single"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public float GetSingle(int index) => Argument<float>(index);

    /// <summary>The argument at `index`, which is declared <see cref="GuestType.Double"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public double GetDouble(int index) => Argument<double>(index);

    /// <summary>A copy of the argument at `index`, which is declared
    /// <see cref="GuestType.String"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The argument.</returns>
    public string GetString(int index) => Argument<string>(index);

    /// <summary>A view of the argument at `index`, which is declared <see cref="GuestType.String"/>: UTF-8
    /// that was checked.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The view; it ends with the host call.</returns>
    public ReadOnlySpan<byte> GetUtf8(int index) =>
        Codec.Read<ReadOnlySpan<byte>>(At(index, GuestType.String));

    /// <summary>A view of the argument at `index`, which is declared <see cref="GuestType.Bytes"/>.</summary>
    /// <param name="index">Counts from 0.</param>
    /// <returns>The view; it ends with the host call.</returns>
    public ReadOnlySpan<byte> GetBytes(int index) => Argument<ReadOnlySpan<byte>>(index);

    /// <summary>Returns a <see cref="GuestType.Boolean"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(bool value) => ReturnScalar(value);

    /// <summary>Returns an <see cref="GuestType.Int32"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(int value) => ReturnScalar(value);

    /// <summary>Returns a <see cref="GuestType.UInt32"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(uint value) => ReturnScalar(value);

    /// <summary>Returns an <see cref="GuestType.Int64"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(long value) => ReturnScalar(value);

    /// <summary>Returns a <see cref="GuestType.UInt64"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(ulong value) => ReturnScalar(value);

    /// <summary>Returns a <see cref="GuestType.Single"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(float value) => ReturnScalar(value);

    /// <summary>Returns a <see cref="GuestType.Double"/>.</summary>
    /// <param name="value">The result.</param>
    public void Return(double value) => ReturnScalar(value);

    /// <summary>Returns a <see cref="GuestType.String"/>.</summary>
    /// <param name="value">The result; it is encoded in place.</param>
    public void Return(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        RequireResult(GuestType.String);
        Text.Utf8.GetBytes(value, _frame.Reserve(Text.Utf8.GetByteCount(value)));
    }

    /// <summary>Returns <see cref="GuestType.Bytes"/>, or a <see cref="GuestType.String"/> that is UTF-8
    /// already.</summary>
    /// <param name="value">The result; it is copied.</param>
    public void Return(ReadOnlySpan<byte> value)
    {
        fixed (byte* data = value)
        {
            NativeValue native = new()
            {
                Type = (uint)PayloadType(),
                Data = data,
                Size = (ulong)value.Length,
            };
            _frame.Return(&native);
        }
    }

    /// <summary>Instead of Return: room for <see cref="GuestType.Bytes"/> or UTF-8, to be written in place,
    /// without a copy.</summary>
    /// <param name="size">How many bytes the result has.</param>
    /// <returns>The room; it ends with the host call.</returns>
    public Span<byte> Reserve(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        PayloadType();
        return _frame.Reserve(size);
    }

    internal T Argument<T>(int index)
        where T : allows ref struct => Codec.Read<T>(At(index, Codec.TypeOf<T>()));

    /// <summary>The same for one whose place and type the signature was made of: there is nothing to check. A
    /// cancellation token is no argument, and comes last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal T TypedArgument<T>(int index)
        where T : allows ref struct
    {
        if (Codec.IsToken<T>())
        {
            CancellationToken token = _frame.GetToken();
            return Codec.Reinterpret<CancellationToken, T>(&token);
        }

        return Codec.Read<T>(_frame.Arguments + index);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void TypedReturn<T>(T value)
        where T : allows ref struct
    {
        if (Codec.HasPayload<T>())
        {
            ReturnPayload(value);
            return;
        }

        NativeValue native;
        Codec.Write(&native, ref value, null, 0);
        _frame.Return(&native);
    }

    private void ReturnPayload<T>(T value)
        where T : allows ref struct
    {
        using Payload payload = Payload.Of(ref value);
        fixed (byte* data = payload.Data)
        {
            NativeValue native;
            Codec.Write(&native, ref value, data, payload.Data.Length);
            _frame.Return(&native);
        }
    }

    private NativeValue* At(int index, GuestType type)
    {
        if ((uint)index >= (uint)_frame.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index,
                $"The host function has {_frame.Count} parameters.");
        }

        NativeValue* argument = _frame.Arguments + index;
        return argument->Type == (uint)type
            ? argument
            : throw new InvalidCastException(
                $"Argument {index} is declared {(GuestType)argument->Type}; it was read as {type}.");
    }

    private void ReturnScalar<T>(T value)
        where T : unmanaged
    {
        RequireResult(Codec.TypeOf<T>());
        TypedReturn(value);
    }

    private void RequireResult(GuestType type)
    {
        if (_frame.Result != type)
        {
            throw new InvalidCastException($"The result is declared {_frame.Result}; {type} was returned.");
        }
    }

    private GuestType PayloadType() =>
        _frame.Result is GuestType.String or GuestType.Bytes
            ? _frame.Result
            : throw new InvalidCastException($"The result is declared {_frame.Result}; bytes were returned.");
}
