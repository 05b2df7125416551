// SPDX-License-Identifier: Apache-2.0
using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Xunit;

namespace Glint.Tests;

/// <summary>What a program sees whose native library is missing or wrong: a copy of the SDK of its own, whose
/// library the test chooses.</summary>
public sealed class LibraryLoadTests
{
    [Fact]
    public void AMissingLibraryIsAnExceptionThatSaysWhereItShouldBe()
    {
        Exception e = MakeEngine(static () => throw new DllNotFoundException("no such file"));
        Assert.Equal("NativeLibraryException", e.GetType().Name);
        Assert.Contains("runtimes/linux-x64/native", e.Message, StringComparison.Ordinal);
        Assert.Contains("no such file", e.Message, StringComparison.Ordinal);
        Assert.IsType<DllNotFoundException>(e.InnerException);
    }

    [Fact]
    public void ALibraryThatLacksFunctionsIsAnExceptionThatSaysSo()
    {
        Exception e = MakeEngine(static () => NativeLibrary.Load("libm.so.6"));
        Assert.Equal("NativeLibraryException", e.GetType().Name);
        Assert.Contains("older release", e.Message, StringComparison.Ordinal);
    }

    private static Exception MakeEngine(Func<nint> load)
    {
        AssemblyLoadContext context = new("its own", isCollectible: true);
        try
        {
            Assembly copy = context.LoadFromAssemblyPath(typeof(SandboxEngine).Assembly.Location);
            NativeLibrary.SetDllImportResolver(copy, (_, _, _) => load());
            ConstructorInfo constructor = copy.GetType(typeof(SandboxEngine).FullName!)!.GetConstructors()[0];
            return Assert.Throws<TargetInvocationException>(() => constructor.Invoke([null])).InnerException!;
        }
        finally
        {
            context.Unload();
        }
    }
}
