// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_pool_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void PoolOptionsInit(NativePoolOptions* options, uint size);

    [LibraryImport(Library, EntryPoint = "glint_pool_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int PoolCreate(SnapshotHandle snapshot, nint functions,
        NativePoolOptions* options, nint* pool, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_acquire_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void AcquireOptionsInit(NativeAcquireOptions* options, uint size);

    [LibraryImport(Library, EntryPoint = "glint_pool_acquire")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int PoolAcquire(PoolHandle pool, NativeAcquireOptions* options, nint* sandbox,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_pool_trim")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void PoolTrim(PoolHandle pool, ulong idleMemory);

    [LibraryImport(Library, EntryPoint = "glint_pool_close")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void PoolClose(PoolHandle pool);

    [LibraryImport(Library, EntryPoint = "glint_pool_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void PoolFree(nint pool);

    [LibraryImport(Library, EntryPoint = "glint_pool_get_counters")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int PoolGetCounters(PoolHandle pool, NativePoolCounters* counters, nint* error);
}
