// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Glint.Native;

/// <summary>What a trampoline finds behind its user data: a function of the host program.</summary>
internal abstract class HostFunction(string name, GuestSignature signature)
{
    public string Name { get; } = name;

    public GuestSignature Signature { get; } = signature;

    /// <summary>What to run when the function can be called no more, or null.</summary>
    public Action? Released { get; init; }

    public void Run(ref HostCallFrame frame)
    {
        frame.Result = Signature.Result;
        Invoke(new HostCall(ref frame));
        if (Signature.Result != GuestType.Void && !frame.HasReturned)
        {
            throw new InvalidOperationException(
                $"The host function \"{Name}\" ended without a result, which is declared {Signature.Result}.");
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
}

/// <summary>The low-level form.</summary>
internal sealed class CallbackHostFunction(string name, GuestSignature signature,
    HostFunctionCallback callback)
    : HostFunction(name, signature)
{
    protected override void Invoke(HostCall call) => callback(call);
}
