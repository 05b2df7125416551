// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Threading;

namespace Glint.Native;

/// <summary>The managed objects that the native side refers to. This is the only place that makes and frees
/// the handles that it is given.
/// <para>They are weak: a sandbox whose host functions refer back to it can then be collected when nobody
/// disposes of it, which strong handles would prevent for ever. While a callback can come, its target is
/// alive: <see cref="Sandbox"/>, which is in a call, and the SafeHandles refer to it. They also keep it when
/// the finalizer is the last to let go; hence handles that track resurrection.</para></summary>
internal static class Callbacks
{
    private static long s_live;

    /// <summary>How many handles there are, those of <see cref="HostTokens"/> not counted.</summary>
    public static long Live => Interlocked.Read(ref s_live);

    public static nint Refer<T>(T target)
        where T : class
    {
        nint handle = WeakGCHandle<T>.ToIntPtr(new WeakGCHandle<T>(target, trackResurrection: true));
        Interlocked.Increment(ref s_live);
        return handle;
    }

    public static bool TryGet<T>(nint handle, [NotNullWhen(true)] out T? target)
        where T : class => WeakGCHandle<T>.FromIntPtr(handle).TryGetTarget(out target);

    /// <summary>Frees a handle; zero is allowed.</summary>
    public static void Release<T>(nint handle)
        where T : class
    {
        if (handle != 0)
        {
            WeakGCHandle<T>.FromIntPtr(handle).Dispose();
            Interlocked.Decrement(ref s_live);
        }
    }
}
