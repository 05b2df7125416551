// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_engine_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void EngineOptionsInit(NativeEngineOptions* options, uint size);

    [LibraryImport(Library, EntryPoint = "glint_engine_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int EngineCreate(NativeEngineOptions* options, nint* engine, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_engine_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void EngineFree(nint engine);

    [LibraryImport(Library, EntryPoint = "glint_engine_backend")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial NativeStr EngineBackend(EngineHandle engine);

    [LibraryImport(Library, EntryPoint = "glint_engine_get_counters")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int EngineGetCounters(EngineHandle engine, NativeEngineCounters* counters,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_doctor_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int DoctorCreate(nint* doctor, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_doctor_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void DoctorFree(nint doctor);

    [LibraryImport(Library, EntryPoint = "glint_doctor_usable")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte DoctorUsable(DoctorHandle doctor);

    [LibraryImport(Library, EntryPoint = "glint_doctor_count")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint DoctorCount(DoctorHandle doctor);

    [LibraryImport(Library, EntryPoint = "glint_doctor_get")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int DoctorGet(DoctorHandle doctor, uint index, NativeDoctorItem* item,
        nint* error);
}
