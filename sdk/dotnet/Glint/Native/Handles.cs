// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Glint.Native;

/// <summary>Owns one native object. Its reference count is what makes a Dispose during a call safe: the
/// native object is freed when the last user has let go of it, whoever called Dispose, and when.</summary>
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

/// <summary>A sandbox, with the user data of its callbacks, which the C ABI wants to live as long.</summary>
internal sealed class SandboxHandle(object? registrations) : GlintHandle
{
    private nint _callbacks;

    /// <summary>The host functions, which must be reachable until the native sandbox is gone.</summary>
    public object? Registrations { get; } = registrations;

    /// <summary>Hands the callbacks' user data over to this handle.</summary>
    public void Own(nint callbacks) => _callbacks = callbacks;

    protected override bool ReleaseHandle()
    {
        NativeMethods.SandboxFree(handle);
        Callbacks.Release<SandboxCallbacks>(_callbacks);
        return true;
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
