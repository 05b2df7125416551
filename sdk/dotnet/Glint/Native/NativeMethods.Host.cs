// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_host_functions_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostFunctionsCreate(nint* functions, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_host_functions_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void HostFunctionsFree(nint functions);

    [LibraryImport(Library, EntryPoint = "glint_host_functions_add")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostFunctionsAdd(HostFunctionsHandle functions, NativeStr name, uint result,
        uint* parameters, uint parameterCount,
        delegate* unmanaged[Cdecl]<nint, nint, int> function, nint userData,
        delegate* unmanaged[Cdecl]<nint, void> destroy, nint* error);

    // Reads two fields of the call and returns: a transition would cost more than the function.
    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "glint_host_call_arguments")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeValue* HostCallArguments(nint call, uint* count);

    [LibraryImport(Library, EntryPoint = "glint_host_call_return")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostCallReturn(nint call, NativeValue* value, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_host_call_reserve")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostCallReserve(nint call, ulong size, void** data, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_host_call_fail")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void HostCallFail(nint call, NativeStr text);

    [LibraryImport(Library, EntryPoint = "glint_host_call_fail_with")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void HostCallFailWith(nint call, nint token,
        delegate* unmanaged[Cdecl]<nint, void> destroy);

    [LibraryImport(Library, EntryPoint = "glint_host_call_state")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostCallState(nint call);

    [LibraryImport(Library, EntryPoint = "glint_host_call_on_interrupt")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int HostCallOnInterrupt(nint call, delegate* unmanaged[Cdecl]<nint, void> notify,
        nint userData, nint* error);
}
