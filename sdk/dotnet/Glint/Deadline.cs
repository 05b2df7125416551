// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Glint.Native;

namespace Glint;

internal static class Deadline
{
    private const ulong NanosecondsPerTick = 100;

    /// <summary>So that the native clock, which counts nanoseconds since boot in 64 bits, cannot
    /// overflow.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(36500);

    public static void Check(TimeSpan? deadline, string name)
    {
        if (deadline is { } time && time != Timeout.InfiniteTimeSpan
            && (time <= TimeSpan.Zero || time > s_longest))
        {
            throw new ArgumentOutOfRangeException(name, time,
                "A deadline is a positive time of at most 36,500 days, or InfiniteTimeSpan for none.");
        }
    }

    /// <summary>Nanoseconds to wait, for the C ABI.</summary>
    public static ulong ToWait(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return NativeConstants.WaitForever;
        }

        return timeout >= TimeSpan.Zero && timeout <= s_longest
            ? (ulong)timeout.Ticks * NanosecondsPerTick
            : throw new ArgumentOutOfRangeException(nameof(timeout), timeout,
                "A timeout is a time of zero to 36,500 days, or InfiniteTimeSpan for none.");
    }

    /// <summary>Nanoseconds for the C ABI, of a deadline that was checked.</summary>
    public static ulong ToNative(TimeSpan? deadline) =>
        deadline is not { } time ? NativeConstants.DeadlineDefault
        : time == Timeout.InfiniteTimeSpan ? NativeConstants.DeadlineNone
        : (ulong)time.Ticks * NanosecondsPerTick;
}
