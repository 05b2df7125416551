// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Glint.Native;

/// <summary>Makes exceptions of what the native side reports.</summary>
internal static unsafe class Failure
{
    /// <summary>Throws unless `status` is that of success. Takes ownership of `error`.</summary>
    public static void ThrowIfFailed(int status, nint error)
    {
        if (status != NativeConstants.Ok)
        {
            throw Create(status, error);
        }
    }

    /// <summary>Throws the exception of a call that `cancellation` could end. If, and only if, it was the
    /// cause, that is an OperationCanceledException with the token.</summary>
    [DoesNotReturn]
    public static void Throw(SandboxException exception, CancellationToken cancellation)
    {
        if (exception is SandboxInterruptedException && cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call into the sandbox was cancelled.",
                exception, cancellation);
        }

        throw exception;
    }

    /// <summary>Makes an exception. Takes ownership of `error`, which may be zero.</summary>
    public static SandboxException Create(int status, nint error)
    {
        var code = (SandboxErrorCode)status;
        if (error == 0)
        {
            return Create(code, Text.ToString(NativeMethods.StatusName(status)), 0, null, null);
        }

        using ErrorHandle handle = new(error);
        string message = Text.ToString(NativeMethods.ErrorMessage(handle));
        int guestCode = NativeMethods.ErrorGuestCode(handle);
        // The token is borrowed: it dies with the error, and the exception that it stands for lives on.
        HostFailure? host = HostTokens.Get(NativeMethods.ErrorHostToken(handle));
        return Create(code, message, guestCode, ReadFault(handle), host);
    }

    private static SandboxException Create(SandboxErrorCode code, string message, int guestCode,
        GuestFault? fault, HostFailure? host)
    {
        Exception? inner = host?.Exception;
        return code switch
        {
            SandboxErrorCode.HostFunction => new HostFunctionException(message, inner),
            // The guest answered with the very code that it got from the host: it passed the failure on.
            SandboxErrorCode.GuestError when host is not null && guestCode == host.Status =>
                new HostFunctionException(message, inner),
            SandboxErrorCode.GuestError => new GuestException(message, guestCode, inner),
            SandboxErrorCode.GuestFault or SandboxErrorCode.GuestAbort or SandboxErrorCode.GuestOutOfMemory =>
                new GuestFaultException(code, message, fault, inner),
            SandboxErrorCode.Interrupted => new SandboxInterruptedException(message, inner),
            SandboxErrorCode.Deadline => new SandboxDeadlineException(message, inner),
            SandboxErrorCode.Busy => new SandboxBusyException(message),
            SandboxErrorCode.PoolEmpty => new SandboxPoolEmptyException(message),
            <= SandboxErrorCode.SnapshotFormat and > SandboxErrorCode.GuestError =>
                new SnapshotException(code, message),
            <= SandboxErrorCode.ImageNotElf and > SandboxErrorCode.SnapshotFormat =>
                new ImageException(code, message),
            _ => new SandboxException(code, message, inner),
        };
    }

    private static GuestFault? ReadFault(ErrorHandle error)
    {
        NativeFault fault = new() { StructSize = (uint)sizeof(NativeFault) };
        // Most errors have none; then there is nothing to tell.
        return NativeMethods.ErrorFault(error, &fault) == NativeConstants.Ok ? new GuestFault(fault) : null;
    }
}
