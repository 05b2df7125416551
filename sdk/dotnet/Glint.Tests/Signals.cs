// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Xunit;

namespace Glint.Tests;

/// <summary>Signals to one thread of this process.</summary>
internal static partial class Signals
{
    /// <summary>SIGRTMIN of glibc, by which the run time makes a thread in managed code stop. Its handler does nothing to
    /// a thread that is elsewhere.</summary>
    public const int OfTheRunTime = 34;

    /// <summary>This thread, for <see cref="Send"/>.</summary>
    [LibraryImport("libc", EntryPoint = "pthread_self")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nuint ThisThread();

    /// <summary>Sends a signal to a thread, which must not have ended.</summary>
    public static void Send(nuint thread, int signal) => Assert.Equal(0, PthreadKill(thread, signal));

    [LibraryImport("libc", EntryPoint = "pthread_kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int PthreadKill(nuint thread, int signal);
}
