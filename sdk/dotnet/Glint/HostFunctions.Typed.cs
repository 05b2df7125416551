// SPDX-License-Identifier: Apache-2.0
// One method for each number of parameters, as Func and Action have them.
using System;
using Glint.Native;

namespace Glint;

public sealed partial class HostFunctions
{
    /// <summary>Adds a function with no parameters and no result.</summary>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add(string name, Action function)
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void).Build();
        return Add(new ActionHostFunction(name, signature, function));
    }

    /// <summary>Adds a function with no parameters and a result.</summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<TResult>(string name, Func<TResult> function)
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>()).Build();
        return Add(new FuncHostFunction<TResult>(name, signature, function));
    }

    /// <summary>Adds a function with one parameter and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1>(string name, Action<T1> function)
        where T1 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void).With<T1>().Build();
        return Add(new ActionHostFunction<T1>(name, signature, function));
    }

    /// <summary>Adds a function with one parameter and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, TResult>(string name, Func<T1, TResult> function)
        where T1 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>()).With<T1>().Build();
        return Add(new FuncHostFunction<T1, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with two parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2>(string name, Action<T1, T2> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().Build();
        return Add(new ActionHostFunction<T1, T2>(name, signature, function));
    }

    /// <summary>Adds a function with two parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, TResult>(string name, Func<T1, T2, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().Build();
        return Add(new FuncHostFunction<T1, T2, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with three parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3>(string name, Action<T1, T2, T3> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().Build();
        return Add(new ActionHostFunction<T1, T2, T3>(name, signature, function));
    }

    /// <summary>Adds a function with three parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, TResult>(string name, Func<T1, T2, T3, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with four parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4>(string name, Action<T1, T2, T3, T4> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().Build();
        return Add(new ActionHostFunction<T1, T2, T3, T4>(name, signature, function));
    }

    /// <summary>Adds a function with four parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, TResult>(string name, Func<T1, T2, T3, T4, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, T4, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with five parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5>(string name, Action<T1, T2, T3, T4, T5> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>().Build();
        return Add(new ActionHostFunction<T1, T2, T3, T4, T5>(name, signature, function));
    }

    /// <summary>Adds a function with five parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, TResult>(string name,
        Func<T1, T2, T3, T4, T5, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, T4, T5, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with six parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6>(string name, Action<T1, T2, T3, T4, T5, T6> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().Build();
        return Add(new ActionHostFunction<T1, T2, T3, T4, T5, T6>(name, signature, function));
    }

    /// <summary>Adds a function with six parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6, TResult>(string name,
        Func<T1, T2, T3, T4, T5, T6, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, T4, T5, T6, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with seven parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6, T7>(string name,
        Action<T1, T2, T3, T4, T5, T6, T7> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().Build();
        return Add(new ActionHostFunction<T1, T2, T3, T4, T5, T6, T7>(name, signature, function));
    }

    /// <summary>Adds a function with seven parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6, T7, TResult>(string name,
        Func<T1, T2, T3, T4, T5, T6, T7, TResult> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, T4, T5, T6, T7, TResult>(name, signature, function));
    }

    /// <summary>Adds a function with eight parameters and no result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="T8">The type of parameter 8; the last may be a cancellation token.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6, T7, T8>(string name,
        Action<T1, T2, T3, T4, T5, T6, T7, T8> function)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().With<T8>().Build();
        return Add(new ActionHostFunction<T1, T2, T3, T4, T5, T6, T7, T8>(name, signature, function));
    }

    /// <summary>Adds a function with eight parameters and a result.</summary>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="T8">The type of parameter 8; the last may be a cancellation token.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="function">The function.</param>
    /// <returns>This set.</returns>
    public HostFunctions Add<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(string name,
        Func<T1, T2, T3, T4, T5, T6, T7, T8, TResult> function)
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
        ArgumentNullException.ThrowIfNull(function);
        GuestSignature signature = SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().With<T8>().Build();
        return Add(new FuncHostFunction<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(name, signature, function));
    }
}
