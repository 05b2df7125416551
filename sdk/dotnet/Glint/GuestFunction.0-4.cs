// SPDX-License-Identifier: Apache-2.0
// One class for each number of parameters, as Func has them.
using System;
using System.Buffers;
using Glint.Native;

namespace Glint;

/// <summary>A function of one sandbox with no parameters and a result: calls cost no look-up and allocate
/// nothing but a result that is a string or an array.</summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class GuestFunction<TResult> : GuestFunction
{
    internal GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>The result.</returns>
    public TResult Invoke(CallOptions options = default)
    {
        ValueReceiver<TResult> receiver = default;
        TypedCall.Run(Sandbox, Number, options, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls the function, and copies its result, which is bytes or UTF-8, to a buffer.</summary>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    public int InvokeInto(Span<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        SpanReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, options, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls the function, and appends its result, which is bytes or UTF-8, to a writer.</summary>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void InvokeInto(IBufferWriter<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        WriterReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, options, ref receiver);
    }

    /// <summary>Calls the function, and lends its result, which is bytes or UTF-8, to `reader`, without a
    /// copy. The sandbox is busy until that returns.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TOut">What the reader makes of the result.</typeparam>
    /// <param name="state">Handed on to the reader.</param>
    /// <param name="reader">Reads the result.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>What the reader returned.</returns>
    public TOut InvokeWith<TState, TOut>(TState state, GuestResultReader<TState, TOut> reader,
        CallOptions options = default)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(reader);
        RequirePayload<TResult>();
        LendingReceiver<TState, TOut> receiver = new(state, reader);
        TypedCall.Run(Sandbox, Number, options, ref receiver);
        return receiver.Value!;
    }
}

/// <summary>A function of one sandbox with one parameter and a result: calls cost no look-up and allocate
/// nothing but a result that is a string or an array.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class GuestFunction<T1, TResult> : GuestFunction
    where T1 : allows ref struct
{
    internal GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>The result.</returns>
    public TResult Invoke(T1 a1, CallOptions options = default)
    {
        ValueReceiver<TResult> receiver = default;
        TypedCall.Run(Sandbox, Number, a1, options, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls the function, and copies its result, which is bytes or UTF-8, to a buffer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    public int InvokeInto(T1 a1, Span<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        SpanReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, options, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls the function, and appends its result, which is bytes or UTF-8, to a writer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void InvokeInto(T1 a1, IBufferWriter<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        WriterReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, options, ref receiver);
    }

    /// <summary>Calls the function, and lends its result, which is bytes or UTF-8, to `reader`, without a
    /// copy. The sandbox is busy until that returns.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TOut">What the reader makes of the result.</typeparam>
    /// <param name="a1">The first argument.</param>
    /// <param name="state">Handed on to the reader.</param>
    /// <param name="reader">Reads the result.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>What the reader returned.</returns>
    public TOut InvokeWith<TState, TOut>(T1 a1, TState state, GuestResultReader<TState, TOut> reader,
        CallOptions options = default)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(reader);
        RequirePayload<TResult>();
        LendingReceiver<TState, TOut> receiver = new(state, reader);
        TypedCall.Run(Sandbox, Number, a1, options, ref receiver);
        return receiver.Value!;
    }
}

/// <summary>A function of one sandbox with two parameters and a result: calls cost no look-up and allocate
/// nothing but a result that is a string or an array.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class GuestFunction<T1, T2, TResult> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
{
    internal GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>The result.</returns>
    public TResult Invoke(T1 a1, T2 a2, CallOptions options = default)
    {
        ValueReceiver<TResult> receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, options, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls the function, and copies its result, which is bytes or UTF-8, to a buffer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    public int InvokeInto(T1 a1, T2 a2, Span<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        SpanReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, options, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls the function, and appends its result, which is bytes or UTF-8, to a writer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void InvokeInto(T1 a1, T2 a2, IBufferWriter<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        WriterReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, options, ref receiver);
    }

    /// <summary>Calls the function, and lends its result, which is bytes or UTF-8, to `reader`, without a
    /// copy. The sandbox is busy until that returns.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TOut">What the reader makes of the result.</typeparam>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="state">Handed on to the reader.</param>
    /// <param name="reader">Reads the result.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>What the reader returned.</returns>
    public TOut InvokeWith<TState, TOut>(T1 a1, T2 a2, TState state, GuestResultReader<TState, TOut> reader,
        CallOptions options = default)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(reader);
        RequirePayload<TResult>();
        LendingReceiver<TState, TOut> receiver = new(state, reader);
        TypedCall.Run(Sandbox, Number, a1, a2, options, ref receiver);
        return receiver.Value!;
    }
}

/// <summary>A function of one sandbox with three parameters and a result: calls cost no look-up and allocate
/// nothing but a result that is a string or an array.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class GuestFunction<T1, T2, T3, TResult> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
{
    internal GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>The result.</returns>
    public TResult Invoke(T1 a1, T2 a2, T3 a3, CallOptions options = default)
    {
        ValueReceiver<TResult> receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, options, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls the function, and copies its result, which is bytes or UTF-8, to a buffer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    public int InvokeInto(T1 a1, T2 a2, T3 a3, Span<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        SpanReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, options, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls the function, and appends its result, which is bytes or UTF-8, to a writer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void InvokeInto(T1 a1, T2 a2, T3 a3, IBufferWriter<byte> destination,
        CallOptions options = default)
    {
        RequirePayload<TResult>();
        WriterReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, options, ref receiver);
    }

    /// <summary>Calls the function, and lends its result, which is bytes or UTF-8, to `reader`, without a
    /// copy. The sandbox is busy until that returns.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TOut">What the reader makes of the result.</typeparam>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="state">Handed on to the reader.</param>
    /// <param name="reader">Reads the result.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>What the reader returned.</returns>
    public TOut InvokeWith<TState, TOut>(T1 a1, T2 a2, T3 a3, TState state,
        GuestResultReader<TState, TOut> reader, CallOptions options = default)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(reader);
        RequirePayload<TResult>();
        LendingReceiver<TState, TOut> receiver = new(state, reader);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, options, ref receiver);
        return receiver.Value!;
    }
}

/// <summary>A function of one sandbox with four parameters and a result: calls cost no look-up and allocate
/// nothing but a result that is a string or an array.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class GuestFunction<T1, T2, T3, T4, TResult> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
{
    internal GuestFunction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>The result.</returns>
    public TResult Invoke(T1 a1, T2 a2, T3 a3, T4 a4, CallOptions options = default)
    {
        ValueReceiver<TResult> receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, options, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls the function, and copies its result, which is bytes or UTF-8, to a buffer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    public int InvokeInto(T1 a1, T2 a2, T3 a3, T4 a4, Span<byte> destination, CallOptions options = default)
    {
        RequirePayload<TResult>();
        SpanReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, options, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls the function, and appends its result, which is bytes or UTF-8, to a writer.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void InvokeInto(T1 a1, T2 a2, T3 a3, T4 a4, IBufferWriter<byte> destination,
        CallOptions options = default)
    {
        RequirePayload<TResult>();
        WriterReceiver receiver = new(destination);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, options, ref receiver);
    }

    /// <summary>Calls the function, and lends its result, which is bytes or UTF-8, to `reader`, without a
    /// copy. The sandbox is busy until that returns.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TOut">What the reader makes of the result.</typeparam>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="state">Handed on to the reader.</param>
    /// <param name="reader">Reads the result.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <returns>What the reader returned.</returns>
    public TOut InvokeWith<TState, TOut>(T1 a1, T2 a2, T3 a3, T4 a4, TState state,
        GuestResultReader<TState, TOut> reader, CallOptions options = default)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(reader);
        RequirePayload<TResult>();
        LendingReceiver<TState, TOut> receiver = new(state, reader);
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, options, ref receiver);
        return receiver.Value!;
    }
}
