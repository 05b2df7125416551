// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every signature and struct of the border is blittable; the compiler refuses what is not.
[assembly: DisableRuntimeMarshalling]
[assembly: DefaultDllImportSearchPaths(
    DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
[assembly: CLSCompliant(false)]
