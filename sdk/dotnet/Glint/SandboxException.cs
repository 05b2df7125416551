// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint;

/// <summary>Something in Glint failed. The classes derived from it stand for what programs handle in
/// different ways; <see cref="Code"/> tells everything else.</summary>
public class SandboxException : Exception
{
    internal SandboxException(SandboxErrorCode code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>What went wrong.</summary>
    public SandboxErrorCode Code { get; }
}

/// <summary>The guest function reported an ordinary error. The sandbox is ready for the next call. When a
/// host function had failed before in the same call, its exception is the
/// <see cref="Exception.InnerException"/>.</summary>
public sealed class GuestException : SandboxException
{
    internal GuestException(string message, int guestCode, Exception? inner)
        : base(SandboxErrorCode.GuestError, message, inner) => GuestCode = guestCode;

    /// <summary>The code that the guest function gave.</summary>
    public int GuestCode { get; }
}

/// <summary>The guest faulted, aborted, or ran out of memory (see <see cref="SandboxException.Code"/>). The
/// sandbox is poisoned: see <see cref="SandboxState.Poisoned"/>.</summary>
public sealed class GuestFaultException : SandboxException
{
    internal GuestFaultException(SandboxErrorCode code, string message, GuestFault? fault, Exception? inner)
        : base(code, message, inner) => Fault = fault;

    /// <summary>Where and how the guest faulted; null when that is not known.</summary>
    public GuestFault? Fault { get; }
}

/// <summary>The time of a call was over. The sandbox is poisoned, unless the guest had not run yet: see
/// <see cref="SandboxState.Poisoned"/>.</summary>
public sealed class SandboxDeadlineException : SandboxException
{
    internal SandboxDeadlineException(string message, Exception? inner)
        : base(SandboxErrorCode.Deadline, message, inner)
    {
    }
}

/// <summary>A call was interrupted. Calls with a cancellation token throw
/// <see cref="OperationCanceledException"/> instead, and this is its inner exception.</summary>
public sealed class SandboxInterruptedException : SandboxException
{
    internal SandboxInterruptedException(string message, Exception? inner)
        : base(SandboxErrorCode.Interrupted, message, inner)
    {
    }
}

/// <summary>A sandbox was used while it was in a call, by another thread or from its own callback; or a set
/// of host functions was changed that a sandbox has already.</summary>
public sealed class SandboxBusyException : SandboxException
{
    internal SandboxBusyException(string message)
        : base(SandboxErrorCode.Busy, message)
    {
    }
}

/// <summary>All sandboxes of a pool were in use, for as long as one was waited for.</summary>
public sealed class SandboxPoolEmptyException : SandboxException
{
    internal SandboxPoolEmptyException(string message)
        : base(SandboxErrorCode.PoolEmpty, message)
    {
    }
}

/// <summary>A file is not a snapshot that can be loaded here: <see cref="SandboxException.Code"/> tells
/// why.</summary>
public sealed class SnapshotException : SandboxException
{
    internal SnapshotException(SandboxErrorCode code, string message)
        : base(code, message)
    {
    }
}

/// <summary>A guest program cannot be loaded.</summary>
public sealed class ImageException : SandboxException
{
    internal ImageException(SandboxErrorCode code, string message)
        : base(code, message)
    {
    }
}

/// <summary>A host function, or another callback of a sandbox, threw an exception. It is the
/// <see cref="Exception.InnerException"/>: the same object, with its stack. Where guests and host functions
/// call each other in several layers, each layer's HostFunctionException has the innermost, original
/// exception.</summary>
public sealed class HostFunctionException : SandboxException
{
    internal HostFunctionException(string message, Exception? inner)
        : base(SandboxErrorCode.HostFunction, message, inner)
    {
    }
}

/// <summary>The native library is missing, or does not go with this assembly. The message says what to
/// do.</summary>
public sealed class NativeLibraryException : SandboxException
{
    internal NativeLibraryException(string message, Exception? inner)
        : base(SandboxErrorCode.Unsupported, message, inner)
    {
    }
}
