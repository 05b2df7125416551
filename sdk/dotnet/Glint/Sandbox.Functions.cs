// SPDX-License-Identifier: Apache-2.0
// Two methods for each number of parameters, as Func and Action have them.
using Glint.Native;

namespace Glint;

public sealed partial class Sandbox
{
    /// <summary>Finds a function with no parameters and a result, for many calls.</summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<TResult> GetFunction<TResult>(string name) =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())));

    /// <summary>Finds a function with no parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction GetAction(string name) =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)));

    /// <summary>Finds a function with one parameter and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, TResult> GetFunction<T1, TResult>(string name)
        where T1 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>()).With<T1>()));

    /// <summary>Finds a function with one parameter and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1> GetAction<T1>(string name)
        where T1 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void).With<T1>()));

    /// <summary>Finds a function with two parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, TResult> GetFunction<T1, T2, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>()).With<T1>().With<T2>()));

    /// <summary>Finds a function with two parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2> GetAction<T1, T2>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void).With<T1>().With<T2>()));

    /// <summary>Finds a function with three parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, TResult> GetFunction<T1, T2, T3, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>()));

    /// <summary>Finds a function with three parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3> GetAction<T1, T2, T3>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void).With<T1>().With<T2>().With<T3>()));

    /// <summary>Finds a function with four parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, T4, TResult> GetFunction<T1, T2, T3, T4, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>()));

    /// <summary>Finds a function with four parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3, T4> GetAction<T1, T2, T3, T4>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>()));

    /// <summary>Finds a function with five parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, T4, T5, TResult> GetFunction<T1, T2, T3, T4, T5, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()));

    /// <summary>Finds a function with five parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3, T4, T5> GetAction<T1, T2, T3, T4, T5>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()));

    /// <summary>Finds a function with six parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, T4, T5, T6, TResult>
        GetFunction<T1, T2, T3, T4, T5, T6, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>()));

    /// <summary>Finds a function with six parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3, T4, T5, T6> GetAction<T1, T2, T3, T4, T5, T6>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>()));

    /// <summary>Finds a function with seven parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <typeparam name="T7">The type of the seventh parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, T4, T5, T6, T7, TResult>
        GetFunction<T1, T2, T3, T4, T5, T6, T7, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>()));

    /// <summary>Finds a function with seven parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <typeparam name="T7">The type of the seventh parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3, T4, T5, T6, T7> GetAction<T1, T2, T3, T4, T5, T6, T7>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>()));

    /// <summary>Finds a function with eight parameters and a result, for many calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <typeparam name="T7">The type of the seventh parameter.</typeparam>
    /// <typeparam name="T8">The type of the eighth parameter.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestFunction<T1, T2, T3, T4, T5, T6, T7, T8, TResult>
        GetFunction<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(Codec.TypeOf<TResult>())
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().With<T8>()));

    /// <summary>Finds a function with eight parameters and no result, or one that is dropped, for many
    /// calls.</summary>
    /// <typeparam name="T1">The type of the first parameter.</typeparam>
    /// <typeparam name="T2">The type of the second parameter.</typeparam>
    /// <typeparam name="T3">The type of the third parameter.</typeparam>
    /// <typeparam name="T4">The type of the fourth parameter.</typeparam>
    /// <typeparam name="T5">The type of the fifth parameter.</typeparam>
    /// <typeparam name="T6">The type of the sixth parameter.</typeparam>
    /// <typeparam name="T7">The type of the seventh parameter.</typeparam>
    /// <typeparam name="T8">The type of the eighth parameter.</typeparam>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">The guest does not export such a function, or with other
    /// types.</exception>
    public GuestAction<T1, T2, T3, T4, T5, T6, T7, T8> GetAction<T1, T2, T3, T4, T5, T6, T7, T8>(string name)
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct =>
        new(this, Find(name, SignatureBuilder.Returning(GuestType.Void)
            .With<T1>().With<T2>().With<T3>().With<T4>().With<T5>()
            .With<T6>().With<T7>().With<T8>()));
}
