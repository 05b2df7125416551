// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Glint.Native;

namespace Glint;

/// <summary>The functions that guests may call. Fill it from one thread, before the first sandbox is made
/// with it; sandboxes hold on to it, so that it may be disposed of first.
/// <para>A function is called on the thread that called the guest, while that waits; with sandboxes on
/// several threads, on several at once. It may call other sandboxes; the one that called it is busy. Its
/// parameters and its result are of <see cref="bool"/>, <see cref="int"/>, <see cref="uint"/>,
/// <see cref="long"/>, <see cref="ulong"/>, <see cref="float"/>, <see cref="double"/>, <see cref="string"/>,
/// an array of <see cref="byte"/>, or <c>ReadOnlySpan&lt;byte&gt;</c>, which as a parameter is a view that
/// ends with the call. A last parameter of type <see cref="System.Threading.CancellationToken"/> is no
/// argument of the guest's: it is cancelled when the guest's call is to end.</para>
/// <para>When it throws, the guest receives an error value: what a <see cref="HostErrorException"/> says, or
/// else just <see cref="SandboxErrorCode.HostFunction"/>. The exception comes out of the outermost call of
/// the guest, if that fails, as an inner exception.</para></summary>
public sealed unsafe partial class HostFunctions : IDisposable
{
    // The native side refers to these by weak handles (Callbacks): the list, shared with the handles of the
    // sandboxes, is what keeps them.
    private readonly List<HostFunction> _functions = [];

    /// <summary>Makes an empty set.</summary>
    /// <exception cref="NativeLibraryException">libglint.so is missing or of another version.</exception>
    public HostFunctions()
    {
        LibraryCheck.Ensure();
        Handle = new HostFunctionsHandle(_functions);
        nint functions = 0;
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.HostFunctionsCreate(&functions, &error), error);
        Handle.Initialize(functions);
    }

    internal HostFunctionsHandle Handle { get; }

    /// <summary>Adds a function in its low-level form, which allocates nothing.</summary>
    /// <param name="name">1 to 63 bytes of UTF-8.</param>
    /// <param name="signature">Its result and its parameters.</param>
    /// <param name="callback">The function.</param>
    /// <param name="released">Runs once on the thread pool when the function can be called no more: this set
    /// and all sandboxes with it are gone, or adding has failed. What it throws is an unobserved exception of
    /// a task.</param>
    /// <returns>This set.</returns>
    /// <exception cref="SandboxException">The name is bad or there already, or a sandbox has the
    /// set.</exception>
    public HostFunctions Add(string name, GuestSignature signature, HostFunctionCallback callback,
        Action? released = null)
    {
        ArgumentNullException.ThrowIfNull(signature);
        ArgumentNullException.ThrowIfNull(callback);
        return Add(new CallbackHostFunction(name, signature, callback) { Released = released });
    }

    /// <summary>Gives up the set. Sandboxes that have it go on working.</summary>
    public void Dispose() => Handle.Dispose();

    private HostFunctions Add(HostFunction function)
    {
        ArgumentNullException.ThrowIfNull(function.Name, "name");
        using HandleLease lease = new(Handle); // from here on it cannot be disposed of
        using NativeTexts texts = new();
        NativeStr name = texts.Add(function.Name);
        nint error = 0;
        int status;
        fixed (GuestType* parameters = function.Signature.Types)
        {
            // From here on the native side frees it, also when adding fails. It must be in the list before: a
            // finalizer may need it.
            _functions.Add(function);
            nint userData = Callbacks.Refer(function);
            status = NativeMethods.HostFunctionsAdd(Handle, name, (uint)function.Signature.Result,
                (uint*)parameters, (uint)function.Signature.Types.Length, &Trampolines.HostFunction, userData,
                &Trampolines.DestroyHostFunction, &error);
        }

        if (status != NativeConstants.Ok)
        {
            _functions.Remove(function);
        }

        Failure.ThrowIfFailed(status, error);
        return this;
    }
}
