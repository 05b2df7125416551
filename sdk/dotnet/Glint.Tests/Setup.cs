// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

// The counters of live objects are the process's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Glint.Tests;

/// <summary>Where things are, from the environment.</summary>
internal static class Setup
{
    /// <summary>GLINT_NATIVE_LIBRARY: libglint.so. Without it, the loader looks where it always
    /// does.</summary>
    public static string? NativeLibraryPath => Environment.GetEnvironmentVariable("GLINT_NATIVE_LIBRARY");

    /// <summary>A guest program of tests/guests, in the directory GLINT_TEST_GUESTS.</summary>
    public static string Guest(string name)
    {
        string directory = Environment.GetEnvironmentVariable("GLINT_TEST_GUESTS")
            ?? throw new InvalidOperationException(
                "Set GLINT_TEST_GUESTS to the directory with the built guest programs (tests/guests).");
        string path = Path.Combine(directory, name);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException(
                "The guest program is not built: cmake --build … --target glint_test_guests.", path);
    }

    [ModuleInitializer]
    [SuppressMessage(
        "Usage", "CA2255:The ModuleInitializer attribute is only intended to be used in application code",
        Justification = "This is an application.")]
    internal static void ResolveLibrary()
    {
        if (NativeLibraryPath is { Length: > 0 } path)
        {
            NativeLibrary.SetDllImportResolver(typeof(SandboxEngine).Assembly, (name, _, _) =>
                name == "glint" ? NativeLibrary.Load(path) : 0);
        }
    }
}
