// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every signature and struct of the border is blittable; the compiler refuses what is not.
[assembly: DisableRuntimeMarshalling]
[assembly: DefaultDllImportSearchPaths(
    DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
[assembly: CLSCompliant(false)]

// Every call has room for arguments and a result on its stack, of which only what is used is to be written.
// Nothing here reads memory of a local that it did not write.
[module: SkipLocalsInit]
