// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Glint.Native;

/// <summary>What a trampoline finds behind its user data: a function of the host program.</summary>
internal abstract class HostFunction(string name, GuestSignature signature)
{
    private readonly GuestType _result = signature.Result; // here for Run

    public string Name { get; } = name;

    public GuestSignature Signature { get; } = signature;

    /// <summary>What to run when the function can be called no more, or null.</summary>
    public Action? Released { get; init; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(ref HostCallFrame frame)
    {
        frame.Result = _result;
        Invoke(new HostCall(ref frame));
        if (_result != GuestType.Void && !frame.HasReturned)
        {
            FailWithoutResult();
        }
    }

    /// <summary>The native side is done with it. This may be the finalizer thread, and is inside of a call of
    /// the native library: the program's own code runs on the thread pool.</summary>
    public void Destroyed()
    {
        if (Released is { } released)
        {
            _ = Task.Run(released);
        }
    }

    protected abstract void Invoke(HostCall call);

    [DoesNotReturn]
    private void FailWithoutResult() => throw new InvalidOperationException(
        $"The host function \"{Name}\" ended without a result, which is declared {_result}.");
}

/// <summary>The low-level form.</summary>
internal sealed class CallbackHostFunction(string name, GuestSignature signature,
    HostFunctionCallback callback)
    : HostFunction(name, signature)
{
    protected override void Invoke(HostCall call) => callback(call);
}
