// SPDX-License-Identifier: Apache-2.0
// One class for each number of parameters, as Action has them.
using Glint.Native;

namespace Glint;

/// <summary>A function of one sandbox with no parameters, whose result, if it has one, is dropped: calls cost
/// no look-up and allocate nothing.</summary>
public sealed class GuestAction : GuestFunction
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with one parameter, whose result, if it has one, is dropped: calls cost
/// no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
public sealed class GuestAction<T1> : GuestFunction
    where T1 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with two parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
public sealed class GuestAction<T1, T2> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with three parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with four parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3, T4> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, T4 a4, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with five parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
/// <typeparam name="T5">The type of the fifth parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3, T4, T5> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="a5">The fifth argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, a5, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with six parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
/// <typeparam name="T5">The type of the fifth parameter.</typeparam>
/// <typeparam name="T6">The type of the sixth parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3, T4, T5, T6> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="a5">The fifth argument.</param>
    /// <param name="a6">The sixth argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, a5, a6, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with seven parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
/// <typeparam name="T5">The type of the fifth parameter.</typeparam>
/// <typeparam name="T6">The type of the sixth parameter.</typeparam>
/// <typeparam name="T7">The type of the seventh parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3, T4, T5, T6, T7> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="a5">The fifth argument.</param>
    /// <param name="a6">The sixth argument.</param>
    /// <param name="a7">The seventh argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, a5, a6, a7, options, ref receiver);
    }
}

/// <summary>A function of one sandbox with eight parameters, whose result, if it has one, is dropped: calls
/// cost no look-up and allocate nothing.</summary>
/// <typeparam name="T1">The type of the first parameter.</typeparam>
/// <typeparam name="T2">The type of the second parameter.</typeparam>
/// <typeparam name="T3">The type of the third parameter.</typeparam>
/// <typeparam name="T4">The type of the fourth parameter.</typeparam>
/// <typeparam name="T5">The type of the fifth parameter.</typeparam>
/// <typeparam name="T6">The type of the sixth parameter.</typeparam>
/// <typeparam name="T7">The type of the seventh parameter.</typeparam>
/// <typeparam name="T8">The type of the eighth parameter.</typeparam>
public sealed class GuestAction<T1, T2, T3, T4, T5, T6, T7, T8> : GuestFunction
    where T1 : allows ref struct
    where T2 : allows ref struct
    where T3 : allows ref struct
    where T4 : allows ref struct
    where T5 : allows ref struct
    where T6 : allows ref struct
    where T7 : allows ref struct
    where T8 : allows ref struct
{
    internal GuestAction(Sandbox sandbox, GuestFunctionInfo info)
        : base(sandbox, info)
    {
    }

    /// <summary>Calls the function.</summary>
    /// <param name="a1">The first argument.</param>
    /// <param name="a2">The second argument.</param>
    /// <param name="a3">The third argument.</param>
    /// <param name="a4">The fourth argument.</param>
    /// <param name="a5">The fifth argument.</param>
    /// <param name="a6">The sixth argument.</param>
    /// <param name="a7">The seventh argument.</param>
    /// <param name="a8">The eighth argument.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    public void Invoke(T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8,
        CallOptions options = default)
    {
        NoReceiver receiver = default;
        TypedCall.Run(Sandbox, Number, a1, a2, a3, a4, a5, a6, a7, a8, options, ref receiver);
    }
}
