// SPDX-License-Identifier: Apache-2.0 The structs of include/glint/*.h, field by field in the same order.
// LayoutTests compares each size and offset with those that the C compiler gives, by name:
// NativeEngineOptions.DeadlineNs is glint_engine_options.deadline_ns.
using System.Runtime.InteropServices;

namespace Glint.Native;

/// <summary>The number that <c>glint_struct_size</c> knows a struct by: GLINT_STRUCT_*.</summary>
internal enum NativeStructId : uint
{
    Str = 1,
    Value,
    Fault,
    EngineOptions,
    EngineCounters,
    DoctorItem,
    File,
    ImageOptions,
    FunctionInfo,
    SegmentInfo,
    ImageInfo,
    Syscall,
    SandboxOptions,
    SandboxCounters,
    CallOptions,
    LiveObjects,
    SnapshotInfo,
    PoolOptions,
    AcquireOptions,
    PoolCounters,
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeStr
{
    public byte* Data;
    public ulong Size;
}

/// <summary>A value that crosses; which of the overlapping fields counts, <see cref="Type"/> says.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal unsafe struct NativeValue
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint Reserved;
    [FieldOffset(8)] public byte Boolean;
    [FieldOffset(8)] public int I32;
    [FieldOffset(8)] public uint U32;
    [FieldOffset(8)] public long I64;
    [FieldOffset(8)] public ulong U64;
    [FieldOffset(8)] public float F32;
    [FieldOffset(8)] public double F64;
    [FieldOffset(8)] public void* Data;
    [FieldOffset(16)] public ulong Size;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeLiveObjects
{
    public uint StructSize;
    public uint Reserved;
    public ulong Engines;
    public ulong Images;
    public ulong Sandboxes;
    public ulong Interrupts;
    public ulong Errors;
    public ulong Doctors;
    public ulong HostFunctionSets;
    public ulong HostFunctions;
    public ulong HostTokens;
    public ulong Snapshots;
    public ulong Pools;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeFault
{
    public uint StructSize;
    public uint Vector;
    public int Signal;
    public uint Reserved;
    public ulong Address;
    public ulong Instruction;
    public ulong ErrorCode;
    public ulong SymbolOffset;
    public NativeStr Name;
    public NativeStr Access;
    public NativeStr Symbol;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeEngineOptions
{
    public uint StructSize;
    public uint Backend;
    public uint MaxShells;
    public uint KickSignal;
    public ulong DeadlineNs;
    public uint MaxVms;
    public uint Reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeEngineCounters
{
    public uint StructSize;
    public uint Reserved;
    public ulong VmsCreated;
    public ulong VmsLive;
    public ulong SandboxesCreated;
    public ulong SandboxesLive;
    public ulong Attaches;
    public ulong Parks;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeDoctorItem
{
    public uint StructSize;
    public uint Severity;
    public NativeStr Name;
    public NativeStr Detail;
    public NativeStr Advice;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeFile
{
    public NativeStr Path;
    public void* Data;
    public ulong Size;
    public ulong Reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeImageOptions
{
    public uint StructSize;
    public uint Flags;
    public ulong MemorySize;
    public ulong StackSize;
    public NativeFile* Files;
    public ulong FileCount;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeFunctionInfo
{
    public uint StructSize;
    public uint Kind;
    public uint Function;
    public uint Result;
    public uint ParamCount;
    public uint Reserved;
    public uint* Params;
    public NativeStr Name;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeSegmentInfo
{
    public uint StructSize;
    public uint Writable;
    public uint Executable;
    public uint Reserved;
    public ulong Address;
    public ulong Size;
    public NativeStr What;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeImageInfo
{
    public uint StructSize;
    public uint Pie;
    public ulong Entry;
    public ulong MemorySize;
    public ulong StackSize;
    public ulong HeapSize;
    public uint SegmentCount;
    public uint SymbolCount;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSyscall
{
    public ulong Number;
    public fixed ulong Arguments[6];
    public long Result;
    public uint Unknown;
    public uint Reserved;
    public NativeStr Name;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSandboxOptions
{
    public uint StructSize;
    public uint Flags;
    public NativeStr* Arguments;
    public ulong ArgumentCount;
    public NativeStr* Environment;
    public ulong EnvironmentCount;
    public delegate* unmanaged[Cdecl]<nint, uint, void*, ulong, void> Output;
    public nint OutputUserData;
    public delegate* unmanaged[Cdecl]<nint, void> OutputDestroy;
    public delegate* unmanaged[Cdecl]<nint, void*, ulong, ulong> Input;
    public nint InputUserData;
    public delegate* unmanaged[Cdecl]<nint, void> InputDestroy;
    public delegate* unmanaged[Cdecl]<nint, NativeSyscall*, void> Trace;
    public nint TraceUserData;
    public delegate* unmanaged[Cdecl]<nint, void> TraceDestroy;
    public uint MaxDepth;
    public uint Reserved;
    public NativeStr Tenant;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeSandboxCounters
{
    public uint StructSize;
    public uint Reserved;
    public ulong Calls;
    public ulong HostCalls;
    public ulong Exits;
    public ulong Ioctls;
    public ulong Attaches;
    public ulong UnknownSyscalls;
    public ulong OutputBytes;
    public ulong Restores;
    public ulong RestoredPages;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeCallOptions
{
    public uint StructSize;
    public uint Reserved;
    public ulong DeadlineNs;
    public nint Interrupt;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeSnapshotInfo
{
    public uint StructSize;
    public uint Reserved;
    public ulong MemorySize;
    public ulong StoredSize;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativePoolOptions
{
    public uint StructSize;
    public uint Flags;
    public uint Size;
    public uint Warm;
    public ulong IdleMemory;
    public NativeStr Tenant;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeAcquireOptions
{
    public uint StructSize;
    public uint Reserved;
    public ulong WaitNs;
    public nint Interrupt;
    public NativeSandboxOptions* Sandbox;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativePoolCounters
{
    public uint StructSize;
    public uint Size;
    public ulong Live;
    public ulong InUse;
    public ulong Ready;
    public ulong Returned;
    public ulong Waiting;
    public ulong IdleMemory;
    public ulong Acquired;
    public ulong Waited;
    public ulong Restored;
    public ulong RestoredLate;
    public ulong Made;
    public ulong Replaced;
    public ulong Dropped;
}
