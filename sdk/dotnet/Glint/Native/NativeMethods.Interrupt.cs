// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_interrupt_create")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int InterruptCreate(nint* interrupt, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_interrupt_clone")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int InterruptClone(InterruptHandle interrupt, nint* clone, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_interrupt_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void InterruptFree(nint interrupt);

    [LibraryImport(Library, EntryPoint = "glint_interrupt_raise")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint InterruptRaise(InterruptHandle interrupt);

    [LibraryImport(Library, EntryPoint = "glint_interrupt_raised")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte InterruptRaised(InterruptHandle interrupt);
}
