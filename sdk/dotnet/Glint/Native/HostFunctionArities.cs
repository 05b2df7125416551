// SPDX-License-Identifier: Apache-2.0
// One class for each number of parameters; all of them read their arguments by type and call a delegate.
using System;

namespace Glint.Native;

internal sealed class ActionHostFunction(string name, GuestSignature signature, Action function)
    : HostFunction(name, signature)
{
    protected override void Invoke(HostCall call) =>
        function();
}

internal sealed class FuncHostFunction<TResult>(string name, GuestSignature signature, Func<TResult> function)
    : HostFunction(name, signature)
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function());
}

internal sealed class ActionHostFunction<T1>(string name, GuestSignature signature, Action<T1> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(call.TypedArgument<T1>(0));
}

internal sealed class FuncHostFunction<T1, TResult>(string name, GuestSignature signature,
    Func<T1, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(call.TypedArgument<T1>(0)));
}

internal sealed class ActionHostFunction<T1, T2>(string name, GuestSignature signature,
    Action<T1, T2> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(call.TypedArgument<T1>(0), call.TypedArgument<T2>(1));
}

internal sealed class FuncHostFunction<T1, T2, TResult>(string name, GuestSignature signature,
    Func<T1, T2, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(call.TypedArgument<T1>(0), call.TypedArgument<T2>(1)));
}

internal sealed class ActionHostFunction<T1, T2, T3>(string name, GuestSignature signature,
    Action<T1, T2, T3> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2));
}

internal sealed class FuncHostFunction<T1, T2, T3, TResult>(string name, GuestSignature signature,
    Func<T1, T2, T3, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2)));
}

internal sealed class ActionHostFunction<T1, T2, T3, T4>(string name, GuestSignature signature,
    Action<T1, T2, T3, T4> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3));
}

internal sealed class FuncHostFunction<T1, T2, T3, T4, TResult>(string name, GuestSignature signature,
    Func<T1, T2, T3, T4, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3)));
}

internal sealed class ActionHostFunction<T1, T2, T3, T4, T5>(string name, GuestSignature signature,
    Action<T1, T2, T3, T4, T5> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4));
}

internal sealed class FuncHostFunction<T1, T2, T3, T4, T5, TResult>(string name, GuestSignature signature,
    Func<T1, T2, T3, T4, T5, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4)));
}

internal sealed class ActionHostFunction<T1, T2, T3, T4, T5, T6>(string name, GuestSignature signature,
    Action<T1, T2, T3, T4, T5, T6> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5));
}

internal sealed class FuncHostFunction<T1, T2, T3, T4, T5, T6, TResult>(string name, GuestSignature signature,
    Func<T1, T2, T3, T4, T5, T6, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5)));
}

internal sealed class ActionHostFunction<T1, T2, T3, T4, T5, T6, T7>(string name, GuestSignature signature,
    Action<T1, T2, T3, T4, T5, T6, T7> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5),
            call.TypedArgument<T7>(6));
}

internal sealed class FuncHostFunction<T1, T2, T3, T4, T5, T6, T7, TResult>(string name,
    GuestSignature signature, Func<T1, T2, T3, T4, T5, T6, T7, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5),
            call.TypedArgument<T7>(6)));
}

internal sealed class ActionHostFunction<T1, T2, T3, T4, T5, T6, T7, T8>(string name,
    GuestSignature signature, Action<T1, T2, T3, T4, T5, T6, T7, T8> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
    where T8 : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5),
            call.TypedArgument<T7>(6), call.TypedArgument<T8>(7));
}

internal sealed class FuncHostFunction<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(string name,
    GuestSignature signature, Func<T1, T2, T3, T4, T5, T6, T7, T8, TResult> function)
    : HostFunction(name, signature)
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
    where T8 : allows ref struct
    where TResult : allows ref struct
{
    protected override void Invoke(HostCall call) =>
        call.TypedReturn(function(
            call.TypedArgument<T1>(0), call.TypedArgument<T2>(1), call.TypedArgument<T3>(2),
            call.TypedArgument<T4>(3), call.TypedArgument<T5>(4), call.TypedArgument<T6>(5),
            call.TypedArgument<T7>(6), call.TypedArgument<T8>(7)));
}
