// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;

namespace Glint;

/// <summary>Threads for what blocks: a guest occupies the thread that called it.</summary>
internal static class OwnThread
{
    public static Task<T> Start<T>(Func<T> work, CancellationToken token) =>
        Task.Factory.StartNew(work, token,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach
            | TaskCreationOptions.RunContinuationsAsynchronously,
            TaskScheduler.Default);

    /// <summary>Starts work that enters a sandbox, which is claimed before this returns: whoever uses it from
    /// then on, or disposes of it, comes second.</summary>
    public static async Task<T> Enter<T>(SandboxHandle sandbox, Func<T> work, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        sandbox.Reserve();
        Task<T> task;
        try
        {
            // Without the token, at which the work looks itself: a task that never ran would keep the sandbox.
            task = Start(() => sandbox.UseReservation(work), CancellationToken.None);
        }
        catch
        {
            sandbox.GiveUpReservation(); // no thread was to be had
            throw;
        }

        return await task.ConfigureAwait(false);
    }
}
