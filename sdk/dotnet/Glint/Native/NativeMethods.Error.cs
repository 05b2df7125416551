// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_error_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void ErrorFree(nint error);

    [LibraryImport(Library, EntryPoint = "glint_error_code")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ErrorCode(ErrorHandle error);

    [LibraryImport(Library, EntryPoint = "glint_error_message")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStr ErrorMessage(ErrorHandle error);

    [LibraryImport(Library, EntryPoint = "glint_error_guest_code")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ErrorGuestCode(ErrorHandle error);

    [LibraryImport(Library, EntryPoint = "glint_error_fault")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ErrorFault(ErrorHandle error, NativeFault* fault);

    [LibraryImport(Library, EntryPoint = "glint_error_host_token")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial nint ErrorHostToken(ErrorHandle error);

    [LibraryImport(Library, EntryPoint = "glint_status_name")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStr StatusName(int status);
}
