// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Glint.Native;

/// <summary>Owns one native object. Its reference count is what makes a Dispose during a call safe (for calls
/// of a sandbox, its claim): the native object is freed when the last user has let go of it, whoever called
/// Dispose, and when.</summary>
internal abstract class GlintHandle : SafeHandle
{
    private static long s_abandoned;

    protected GlintHandle()
        : base(0, ownsHandle: true)
    {
    }

    /// <summary>How many objects the garbage collector had to free because nobody disposed of them. Tests
    /// look at it.</summary>
    public static long Abandoned => Interlocked.Read(ref s_abandoned);

    public sealed override bool IsInvalid => handle == 0;

    internal void Initialize(nint native) => SetHandle(native);

    protected override void Dispose(bool disposing)
    {
        if (!disposing && !IsInvalid)
        {
            Interlocked.Increment(ref s_abandoned);
        }

        base.Dispose(disposing);
    }
}

internal sealed class EngineHandle : GlintHandle
{
    protected override bool ReleaseHandle()
    {
        NativeMethods.EngineFree(handle);
        return true;
    }
}

internal sealed class DoctorHandle : GlintHandle
{
    protected override bool ReleaseHandle()
    {
        NativeMethods.DoctorFree(handle);
        return true;
    }
}

internal sealed class ImageHandle : GlintHandle
{
    protected override bool ReleaseHandle()
    {
        NativeMethods.ImageFree(handle);
        return true;
    }
}

internal sealed class SnapshotHandle : GlintHandle
{
    protected override bool ReleaseHandle()
    {
        NativeMethods.SnapshotFree(handle);
        return true;
    }
}

/// <summary>A pool. The native one lives until the last of its sandboxes is freed, too, so that their handles
/// keep the host functions as well.</summary>
internal sealed class PoolHandle(object? registrations) : GlintHandle
{
    /// <summary>The host functions, which must be reachable until the native pool is gone.</summary>
    public object? Registrations { get; } = registrations;

    protected override bool ReleaseHandle()
    {
        NativeMethods.PoolFree(handle);
        return true;
    }
}

internal sealed class InterruptHandle : GlintHandle
{
    protected override bool ReleaseHandle()
    {
        NativeMethods.InterruptFree(handle);
        return true;
    }
}

internal sealed class ErrorHandle : GlintHandle
{
    public ErrorHandle(nint error) => SetHandle(error);

    protected override bool ReleaseHandle()
    {
        NativeMethods.ErrorFree(handle);
        return true;
    }
}

/// <summary>A set of host functions. It keeps what the native side refers to by weak handles: see
/// <see cref="Callbacks"/>.</summary>
internal sealed class HostFunctionsHandle(object registrations) : GlintHandle
{
    public object Registrations { get; } = registrations;

    protected override bool ReleaseHandle()
    {
        NativeMethods.HostFunctionsFree(handle);
        return true;
    }
}

/// <summary>A sandbox, with the user data of its callbacks, which the C ABI wants to live as long, and the
/// claim of the thread that is in it.
/// <para>The claim is also what keeps the native sandbox alive during a call, instead of a reference for each
/// call: one word says who is in it and whether it is to be closed, so that of the two, Dispose and the end
/// of the call, exactly one finds the other done and frees it. The count of the SafeHandle remains for what
/// may be used during a call, such as the state, and for what closes twice.</para></summary>
internal sealed class SandboxHandle(object? registrations) : GlintHandle
{
    // Set for good by the first who closes it; a managed thread's id is positive.
    private const int Closed = int.MinValue;

    // The claim of a thread that is on its way: no thread's id.
    private const int Reserved = int.MaxValue;

    // The managed thread that came, and has not entered by the reservation yet (0: none).
    private int _reserver;

    private nint _callbacks;

    // The managed thread that is in the sandbox (0: none), and Closed. Nobody may enter unless it is 0.
    private int _claim;

    /// <summary>The host functions, which must be reachable until the native sandbox is gone.</summary>
    public object? Registrations { get; } = registrations;

    /// <summary>Whether this thread is in the sandbox, and nobody has closed it since.</summary>
    public bool IsInCallOfThisThread => Volatile.Read(ref _claim) == Environment.CurrentManagedThreadId;

    /// <summary>Hands the callbacks' user data over to this handle.</summary>
    public void Own(nint callbacks) => _callbacks = callbacks;

    /// <summary>Claims the sandbox for this thread. The native one is not freed until <see cref="Leave"/>,
    /// whoever closes the handle meanwhile. The garbage collector does not come first either: who is to leave
    /// refers to the handle until then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Enter()
    {
        if (Interlocked.CompareExchange(ref _claim, Environment.CurrentManagedThreadId, 0) != 0)
        {
            EnterReserved();
        }

        return handle;
    }

    /// <summary>Claims the sandbox for a thread that will be in <see cref="UseReservation"/>, until that has
    /// ended.</summary>
    public void Reserve()
    {
        if (Interlocked.CompareExchange(ref _claim, Reserved, 0) != 0)
        {
            Refuse();
        }
    }

    /// <summary>What does this may enter by the reservation, once; it is given up at the end.</summary>
    public T UseReservation<T>(Func<T> work)
    {
        int thread = Environment.CurrentManagedThreadId;
        Volatile.Write(ref _reserver, thread);
        try
        {
            return work();
        }
        finally
        {
            if (Volatile.Read(ref _reserver) == thread)
            {
                Volatile.Write(ref _reserver, 0);
                GiveUpReservation();
            }
        }
    }

    /// <summary>Nobody will enter by it.</summary>
    public void GiveUpReservation() => Leave();

    /// <summary>Gives up the claim; frees the native sandbox if the handle was closed during the
    /// call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave()
    {
        int claim = _claim; // nobody else changes it now, but to add Closed
        if (claim < 0 || Interlocked.CompareExchange(ref _claim, 0, claim) != claim)
        {
            LeaveClosed();
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.SandboxFree(handle);
        Callbacks.Release<SandboxCallbacks>(_callbacks);
        return true;
    }

    /// <summary>Closes the handle, or leaves that to the thread that is in the sandbox. The finalizer does so
    /// as well: another one may have handed the sandbox to a thread that is in it now.</summary>
    protected override void Dispose(bool disposing)
    {
        if ((Interlocked.Or(ref _claim, Closed) & ~Closed) == 0)
        {
            base.Dispose(disposing);
        }
    }

    private void LeaveClosed()
    {
        Volatile.Write(ref _claim, Closed);
        base.Dispose(true);
    }

    private void EnterReserved()
    {
        int thread = Environment.CurrentManagedThreadId;
        if (Volatile.Read(ref _reserver) != thread)
        {
            Refuse();
        }

        Volatile.Write(ref _reserver, 0);
        // Closed stays, if somebody closes the handle meanwhile: who leaves frees it.
        Interlocked.Add(ref _claim, thread - Reserved);
    }

    private void Refuse()
    {
        int claim = Volatile.Read(ref _claim);
        ObjectDisposedException.ThrowIf(claim < 0, typeof(Sandbox));
        throw new SandboxBusyException(claim == Environment.CurrentManagedThreadId
            ? "The sandbox is in the call that led here: its callbacks cannot come back to it."
            : "The sandbox is used by another thread at this moment; only one at a time may use it.");
    }
}

/// <summary>Keeps a native object alive where its pointer is used rather than its handle.</summary>
internal ref struct HandleLease
{
    private readonly SafeHandle? _handle;
    private bool _added;

    public HandleLease(SafeHandle? handle)
    {
        _handle = handle;
        handle?.DangerousAddRef(ref _added);
    }

    public readonly nint Value => _handle is null ? 0 : _handle.DangerousGetHandle();

    public void Dispose()
    {
        if (_added)
        {
            _added = false;
            _handle!.DangerousRelease();
        }
    }
}
