// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    // Raw, like the others of the sandbox that Sandbox.Enter claims.
    [LibraryImport(Library, EntryPoint = "glint_snapshot_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SnapshotCreate(nint sandbox, NativeCallOptions* options, nint* snapshot,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_snapshot_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void SnapshotFree(nint snapshot);

    [LibraryImport(Library, EntryPoint = "glint_snapshot_get_info")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SnapshotGetInfo(SnapshotHandle snapshot, NativeSnapshotInfo* info,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_snapshot_save")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SnapshotSave(SnapshotHandle snapshot, NativeStr path, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_snapshot_load")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SnapshotLoad(ImageHandle image, NativeStr path, nint* snapshot, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_sandbox_create_from")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SandboxCreateFrom(SnapshotHandle snapshot, nint functions,
        NativeSandboxOptions* options, nint* sandbox, nint* error);

    // Raw: there may be no snapshot, which a SafeHandle cannot say.
    [LibraryImport(Library, EntryPoint = "glint_sandbox_restore")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int SandboxRestore(nint sandbox, nint snapshot, nint* error);
}
