// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Glint.Generators;
using Microsoft.CodeAnalysis;
using Xunit;

namespace Glint.Tests;

/// <summary>What the source generator makes compiles without a warning, whatever the interface is called and looks
/// like. [Mark] is both attributes, one after the other and then at once.</summary>
public sealed class GeneratorCodeTests
{
    private static readonly string[] s_marks =
        ["[Glint.GuestFunctions]", "[Glint.HostFunctions]", "[Glint.GuestFunctions, Glint.HostFunctions]"];

    public static TheoryData<string> Members =>
    [
        // All types.
        "bool A(bool x); int B(int x); uint C(uint x); long D(long x); ulong E(ulong x);",
        "float F(float x); double G(double x);",
        "string H(string x); byte[] I(byte[] x); void J(System.ReadOnlySpan<byte> x); void K();",
        "void Most(int a, int b, int c, int d, int e, int f, int g, int h);",
        "int Most(int a, int b, int c, int d, int e, int f, int g, int h);",
        "int Token(int a, int b, int c, int d, int e, int f, int g, System.Threading.CancellationToken h);",
        "void Scoped(scoped System.ReadOnlySpan<byte> value);",
        "",

        // Keywords, in all places.
        "int @class(int @event); void @this(int @params, string @ref, System.Threading.CancellationToken @in);",
        "int await(int async); void record(int var); void nameof(int field); void value(int scoped, int where);",

        // Names that generated code uses.
        "void A(int implementation, int functions); int B(int sandbox); void C(int _function0, int _function2);",
        "int _function0(int x); int __function0(int x); int _function1(int x);",
        "void GoodProxy(); int GoodRegistration(); void AddGood();",
        "void Invoke(int Invoke); int System(int Glint); int global(int System);",
        "void D(int D); int e(int e);",

        // Those of System.Object.
        "string ToString(); int GetHashCode(); int MemberwiseClone(); string GetType(); bool Equals(int a, int b);",

        // Overloads, with names of their own.
        """void Take(int a); [Glint.GuestName("b")] void Take(long a); [Glint.GuestName("c")] int Take(int a, int b);""",
        """[Glint.GuestName("take_text")] int Take(string a); int Take(System.ReadOnlySpan<byte> a);""",

        // Default values, and any number of values.
        "int A(int x = -5, uint y = 4000000000, long z = long.MinValue, ulong u = ulong.MaxValue, bool b = true);",
        "int B(float x = float.NaN, float y = -1.5f, float z = float.MaxValue);",
        "int C(double x = double.NegativeInfinity, double y = 1e300, double z = -0.0, double u = double.NaN);",
        """void C(string x = "a\"\n\0\uD800\u2028", string y = null!, byte[] z = null!);""",
        "void D(int x, System.Threading.CancellationToken token = default);",
        """
        void E([System.Runtime.InteropServices.Optional, System.Runtime.InteropServices.DefaultParameterValue(5)] int x,
            int y);
        """,
        "void F(params byte[] data); int G(int x, params System.ReadOnlySpan<byte> data);",
        "void H(System.ReadOnlySpan<byte> data = default);",

        // Members that no object has.
        "void A(); const int Size = 5; static int Twice(int x) => 2 * x; class Inner { } static int Count { get; set; }",

        // Names for the guest: the longest, and any characters.
        """[Glint.GuestName("n23456789012345678901234567890123456789012345678901234567890123")] void Longest();""",
        """[Glint.GuestName("ä\"\\ \t\r\n\U0001F600{0}")] void Odd(); [Glint.GuestName(@"a""b")] void Other();""",

        // What would be a warning where it is used.
        """[System.Obsolete] void Old(); [System.Obsolete("no")] int Older(int x);""",
        """[System.Obsolete("no \"really\"\n", true)] void Old(); [System.Obsolete(null, false)] int Older(int x);""",
        """[System.Obsolete("no", true)] string ToString(); [System.Obsolete("no", true)] int GetHashCode();""",
        """[System.Obsolete(DiagnosticId = "X", UrlFormat = "https://x/{0}")] void A(); [System.Obsolete("no")] void B();""",
        """[System.Obsolete("no", true, DiagnosticId = "not-an identifier")] void A();""",
        """[System.Diagnostics.CodeAnalysis.Experimental("X", UrlFormat = "https://x/{0}")] void New(); void Known();""",
        """
        [System.Diagnostics.CodeAnalysis.Experimental("X")] string ToString();
        [System.Diagnostics.CodeAnalysis.Experimental("Y"), System.Obsolete("no", true)] int New(int x);
        [System.Obsolete("no", true)] int Old(int x);
        """,
    ];

    public static TheoryData<string> Sources =>
    [
        // Places.
        "[Mark] interface IGood { void A(); }",
        "namespace Some.Where; [Mark] internal interface IGood { void A(); }",
        "namespace @in.@namespace { [Mark] public interface @class { void A(); } }",
        "namespace await.record; [Mark] public interface Where { void A(); }",
        "public class @class { [Mark] public interface @in { void A(); } }",
        "public static class Outer { [Mark] internal interface IGood { void A(); } }",
        "public class Outer { [Mark] protected internal interface IGood { void A(); } }",
        "internal class Outer { public struct Inner { [Mark] public interface IGood { void A(); } } }",
        "public interface IOuter { void B(); [Mark] public interface IGood { void A(); } }",
        "[Mark] public partial interface IGood { void A(); } public partial interface IGood { void B(); }",
        "namespace Ünï.Ꙛa‿b; [Mark] public interface IÄgood { void Größe(int größe); }",
        "[Mark] public interface I { void A(); } [Mark] public interface Ib { void A(); } [Mark] public interface _;",

        // Names that only look as if they were taken.
        "[Mark] public interface IA { void A(); } public interface A { void B(); }",
        "[Mark] public interface IA { void A(); } public class AProxy<T>; public class ARegistration<T>;",
        "[Mark] public interface IA; namespace N { [Mark] public interface IA; class B { [Mark] public interface IA; } }",
        "namespace N { [Mark] public interface IA { void A(); } } class AProxy; class ARegistration;",
        "[Mark] public interface IString { void A(); } class String; class Sandbox; class HostFunctions; class Func<T>;",
        "namespace Some { [Mark] public interface IA { void A(string x); } } namespace Some.System { class C; }",

        // Interfaces that extend others.
        "public interface IBase { int A(int x); } [Mark] public interface IGood : IBase { void B(); }",
        "public interface IBase<T> { T Get(T x); } [Mark] public interface IGood : IBase<int>;",
        """
        public interface IBase<T> { T Get(T x); }
        [Mark] public interface IGood : IBase<int> { [Glint.GuestName("b")] new int Get(int x); }
        """,
        """
        public interface IBase { [Glint.GuestName("a")] int F(int x); }
        [Mark] public interface IGood : IBase { [Glint.GuestName("b")] new long F(int x); }
        """,
        """
        public interface IOne { [Glint.GuestName("a")] int F(int x = 1); [Glint.GuestName("b")] int G(params byte[] x); }
        public interface ITwo { [Glint.GuestName("c")] int F(int x = 2); [Glint.GuestName("d")] int G(params byte[] x); }
        [Mark] public interface IGood : IOne, ITwo;
        """,
        """
        public interface IRoot { void A(); }
        public interface IOne : IRoot; public interface ITwo : IRoot;
        [Mark] public interface IGood : IOne, ITwo;
        """,
        "internal interface IBase { int @class(int @in); } [Mark] internal interface IGood : IBase { int GoodProxy(); }",
        "[Mark] public interface IGood : System.IDisposable { void A(); }",

        // Other settings of the project.
        "#nullable disable\n[Mark] public interface IGood { string A(string x, byte[] y); void B(string x = null); }",
        """
        [assembly: System.CLSCompliant(true)]
        [Mark, System.CLSCompliant(false)] public interface IGood { uint A(ulong x); }
        """,

        // What is told where it is used, of interfaces and of what they are in.
        """[Mark, System.Obsolete("no")] public interface IGood { void A(); }""",
        """[Mark, System.Obsolete("no", true)] public interface IGood { void A(); string ToString(); }""",
        """[Mark, System.Obsolete("no", DiagnosticId = "X")] public interface IGood { void A(); }""",
        """[Mark, System.Obsolete("no", true, DiagnosticId = "X-1")] public interface IGood { void A(); }""",
        """[Mark, System.Diagnostics.CodeAnalysis.Experimental("X")] public interface IGood { void A(); }""",
        """
        [Mark, System.Obsolete("no", true), System.Diagnostics.CodeAnalysis.Experimental("X")] public interface IGood
        {
            [System.Obsolete] void A();
            [System.Diagnostics.CodeAnalysis.Experimental("Y")] string ToString();
        }
        """,
        """
        [System.Diagnostics.CodeAnalysis.Experimental("X")] public class Far
        {
            [System.Obsolete("no", true)] public class Outer
            {
                [System.Diagnostics.CodeAnalysis.Experimental("Y")] public class Inner
                {
                    [Mark] public interface IGood { void A(); }
                }
            }
        }
        """,
        """
        [System.Obsolete("no", DiagnosticId = "X")] public interface IBase { string ToString(); int A(); }
        [System.Diagnostics.CodeAnalysis.Experimental("Y")] public interface INew { int GetHashCode(); int B(); }
        #pragma warning disable X, Y
        [Mark] public interface IGood : IBase, INew;
        #pragma warning restore X, Y
        """,
        """
        [System.Obsolete("no", true)] public interface IBase { string ToString(); int A(); }
        [Mark, System.Obsolete] public interface IGood : IBase;
        """,
        """
        [assembly: System.Diagnostics.CodeAnalysis.Experimental("X")]
        [Mark] public interface IGood { void A(); }
        """,
    ];

    [Theory]
    [MemberData(nameof(Members))]
    public void MembersCompileWithoutWarnings(string members) =>
        SourcesCompileWithoutWarnings($"[Mark] public interface IGood {{ {members} }}");

    [Theory]
    [MemberData(nameof(Sources))]
    public void SourcesCompileWithoutWarnings(string source)
    {
        foreach (string mark in s_marks)
        {
            string marked = source.Replace("[Mark]", mark, StringComparison.Ordinal)
                .Replace("[Mark,", mark[..^1] + ",", StringComparison.Ordinal);
            string generated = AssertCompiles(marked);
            Assert.Equal(mark.Contains("Guest", StringComparison.Ordinal),
                generated.Contains("Proxy(", StringComparison.Ordinal));
            Assert.Equal(mark.Contains("Host", StringComparison.Ordinal),
                generated.Contains("HostFunctions Add", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void OptionsOfACallAreNoArguments() => AssertCompiles("""
        [Glint.GuestFunctions] public interface IGood
        {
            int A(int a, int b, int c, int d, int e, int f, int g, int h, Glint.CallOptions options = default);
            void B(int a, int b, int c, int d, int e, int f, int g, int h, System.Threading.CancellationToken token);
            void C(Glint.CallOptions @default);
        }
        """);

    // The visibility is that of the interface, or of what it is in.
    [Theory]
    [InlineData("public", "[Mark] public interface IGood { void A(); }")]
    [InlineData("internal", "[Mark] interface IGood { void A(); }")]
    [InlineData("internal", "class Outer { [Mark] public interface IGood { void A(); } }")]
    [InlineData("internal", "public class Outer { [Mark] protected internal interface IGood { void A(); } }")]
    public void ClassesAreAsVisibleAsTheirInterface(string visibility, string source)
    {
        string generated = AssertCompiles(source.Replace("[Mark]", s_marks[2], StringComparison.Ordinal));
        string other = visibility == "public" ? "internal" : "public";
        Assert.Contains($"\n{visibility} sealed class ", generated, StringComparison.Ordinal);
        Assert.Contains($"\n{visibility} static class ", generated, StringComparison.Ordinal);
        Assert.DoesNotContain($"\n{other} ", generated, StringComparison.Ordinal);
    }

    [Fact]
    public void DefaultValuesAreThoseOfTheInterface() => AssertCompiles("""
        [Glint.GuestFunctions] public interface IGood
        {
            int A(int x = -5, string y = "a", float z = 1.5f);
            int B(params byte[] data);
        }
        public static class User
        {
            public static int Use(GoodProxy good) => good.A() + good.A(1) + good.A(z: 2) + good.B(1, 2, 3);
        }
        """);

    // Whoever uses what is generated is told what they would be told of the interface or the method.
    [Theory]
    [InlineData("CS0618", DiagnosticSeverity.Warning, """System.Obsolete("no")""")]
    [InlineData("CS0619", DiagnosticSeverity.Error, """System.Obsolete("no", true)""")]
    [InlineData("X", DiagnosticSeverity.Warning, """System.Obsolete("no", DiagnosticId = "X")""")]
    [InlineData("X", DiagnosticSeverity.Error, """System.Obsolete("no", error: true, DiagnosticId = "X")""")]
    [InlineData("X", DiagnosticSeverity.Error, """System.Diagnostics.CodeAnalysis.Experimental("X")""")]
    public void UsersAreToldWhatIsObsoleteOrExperimental(string id, DiagnosticSeverity severity, string mark)
    {
        const string User = """
            public static class User
            {
                public static void Make(Glint.Sandbox sandbox) { var made = new GoodProxy(sandbox); made.B(); }
                public static void Call(GoodProxy good) => good.A();
                public static void Add(Glint.HostFunctions functions) => functions.AddGood(null!);
            }
            """;
        string marks = s_marks[2];
        AssertTold($"[{mark}] {marks} public interface IGood {{ void A(); void B(); }} {User}",
            "GoodProxy", "GoodProxy", "functions.AddGood(null!)");
        AssertTold($"{marks} public interface IGood {{ [{mark}] void A(); void B(); }} {User}", "good.A()");

        void AssertTold(string source, params string[] places)
        {
            GeneratorRun run = GeneratorRun.Over(source);
            Assert.Empty(run.Problems);
            Assert.All(run.Warnings, w => Assert.Equal((id, severity), (w.Id, w.Severity)));
            Assert.Equal(places, run.Warnings.Select(w => GeneratorRun.MarkedText(source, w)));
        }
    }

    [Theory]
    [InlineData("""System.Obsolete("a \"\\\n", false, DiagnosticId = "X", UrlFormat = "https://x/{0}")""")]
    [InlineData("""System.Obsolete(null, true)""")]
    [InlineData("""System.Diagnostics.CodeAnalysis.Experimental("X", UrlFormat = "https://x/{0}", Message = "why")""")]
    public void AttributesAreCopiedWithAllTheirArguments(string mark)
    {
        string generated = AssertCompiles($"[{mark}] {s_marks[2]} public interface IGood {{ [{mark}] void A(); }}");
        int end = mark.IndexOf('(', StringComparison.Ordinal);
        string copy = $"[global::{mark[..end]}Attribute{mark[end..]}]\n";
        Assert.Contains($"\n{copy}[global::System.CodeDom", generated, StringComparison.Ordinal);
        Assert.Contains($"\n    {copy}    public void A()", generated, StringComparison.Ordinal);
        Assert.Contains($"\n    {copy}    public static ", generated, StringComparison.Ordinal);
    }

    [Fact]
    public void AProxyCanBeTheHostFunctionsOfAnotherSandbox() => AssertCompiles("""
        [Glint.GuestFunctions, Glint.HostFunctions] public interface IGood { int A(int x); }
        public static class User
        {
            public static Glint.HostFunctions Use(Glint.HostFunctions functions, Glint.Sandbox sandbox) =>
                functions.AddGood(new GoodProxy(sandbox));
        }
        """);

    [Fact]
    public void GeneratedCodeIsForPeopleToo()
    {
        string version = typeof(ProxyGenerator).Assembly.GetName().Version!.ToString(3);
        string generated = AssertCompiles("""
            namespace Some.Where;
            [Glint.GuestFunctions] public interface IRules { bool HTTPGet(string url, byte[] @class); void Stop(); }
            [Glint.HostFunctions] public interface IRulesHost { long Echo(long value); void Tell(); }
            """);
        Assert.Equal($$"""
            // <auto-generated/>
            #nullable enable
            #pragma warning disable CS0612, CS3001, CS3002

            namespace Some.Where;

            /// <summary>Calls the functions of a guest; checked when it is made.</summary>
            [global::System.CodeDom.Compiler.GeneratedCode("Glint.Generators", "{{version}}")]
            public sealed class RulesProxy : global::Some.Where.IRules
            {
                private readonly global::Glint.GuestFunction<string, byte[], bool> _function0;
                private readonly global::Glint.GuestAction _function1;

                /// <summary>Looks all functions up in the sandbox' guest.</summary>
                /// <param name="sandbox">Whose functions these are; it stays the caller's.</param>
                /// <exception cref="global::Glint.SandboxException">The guest lacks one, or declares another.</exception>
                public RulesProxy(global::Glint.Sandbox sandbox)
                {
                    global::System.ArgumentNullException.ThrowIfNull(sandbox);
                    this._function0 = sandbox.GetFunction<string, byte[], bool>("http_get");
                    this._function1 = sandbox.GetAction("stop");
                }

                /// <inheritdoc/>
                public bool HTTPGet(string url, byte[] @class) =>
                    this._function0.Invoke(url, @class);

                /// <inheritdoc/>
                public void Stop() =>
                    this._function1.Invoke();
            }
            // <auto-generated/>
            #nullable enable
            #pragma warning disable CS0612, CS3001, CS3002

            namespace Some.Where;

            /// <summary>Lets guests call an implementation of an interface.</summary>
            [global::System.CodeDom.Compiler.GeneratedCode("Glint.Generators", "{{version}}")]
            public static class RulesHostRegistration
            {
                /// <summary>Adds the methods of an implementation.</summary>
                /// <param name="functions">The set to add them to.</param>
                /// <param name="implementation">What is called; by several threads at once, if sandboxes are.</param>
                /// <returns>The set.</returns>
                public static global::Glint.HostFunctions AddRulesHost(
                    this global::Glint.HostFunctions functions, global::Some.Where.IRulesHost implementation)
                {
                    global::System.ArgumentNullException.ThrowIfNull(functions);
                    global::System.ArgumentNullException.ThrowIfNull(implementation);
                    return Register(functions, implementation);
                }

                private static global::Glint.HostFunctions Register(
                    global::Glint.HostFunctions functions, global::Some.Where.IRulesHost implementation) =>
                    functions
                        .Add("echo",
                            new global::System.Func<long, long>(implementation.Echo))
                        .Add("tell",
                            new global::System.Action(implementation.Tell));
            }

            """, generated);
    }

    private static string AssertCompiles(string source)
    {
        GeneratorRun run = GeneratorRun.Over(source);
        Assert.Empty(run.Problems);
        Assert.Empty(run.Warnings);
        return run.Generated;
    }
}
