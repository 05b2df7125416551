// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Threading;

namespace Glint.Native;

/// <summary>Host functions that want to know when their call is to end. The native side may still be telling
/// one when its trampoline is about to return, so the trampoline could not free a GCHandle; it takes a number
/// out of this table instead, and whoever comes with a number that is gone finds nothing. Numbers are never
/// used twice.</summary>
internal static class InterruptRelay
{
    private static readonly ConcurrentDictionary<nint, CancellationTokenSource> s_waiting = new();
    private static long s_last;

    public static int Live => s_waiting.Count;

    public static nint Add(CancellationTokenSource source)
    {
        nint number = (nint)Interlocked.Increment(ref s_last);
        s_waiting[number] = source;
        return number;
    }

    public static void Remove(nint number) => s_waiting.TryRemove(number, out _);

    /// <summary>Cancels without running what is registered with the token: that runs on the thread pool,
    /// since this is Glint's timer thread or that of somebody who interrupts. What it throws is an unobserved
    /// exception of a task.</summary>
    public static void Notify(nint number)
    {
        if (s_waiting.TryGetValue(number, out CancellationTokenSource? source))
        {
            _ = source.CancelAsync();
        }
    }
}
