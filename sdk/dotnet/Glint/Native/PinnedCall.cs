// SPDX-License-Identifier: Apache-2.0
// One method for each number of arguments, because `fixed` needs a fixed number of variables.
namespace Glint.Native;

/// <summary>Calls with arguments some of which come with memory of their own: spans and arrays are pinned,
/// strings are encoded into pooled buffers.</summary>
internal static unsafe class PinnedCall
{
    public static void Run<T1, TReceiver>(Sandbox sandbox, uint function, T1 a1, in CallOptions options,
        scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue* values = stackalloc NativeValue[1];
        using Payload p1 = Payload.Of(ref a1);
        fixed (byte* d1 = p1.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            sandbox.CallNative(function, values, 1, options, ref receiver);
        }
    }

    public static void Run<T1, T2, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2,
        in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue* values = stackalloc NativeValue[2];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        fixed (byte* d1 = p1.Data, d2 = p2.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            sandbox.CallNative(function, values, 2, options, ref receiver);
        }
    }

    public static void Run<T1, T2, T3, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2, T3 a3,
        in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue* values = stackalloc NativeValue[3];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            sandbox.CallNative(function, values, 3, options, ref receiver);
        }
    }

    public static void Run<T1, T2, T3, T4, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2, T3 a3,
        T4 a4, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue* values = stackalloc NativeValue[4];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        using Payload p4 = Payload.Of(ref a4);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data, d4 = p4.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            Codec.Write(values + 3, ref a4, d4, p4.Data.Length);
            sandbox.CallNative(function, values, 4, options, ref receiver);
        }
    }

    public static void Run<T1, T2, T3, T4, T5, TReceiver>(Sandbox sandbox, uint function, T1 a1, T2 a2,
        T3 a3, T4 a4, T5 a5, in CallOptions options, scoped ref TReceiver receiver)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue* values = stackalloc NativeValue[5];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        using Payload p4 = Payload.Of(ref a4);
        using Payload p5 = Payload.Of(ref a5);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data, d4 = p4.Data, d5 = p5.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            Codec.Write(values + 3, ref a4, d4, p4.Data.Length);
            Codec.Write(values + 4, ref a5, d5, p5.Data.Length);
            sandbox.CallNative(function, values, 5, options, ref receiver);
        }
    }

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
        NativeValue* values = stackalloc NativeValue[6];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        using Payload p4 = Payload.Of(ref a4);
        using Payload p5 = Payload.Of(ref a5);
        using Payload p6 = Payload.Of(ref a6);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data, d4 = p4.Data, d5 = p5.Data, d6 = p6.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            Codec.Write(values + 3, ref a4, d4, p4.Data.Length);
            Codec.Write(values + 4, ref a5, d5, p5.Data.Length);
            Codec.Write(values + 5, ref a6, d6, p6.Data.Length);
            sandbox.CallNative(function, values, 6, options, ref receiver);
        }
    }

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
        NativeValue* values = stackalloc NativeValue[7];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        using Payload p4 = Payload.Of(ref a4);
        using Payload p5 = Payload.Of(ref a5);
        using Payload p6 = Payload.Of(ref a6);
        using Payload p7 = Payload.Of(ref a7);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data, d4 = p4.Data, d5 = p5.Data, d6 = p6.Data,
            d7 = p7.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            Codec.Write(values + 3, ref a4, d4, p4.Data.Length);
            Codec.Write(values + 4, ref a5, d5, p5.Data.Length);
            Codec.Write(values + 5, ref a6, d6, p6.Data.Length);
            Codec.Write(values + 6, ref a7, d7, p7.Data.Length);
            sandbox.CallNative(function, values, 7, options, ref receiver);
        }
    }

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
        NativeValue* values = stackalloc NativeValue[8];
        using Payload p1 = Payload.Of(ref a1);
        using Payload p2 = Payload.Of(ref a2);
        using Payload p3 = Payload.Of(ref a3);
        using Payload p4 = Payload.Of(ref a4);
        using Payload p5 = Payload.Of(ref a5);
        using Payload p6 = Payload.Of(ref a6);
        using Payload p7 = Payload.Of(ref a7);
        using Payload p8 = Payload.Of(ref a8);
        fixed (byte* d1 = p1.Data, d2 = p2.Data, d3 = p3.Data, d4 = p4.Data, d5 = p5.Data, d6 = p6.Data,
            d7 = p7.Data, d8 = p8.Data)
        {
            Codec.Write(values, ref a1, d1, p1.Data.Length);
            Codec.Write(values + 1, ref a2, d2, p2.Data.Length);
            Codec.Write(values + 2, ref a3, d3, p3.Data.Length);
            Codec.Write(values + 3, ref a4, d4, p4.Data.Length);
            Codec.Write(values + 4, ref a5, d5, p5.Data.Length);
            Codec.Write(values + 5, ref a6, d6, p6.Data.Length);
            Codec.Write(values + 6, ref a7, d7, p7.Data.Length);
            Codec.Write(values + 7, ref a8, d8, p8.Data.Length);
            sandbox.CallNative(function, values, 8, options, ref receiver);
        }
    }
}
