// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_sandbox_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SandboxOptionsInit(NativeSandboxOptions* options, uint size);

    [LibraryImport(Library, EntryPoint = "glint_sandbox_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SandboxCreate(ImageHandle image, nint functions,
        NativeSandboxOptions* options, nint* sandbox, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_sandbox_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SandboxFree(nint sandbox);

    [LibraryImport(Library, EntryPoint = "glint_sandbox_state")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint SandboxState(SandboxHandle sandbox);

    [LibraryImport(Library, EntryPoint = "glint_call_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void CallOptionsInit(NativeCallOptions* options, uint size);

    // Raw here and in the two below: the caller has claimed the sandbox for longer than the native call, until
    // the result's view was copied (SandboxHandle.Enter).
    [LibraryImport(Library, EntryPoint = "glint_sandbox_run")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SandboxRun(nint sandbox, NativeCallOptions* options, int* exitCode,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_call")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int Call(nint sandbox, uint function, NativeValue* arguments, uint argumentCount,
        NativeCallOptions* options, NativeValue* result, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_result_release")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void ResultRelease(nint sandbox);

    [LibraryImport(Library, EntryPoint = "glint_sandbox_get_counters")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SandboxGetCounters(SandboxHandle sandbox, NativeSandboxCounters* counters,
        nint* error);
}
