// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Glint.Native;

/// <summary>Compares the native library with what this assembly was written for, once, before anything of it
/// is used: a wrong library must be an exception, not a corrupted stack.</summary>
internal static unsafe class LibraryCheck
{
    private const string UseTheSameRelease = "Use the libglint.so of the same release.";

    private static bool s_done;

    public static void Ensure()
    {
        if (!Volatile.Read(ref s_done))
        {
            Check();
            Volatile.Write(ref s_done, true);
        }
    }

    /// <summary>Why a library of that ABI version cannot be used, or null.</summary>
    public static string? CompareVersions(uint version)
    {
        uint major = version >> 16;
        uint minor = version & 0xffff;
        return major == NativeConstants.AbiMajor && minor >= NativeConstants.AbiMinor
            ? null
            : $"libglint.so has version {major}.{minor} of the C ABI; this assembly needs "
                + $"{NativeConstants.AbiMajor}.{NativeConstants.AbiMinor}, or a later one of the same major. "
                + UseTheSameRelease;
    }

    /// <summary>Why a struct of `size` bytes in the library does not go with one of `expected` here, or null.
    /// One that begins with struct_size may have grown; the others never change.</summary>
    public static string? CompareSizes(NativeStructId which, uint size, uint expected, bool mayGrow) =>
        size == expected || (mayGrow && size > expected)
            ? null
            : $"libglint.so has {size} bytes for the struct {which}, this assembly {expected}. "
                + UseTheSameRelease;

    private static void Check()
    {
        try
        {
            Require(CompareVersions(NativeMethods.AbiVersion()));
            CheckSizes();
        }
        catch (DllNotFoundException e)
        {
            throw new NativeLibraryException(
                "libglint.so was not found. It is in the package Glint (runtimes/linux-x64/native), which "
                + "needs Linux on x86-64 with glibc 2.36 or newer; a program that is not published for "
                + "linux-x64 finds it through its .deps.json. To use another one, put it beside the program, "
                + "or set a resolver with NativeLibrary.SetDllImportResolver. The loader says: " + e.Message,
                e);
        }
        catch (BadImageFormatException e)
        {
            throw new NativeLibraryException(
                "libglint.so is made for x86-64, not for this processor. The loader says: " + e.Message, e);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new NativeLibraryException(
                "libglint.so lacks a function of this assembly's: it is of an older release. " + e.Message, e);
        }
    }

    private static void CheckSizes()
    {
        CheckSize(NativeStructId.Str, sizeof(NativeStr), mayGrow: false);
        CheckSize(NativeStructId.Value, sizeof(NativeValue), mayGrow: false);
        CheckSize(NativeStructId.File, sizeof(NativeFile), mayGrow: false);
        CheckSize(NativeStructId.Syscall, sizeof(NativeSyscall), mayGrow: false);
        CheckSize(NativeStructId.Fault, sizeof(NativeFault));
        CheckSize(NativeStructId.EngineOptions, sizeof(NativeEngineOptions));
        CheckSize(NativeStructId.EngineCounters, sizeof(NativeEngineCounters));
        CheckSize(NativeStructId.DoctorItem, sizeof(NativeDoctorItem));
        CheckSize(NativeStructId.ImageOptions, sizeof(NativeImageOptions));
        CheckSize(NativeStructId.FunctionInfo, sizeof(NativeFunctionInfo));
        CheckSize(NativeStructId.SegmentInfo, sizeof(NativeSegmentInfo));
        CheckSize(NativeStructId.ImageInfo, sizeof(NativeImageInfo));
        CheckSize(NativeStructId.SandboxOptions, sizeof(NativeSandboxOptions));
        CheckSize(NativeStructId.SandboxCounters, sizeof(NativeSandboxCounters));
        CheckSize(NativeStructId.CallOptions, sizeof(NativeCallOptions));
        CheckSize(NativeStructId.LiveObjects, sizeof(NativeLiveObjects));
        CheckSize(NativeStructId.SnapshotInfo, sizeof(NativeSnapshotInfo));
        CheckSize(NativeStructId.PoolOptions, sizeof(NativePoolOptions));
        CheckSize(NativeStructId.AcquireOptions, sizeof(NativeAcquireOptions));
        CheckSize(NativeStructId.PoolCounters, sizeof(NativePoolCounters));
    }

    private static void CheckSize(NativeStructId which, int expected, bool mayGrow = true) =>
        Require(CompareSizes(which, NativeMethods.StructSize(which), (uint)expected, mayGrow));

    private static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new NativeLibraryException(problem, null);
        }
    }
}
