// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Glint.Native;

/// <summary>Why a host function failed, and what the guest was told.</summary>
internal sealed record HostFailure(Exception Exception, int Status);

/// <summary>Exceptions on their way through native frames: what a host function threw travels as an opaque
/// token to the error of the outermost call. The native side destroys each token exactly once.</summary>
internal static class HostTokens
{
    private static long s_live;

    public static long Live => Interlocked.Read(ref s_live);

    public static nint Make(HostFailure failure)
    {
        nint token = GCHandle<HostFailure>.ToIntPtr(new GCHandle<HostFailure>(failure));
        Interlocked.Increment(ref s_live);
        return token;
    }

    /// <summary>What a borrowed token stands for; null for zero.</summary>
    public static HostFailure? Get(nint token) =>
        token == 0 ? null : GCHandle<HostFailure>.FromIntPtr(token).Target;

    public static void Destroy(nint token)
    {
        GCHandle<HostFailure>.FromIntPtr(token).Dispose();
        Interlocked.Decrement(ref s_live);
    }
}
