// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Glint.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Glint.Tests;

[GuestFunctions]
internal interface IMirror
{
    long First(long a, long b);

    long EchoI64(long value);

    [GuestName("echo_string")]
    string Repeat(string value, CancellationToken token);

    byte[] EchoBytes(ReadOnlySpan<byte> value);

    void Tell(uint number);

    void Spin(CallOptions options);
}

[HostFunctions]
internal interface IMirrorHost
{
    [GuestName("host_echo_i64")]
    long Echo(long value);

    string HostEchoString(string value, CancellationToken ending);

    [GuestName("host_echo_bytes")]
    byte[] Bytes(ReadOnlySpan<byte> value);

    void HostTell(uint number);
}

/// <summary>What the source generator makes, and what it refuses.</summary>
public sealed class ProxyTests : InteropTest
{
    private sealed class Host : IMirrorHost
    {
        public uint Told { get; private set; }

        public long Echo(long value) => value < 0 ? throw new ArgumentOutOfRangeException(nameof(value)) : value + 1;

        public string HostEchoString(string value, CancellationToken ending) => value + value;

        public byte[] Bytes(ReadOnlySpan<byte> value) => value.ToArray();

        public void HostTell(uint number) => Told = number;
    }

    private static void WithProxy(SandboxBackend backend, Action<MirrorProxy, Host> test)
    {
        Host host = new();
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = backend });
        using GuestImage image = GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
        using HostFunctions functions = new HostFunctions().AddMirrorHost(host);
        string[] added = ["host_echo_i64", "host_echo_string", "host_echo_bytes", "host_tell"];
        foreach (GuestFunctionInfo function in image.Functions)
        {
            if (function.Kind == GuestFunctionKind.Imported && !added.Contains(function.Name))
            {
                functions.Add(function.Name, function.Signature, static _ => throw new NotSupportedException());
            }
        }

        using Sandbox sandbox = new(image, functions);
        test(new MirrorProxy(sandbox), host);
    }

    private static void CallAll(MirrorProxy guest, Host host)
    {
        Assert.Equal(3, guest.First(3, 4));
        Assert.Equal(42, guest.EchoI64(41));
        Assert.Equal("abab", guest.Repeat("ab", TestContext.Current.CancellationToken));
        Assert.Equal([1, 2, 3], guest.EchoBytes([1, 2, 3]));
        guest.Tell(7);
        Assert.Equal(7u, host.Told);
        HostFunctionException thrown = Assert.Throws<HostFunctionException>(() => guest.EchoI64(-1));
        Assert.IsType<ArgumentOutOfRangeException>(thrown.InnerException);
        Assert.Throws<SandboxDeadlineException>(
            () => guest.Spin(new CallOptions { Deadline = TimeSpan.FromMilliseconds(5) }));
    }

    [Fact]
    public void ProxiesCallThereAndBackOnTheFakeBackend() => WithProxy(SandboxBackend.Fake, CallAll);

    [Fact]
    [Trait("Category", "Kvm")]
    public void ProxiesCallThereAndBackOnKvm() => WithProxy(SandboxBackend.Kvm, CallAll);

    [Fact]
    public void CallsOfProxiesAllocateNothing() => WithProxy(SandboxBackend.Fake, static (guest, _) =>
    {
        static void Round(MirrorProxy guest)
        {
            for (int i = 0; i < 1000; i++)
            {
                guest.First(i, 1);
                guest.EchoI64(i);
                guest.Tell(7);
            }
        }

        Round(guest);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Round(guest);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    });

    [Fact]
    public void AProxyOfAGuestThatDeclaresOtherwiseIsRefused()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Fake });
        using GuestImage image = GuestImage.Load(Setup.Guest("faults"), new GuestImageOptions { Engine = engine });
        using Sandbox sandbox = new(image);
        Assert.Throws<SandboxException>(() => new MirrorProxy(sandbox));
    }

    [Theory]
    [InlineData("GLINT001", "decimal Price();")]
    [InlineData("GLINT001", "void Take(System.DateTime when);")]
    [InlineData("GLINT001", "System.ReadOnlySpan<byte> View();")]
    [InlineData("GLINT001", "void Take(System.Threading.CancellationToken early, int late);")]
    [InlineData("GLINT002", "int Size { get; }")]
    [InlineData("GLINT002", "void Take<T>();")]
    [InlineData("GLINT002", "void Take(ref int value);")]
    [InlineData("GLINT003", "void Take(int value); void Take(long value);")]
    [InlineData("GLINT003", "void Take(); [Glint.GuestName(\"take\")] void Other();")]
    [InlineData("GLINT004", "void Take(int a, int b, int c, int d, int e, int f, int g, int h, int i);")]
    public void WhatCannotCrossIsAnErrorOfTheCompiler(string id, string member)
    {
        foreach (string attribute in new[] { "GuestFunctions", "HostFunctions" })
        {
            ImmutableArray<Diagnostic> found = Generate($"[Glint.{attribute}] public interface IBad {{ {member} }}", out _);
            Assert.Contains(found, d => d.Id == id && d.Severity == DiagnosticSeverity.Error);
        }
    }

    [Fact]
    public void GeneratedCodeCompilesWithoutWarnings()
    {
        ImmutableArray<Diagnostic> found = Generate("""
            namespace Some.Where;
            [Glint.GuestFunctions] public interface IRules
            {
                bool A(bool x); int B(int @class); uint C(uint x); ulong D(ulong x); float E(float x); double F(double x);
                void G(); string H(string a, byte[] b, System.ReadOnlySpan<byte> c, Glint.CallOptions options);
            }
            public static class Outer { [Glint.HostFunctions] internal interface IHost { void A(); bool HTTPGet(string url); } }
            """, out Compilation compilation);
        Assert.Empty(found);
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(static d => d.Severity >= DiagnosticSeverity.Warning));
        string all = string.Concat(compilation.SyntaxTrees.Select(static t => t.ToString()));
        Assert.Contains("\"http_get\"", all, StringComparison.Ordinal);
        Assert.Contains("class OuterHostRegistration", all, StringComparison.Ordinal);
    }

    private static ImmutableArray<Diagnostic> Generate(string source, out Compilation result)
    {
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        IEnumerable<MetadataReference> references = trusted.Split(Path.PathSeparator)
            .Select(static path => MetadataReference.CreateFromFile(path));
        CSharpCompilation compilation = CSharpCompilation.Create("Generated",
            [CSharpSyntaxTree.ParseText(source, encoding: Encoding.UTF8)], references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        CSharpGeneratorDriver.Create(new ProxyGenerator()).RunGeneratorsAndUpdateCompilation(compilation, out result,
            out ImmutableArray<Diagnostic> problems);
        return problems;
    }
}
