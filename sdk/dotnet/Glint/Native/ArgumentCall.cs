// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint.Native;

/// <summary>A call with arguments that are known at run time only. The memory of strings and bytes is pinned
/// by recursion, one level for each of them, since <c>fixed</c> needs a fixed number: this neither allocates
/// nor copies, and there are 32 levels at most.</summary>
/// <param name="sandbox">The sandbox.</param>
/// <param name="function">A function of its image.</param>
/// <param name="values">Room for as many arguments as the function has parameters.</param>
/// <param name="options">What can end the call.</param>
internal readonly unsafe struct ArgumentCall(Sandbox sandbox, GuestFunctionInfo function, NativeValue* values,
    CallOptions options)
{
    private readonly NativeValue* _values = values;

    public void Run<TReceiver>(scoped ReadOnlySpan<GuestArgument> arguments, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct => RunFrom(0, arguments, ref receiver);

    private void RunFrom<TReceiver>(int position, scoped ReadOnlySpan<GuestArgument> arguments,
        scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        for (; position < arguments.Length; position++)
        {
            ref readonly GuestArgument argument = ref arguments[position];
            if (argument.HasPayload)
            {
                RunWithPayload(position, arguments, ref receiver);
                return;
            }

            argument.Write(_values + position, function, position, null, 0);
        }

        sandbox.CallNative(function.Number, _values, (uint)arguments.Length, options, ref receiver);
    }

    private void RunWithPayload<TReceiver>(int position, scoped ReadOnlySpan<GuestArgument> arguments,
        scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        ref readonly GuestArgument argument = ref arguments[position];
        using Payload payload = argument.GetPayload();
        fixed (byte* data = payload.Data)
        {
            argument.Write(_values + position, function, position, data, payload.Data.Length);
            RunFrom(position + 1, arguments, ref receiver);
        }
    }
}
