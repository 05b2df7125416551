// SPDX-License-Identifier: Apache-2.0
// One method for each number of arguments, as Func has them.
using System.Runtime.CompilerServices;

namespace Glint.Native;

/// <summary>Calls with arguments whose types are known when the program is compiled: nothing is allocated.
/// Those without memory of their own are just written down, in the caller's frame (see
/// <see cref="Sandbox.CallNative{TReceiver}"/>); the compiler of the run time drops the branch that is not
/// taken.</summary>
internal static unsafe class TypedCall
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TReceiver>(Sandbox sandbox, uint function, in CallOptions options,
        scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        sandbox.CallNative(function, null, 0, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, TReceiver>(Sandbox sandbox, uint function, T1 a1, in CallOptions options,
        scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>())
        {
            PinnedCall.Run(sandbox, function, a1, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        sandbox.CallNative(function, values, 1, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2,
        in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        sandbox.CallNative(function, values, 2, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2, T3 a3,
        in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        sandbox.CallNative(function, values, 3, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, T4, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2, T3 a3,
        T4 a4, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>()
            || Codec.HasPayload<T4>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, a4, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        Codec.Write(values + 3, ref a4, null, 0);
        sandbox.CallNative(function, values, 4, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, T4, T5, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2, T3 a3,
        T4 a4, T5 a5, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>()
            || Codec.HasPayload<T4>() || Codec.HasPayload<T5>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, a4, a5, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        Codec.Write(values + 3, ref a4, null, 0);
        Codec.Write(values + 4, ref a5, null, 0);
        sandbox.CallNative(function, values, 5, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, T4, T5, T6, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2,
        T3 a3, T4 a4, T5 a5, T6 a6, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>()
            || Codec.HasPayload<T4>() || Codec.HasPayload<T5>() || Codec.HasPayload<T6>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, a4, a5, a6, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        Codec.Write(values + 3, ref a4, null, 0);
        Codec.Write(values + 4, ref a5, null, 0);
        Codec.Write(values + 5, ref a6, null, 0);
        sandbox.CallNative(function, values, 6, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, T4, T5, T6, T7, TReceiver>(Sandbox sandbox, uint function, T1 a1,
        T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>()
            || Codec.HasPayload<T4>() || Codec.HasPayload<T5>() || Codec.HasPayload<T6>()
            || Codec.HasPayload<T7>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, a4, a5, a6, a7, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        Codec.Write(values + 3, ref a4, null, 0);
        Codec.Write(values + 4, ref a5, null, 0);
        Codec.Write(values + 5, ref a6, null, 0);
        Codec.Write(values + 6, ref a7, null, 0);
        sandbox.CallNative(function, values, 7, options, ref receiver);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<T1, T2, T3, T4, T5, T6, T7, T8, TReceiver>(Sandbox sandbox, uint function, T1 a1,
        T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, in CallOptions options,
        scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (Codec.HasPayload<T1>() || Codec.HasPayload<T2>() || Codec.HasPayload<T3>()
            || Codec.HasPayload<T4>() || Codec.HasPayload<T5>() || Codec.HasPayload<T6>()
            || Codec.HasPayload<T7>() || Codec.HasPayload<T8>())
        {
            PinnedCall.Run(sandbox, function, a1, a2, a3, a4, a5, a6, a7, a8, options, ref receiver);
            return;
        }

        NativeArguments arguments;
        NativeValue* values = (NativeValue*)&arguments;
        Codec.Write(values, ref a1, null, 0);
        Codec.Write(values + 1, ref a2, null, 0);
        Codec.Write(values + 2, ref a3, null, 0);
        Codec.Write(values + 3, ref a4, null, 0);
        Codec.Write(values + 4, ref a5, null, 0);
        Codec.Write(values + 5, ref a6, null, 0);
        Codec.Write(values + 6, ref a7, null, 0);
        Codec.Write(values + 7, ref a8, null, 0);
        sandbox.CallNative(function, values, 8, options, ref receiver);
    }
}

/// <summary>Room for the arguments of one call. Unlike memory of <c>stackalloc</c>, it does not keep a method
/// from being inlined; only what is used of it is written.</summary>
[InlineArray(8)]
internal struct NativeArguments
{
    private NativeValue _first;
}
