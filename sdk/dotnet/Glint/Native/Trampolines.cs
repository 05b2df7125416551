// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

/// <summary>What native code calls: one static method for each callback type. An exception must not reach
/// native frames, where it would end the process; so each body is one try block, after empty variables at
/// most, and none of the catch blocks can throw.</summary>
[SuppressMessage("Design", "CA1031:Do not catch general exception types",
    Justification = "No exception may unwind through native frames.")]
internal static unsafe class Trampolines
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int HostFunction(nint userData, nint call)
    {
        HostCallFrame frame = default;
        try
        {
            frame = new HostCallFrame(call);
            if (!Callbacks.TryGet(userData, out HostFunction? function))
            {
                // Only a finalizer that calls into an abandoned sandbox comes here.
                return (int)SandboxErrorCode.HostFunction;
            }

            function.Run(ref frame);
            return NativeConstants.Ok;
        }
        catch (Exception e)
        {
            return frame.Fail(e);
        }
        finally
        {
            frame.End();
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void DestroyHostFunction(nint userData)
    {
        try
        {
            if (Callbacks.TryGet(userData, out HostFunction? function))
            {
                function.Destroyed();
            }

            Callbacks.Release<HostFunction>(userData);
        }
        catch (Exception e)
        {
            Fatal(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void DestroyToken(nint token)
    {
        try
        {
            HostTokens.Destroy(token);
        }
        catch (Exception e)
        {
            Fatal(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Interrupt(nint number)
    {
        try
        {
            InterruptRelay.Notify(number);
        }
        catch (OutOfMemoryException)
        {
            // The host function is not told. Its call ends all the same when it returns.
        }
        catch (Exception e)
        {
            Fatal(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Output(nint userData, uint stream, void* data, ulong size)
    {
        SandboxCallbacks? callbacks = null;
        try
        {
            if (Callbacks.TryGet(userData, out callbacks))
            {
                callbacks.WriteOutput((GuestStream)stream, new ReadOnlySpan<byte>(data, checked((int)size)));
            }
        }
        catch (Exception e)
        {
            Failed(callbacks, e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static ulong Input(nint userData, void* buffer, ulong capacity)
    {
        SandboxCallbacks? callbacks = null;
        try
        {
            int room = (int)Math.Min(capacity, int.MaxValue);
            return Callbacks.TryGet(userData, out callbacks)
                ? (ulong)callbacks.ReadInput(new Span<byte>(buffer, room))
                : 0;
        }
        catch (Exception e)
        {
            Failed(callbacks, e);
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Trace(nint userData, NativeSyscall* call)
    {
        SandboxCallbacks? callbacks = null;
        try
        {
            if (Callbacks.TryGet(userData, out callbacks))
            {
                callbacks.WriteTrace(new SystemCall(call));
            }
        }
        catch (Exception e)
        {
            Failed(callbacks, e);
        }
    }

    /// <summary>Keeps what a callback threw for the end of the call.</summary>
    private static void Failed(SandboxCallbacks? callbacks, Exception e)
    {
        if (callbacks is null)
        {
            Fatal(e); // it was the handle
        }

        callbacks.Failed(e);
    }

    /// <summary>For what cannot happen unless memory is damaged, such as a handle that is freed twice: to go
    /// on would make it worse.</summary>
    [DoesNotReturn]
    private static void Fatal(Exception e) =>
        Environment.FailFast("Glint: the native library called back in a state that cannot be", e);
}
