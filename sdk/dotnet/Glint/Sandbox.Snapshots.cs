// SPDX-License-Identifier: Apache-2.0
using System;
using Glint.Native;

namespace Glint;

// Sandboxes made from snapshots, and putting them back.
public sealed unsafe partial class Sandbox
{
    /// <summary>Makes a sandbox that goes on where a snapshot was taken, of an image that imports nothing. No
    /// start-up code runs, and no memory is copied.</summary>
    /// <param name="snapshot">Where it goes on.</param>
    /// <param name="options">How it is set up; null for the defaults. The program has had its arguments and
    /// its environment: these must not be given.</param>
    /// <exception cref="SandboxException">The image imports functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed of.</exception>
    public Sandbox(Snapshot snapshot, SandboxOptions? options = null)
        : this(ImageOf(snapshot), snapshot, options, null)
    {
    }

    /// <summary>Makes a sandbox that goes on where a snapshot was taken, and links the functions that its
    /// image imports by name and signature. No start-up code runs, and no memory is copied.</summary>
    /// <param name="snapshot">Where it goes on.</param>
    /// <param name="hostFunctions">What the guest may call. The set cannot be changed any more. It need not
    /// be the one that the snapshot's sandbox had.</param>
    /// <param name="options">How it is set up; null for the defaults. The program has had its arguments and
    /// its environment: these must not be given.</param>
    /// <exception cref="SandboxException">The set lacks functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot, or the set, was disposed of.</exception>
    public Sandbox(Snapshot snapshot, HostFunctions hostFunctions, SandboxOptions? options = null)
        : this(ImageOf(snapshot), snapshot, options,
            hostFunctions ?? throw new ArgumentNullException(nameof(hostFunctions)))
    {
    }

    /// <summary>Takes a snapshot of the sandbox, which goes on as it is. One that has not started is started
    /// first. Costs in proportion to the pages of the guest that are not zero; these are copied.</summary>
    /// <param name="options">What can end the start-up early; a cancellation token converts to it.</param>
    /// <returns>The snapshot, which the caller disposes of.</returns>
    /// <exception cref="SandboxException">The sandbox is poisoned (<see cref="SandboxErrorCode.Poisoned"/>),
    /// its program has ended (<see cref="SandboxErrorCode.Ended"/>), or it failed in its
    /// start-up.</exception>
    /// <exception cref="SandboxBusyException">The sandbox is in a call.</exception>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed of.</exception>
    public Snapshot TakeSnapshot(CallOptions options = default)
    {
        SnapshotHandle handle = new();
        nint sandbox = Enter();
        try
        {
            nint snapshot = 0;
            nint error = 0;
            int status;
            using (Interruption interruption = new(this, options))
            {
                NativeCallOptions native = interruption.Options;
                status = NativeMethods.SnapshotCreate(sandbox, &native, &snapshot, &error);
            }

            handle.Initialize(snapshot);
            Finish(status, error, options);
        }
        catch
        {
            handle.Dispose(); // a callback may have failed, and all else gone well
            throw;
        }
        finally
        {
            Leave();
        }

        return new Snapshot(Image, handle);
    }

    /// <summary>Makes the sandbox what a snapshot says, whatever became of it: it is ready then, also if it
    /// was poisoned or had ended. Nothing that its calls have written can be found afterwards. Functions that
    /// were got from the sandbox, and proxies, keep working.
    /// <para>Where it goes back to the same snapshot again and again, only the pages that it ever wrote are
    /// copied, in place.</para></summary>
    /// <param name="snapshot">One of the same image; null for the one that the sandbox was made from, or
    /// restored to last.</param>
    /// <exception cref="SandboxException">There is no snapshot to go back to, or it is of another image
    /// (<see cref="SandboxErrorCode.InvalidArgument"/>). After another failure the sandbox is poisoned, and
    /// restoring can be tried again.</exception>
    /// <exception cref="SandboxBusyException">The sandbox is in a call.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox, or the snapshot, was disposed of.</exception>
    public void Restore(Snapshot? snapshot = null)
    {
        nint sandbox = Enter();
        try
        {
            using HandleLease lease = new(snapshot?.Handle);
            nint error = 0;
            Failure.ThrowIfFailed(NativeMethods.SandboxRestore(sandbox, lease.Value, &error), error);
        }
        finally
        {
            Leave();
        }
    }

    private static GuestImage ImageOf(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Image;
    }
}
