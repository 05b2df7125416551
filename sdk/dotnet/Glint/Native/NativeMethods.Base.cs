// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

/// <summary>The C ABI, one file per header. Errors come out as raw pointers, because a SafeHandle as an
/// <c>out</c> parameter would be allocated for every call, also for those that succeed; <see cref="Failure"/>
/// frees them.</summary>
internal static unsafe partial class NativeMethods
{
    public const string Library = "glint";

    [LibraryImport(Library, EntryPoint = "glint_version_string")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStr VersionString();

    [LibraryImport(Library, EntryPoint = "glint_abi_version")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint AbiVersion();

    [LibraryImport(Library, EntryPoint = "glint_capabilities")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial ulong Capabilities();

    [LibraryImport(Library, EntryPoint = "glint_struct_size")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint StructSize(NativeStructId which);

    [LibraryImport(Library, EntryPoint = "glint_get_live_objects")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int GetLiveObjects(NativeLiveObjects* live);
}
