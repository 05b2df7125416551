// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Xunit;

namespace Glint.Tests;

/// <summary>What the source generator refuses: with an error of its own, at the place to blame, and with no error of
/// the compiler's in code that nobody wrote.</summary>
public sealed class GeneratorRefusalTests
{
    private const string Name63 = "n23456789012345678901234567890123456789012345678901234567890123";

    private static readonly string[] s_attributes = ["Glint.GuestFunctions", "Glint.HostFunctions"];

    // In members and in whole sources, [|…|] is around the text that is marked.
    public static TheoryData<string, string> Members => new()
    {
        // Types.
        { "GLINT001", "decimal [|Price|]();" },
        { "GLINT001", "void Take(System.DateTime [|when|]);" },
        { "GLINT001", "System.ReadOnlySpan<byte> [|View|]();" },
        { "GLINT001", "void Take(System.Span<byte> [|value|]);" },
        { "GLINT001", "void Take(System.ReadOnlySpan<char> [|value|]);" },
        { "GLINT001", "void Take(System.Threading.CancellationToken [|early|], int late);" },
        { "GLINT001", "void Take(System.Threading.CancellationToken [|one|], System.Threading.CancellationToken two);" },
        { "GLINT001", "System.Threading.Tasks.Task [|Wait|]();" },
        { "GLINT001", "System.Threading.Tasks.Task<int> [|WaitAsync|]();" },
        { "GLINT001", "System.Threading.Tasks.ValueTask<int> [|WaitAsync|]();" },
        { "GLINT001", "(int a, int b) [|Pair|]();" },
        { "GLINT001", "void Take((int, int) [|pair|]);" },
        { "GLINT001", "unsafe void Take(int* [|pointer|]);" },
        { "GLINT001", "unsafe void Take(delegate*<void> [|pointer|]);" },
        { "GLINT001", "void Take(nint [|number|]);" },
        { "GLINT001", "void Take(object [|value|]);" },
        { "GLINT001", "void Take(dynamic [|value|]);" },
        { "GLINT001", "void Take(System.DayOfWeek [|day|]);" },
        { "GLINT001", "void Take(params string[] [|all|]);" },
        { "GLINT001", "void Take(byte[,] [|all|]);" },
        { "GLINT001", "void Take(byte[][] [|all|]);" },

        // Null cannot cross.
        { "GLINT001", "string? [|Find|]();" },
        { "GLINT001", "byte[]? [|Find|]();" },
        { "GLINT001", "int? [|Find|]();" },
        { "GLINT001", "void Take(string? [|text|]);" },
        { "GLINT001", "void Take(byte[]? [|data|]);" },
        { "GLINT001", "void Take(long? [|number|]);" },
        { "GLINT001", "void Take([System.Diagnostics.CodeAnalysis.AllowNull] string [|text|]);" },
        { "GLINT001", "[return: System.Diagnostics.CodeAnalysis.MaybeNull] string [|Find|]();" },

        // What is no method, or none that can be called from elsewhere.
        { "GLINT002", "int [|Size|] { get; }" },
        { "GLINT002", "int [|Size|] { get; set; }" },
        { "GLINT002", "int [|this|][int index] { get; }" },
        { "GLINT002", "event System.Action [|Changed|];" },
        { "GLINT002", "static abstract void [|Make|]();" },
        { "GLINT002", "static virtual void [|Make|]() { }" },
        { "GLINT002", "static abstract int [|Size|] { get; }" },
        { "GLINT002", "static abstract IBad operator [|+|](IBad a, IBad b);" },
        { "GLINT002", "int [|Default|]() => 5;" },
        { "GLINT002", "sealed int [|Helper|]() => 5;" },
        { "GLINT002", "private int [|Helper|]() => 5;" },
        { "GLINT002", "internal void [|Take|]();" },
        { "GLINT002", "protected void [|Take|]();" },
        { "GLINT002", "void [|Take|]<T>();" },
        { "GLINT002", "void [|Take|](ref int value);" },
        { "GLINT002", "void [|Take|](out int value);" },
        { "GLINT002", "void [|Take|](in int value);" },
        { "GLINT002", "void [|Take|](ref readonly int value);" },
        { "GLINT002", "ref int [|Take|]();" },
        { "GLINT002", "ref readonly int [|Take|]();" },
        { "GLINT002", "void [|Take|](__arglist);" },

        // Names that are there twice.
        { "GLINT003", "void Take(int value); void [|Take|](long value);" },
        { "GLINT003", "void Take(); [Glint.GuestName(\"take\")] void [|Other|]();" },
        { "GLINT003", "[Glint.GuestName(\"a\")] void One(); [Glint.GuestName(\"a\")] void [|Two|]();" },

        // Too many parameters.
        { "GLINT004", "void [|Take|](int a, int b, int c, int d, int e, int f, int g, int h, int i);" },
        {
            "GLINT004",
            "int [|T|](int a, int b, int c, int d, int e, int f, int g, int h, int i, System.Threading.CancellationToken j);"
        },

        // Names that nothing can have.
        { "GLINT007", "[Glint.GuestName([|\"\"|])] void Take();" },
        { "GLINT007", "[Glint.GuestName([|null!|])] void Take();" },
        { "GLINT007", "[Glint.GuestName([|\"a\\0b\"|])] void Take();" },
        { "GLINT007", "[Glint.GuestName([|\"\\uD800\"|])] void Take();" },
        { "GLINT007", "[Glint.GuestName([|\"\\uDC00\\uD800\"|])] void Take();" },
        { "GLINT007", $"[Glint.GuestName([|\"{Name63}4\"|])] void Take();" },
        { "GLINT007", "[Glint.GuestName([|\"ääääääääääääääääääääääääääääääää\"|])] void Take();" },
        { "GLINT007", $"void [|{Name63}4|]();" },
    };

    public static TheoryData<string, string> Sources => new()
    {
        // Interfaces that generated code cannot reach.
        { "GLINT005", "[Mark] public interface [|IBad|]<T> { void Take(); }" },
        { "GLINT005", "public class Outer<T> { [Mark] public interface [|IBad|] { void Take(); } }" },
        { "GLINT005", "public class Outer<T> { public class Inner { [Mark] public interface [|IBad|] { void Take(); } } }" },
        { "GLINT005", "public class Outer { [Mark] private interface [|IBad|] { void Take(); } }" },
        { "GLINT005", "public class Outer { [Mark] interface [|IBad|] { void Take(); } }" },
        { "GLINT005", "public class Outer { [Mark] protected interface [|IBad|] { void Take(); } }" },
        { "GLINT005", "public class Outer { [Mark] private protected interface [|IBad|] { void Take(); } }" },
        { "GLINT005", "public class Outer { private class Inner { [Mark] public interface [|IBad|] { void Take(); } } }" },
        { "GLINT005", "[Mark] file interface [|IBad|] { void Take(); }" },
        { "GLINT005", "file class Outer { [Mark] public interface [|IBad|] { void Take(); } }" },

        // Names of generated classes that are taken.
        { "GLINT006", "[Mark] public interface [|IBad|] { } public class BadProxy; public class BadRegistration;" },
        {
            "GLINT006",
            "[Mark] public interface [|IBad|] { } namespace BadProxy { class C; } namespace BadRegistration { class C; }"
        },
        {
            "GLINT006",
            "namespace N; [Mark] public interface [|IBad|]; enum BadProxy { } delegate void BadRegistration();"
        },

        // What other interfaces declare.
        { "GLINT001", "public interface IBase { decimal [|Price|](); } [Mark] public interface IBad : IBase;" },
        {
            "GLINT001",
            "public interface IBase<T> { void Take(T [|value|]); } [Mark] public interface IBad : IBase<decimal>;"
        },
        { "GLINT001", "[Mark] public interface [|IBad|] : System.ICloneable;" },
        {
            "GLINT003",
            "public interface IBase { void [|Take|](); } [Mark] public interface IBad : IBase { new void Take(); }"
        },
        {
            "GLINT002",
            "public interface IBase { void Take(); } [Mark] public interface IBad : IBase { void IBase.[|Take|]() { } }"
        },
    };

    [Theory]
    [MemberData(nameof(Members))]
    public void AMemberThatCannotCrossIsAnErrorAtIt(string id, string member) =>
        AssertRefused(id, $"[Mark] public interface IBad {{ {member} }}");

    [Theory]
    [MemberData(nameof(Sources))]
    public void AWrongInterfaceIsAnErrorAtIt(string id, string source) => AssertRefused(id, source);

    // Two of one name, or of one for who ignores case, as files do.
    [Theory]
    [InlineData("[Mark] public interface [|IA|]; [Mark] public interface [|A|];")]
    [InlineData("public class X { [Mark] public interface [|IA|]; } [Mark] public interface [|IXA|];")]
    [InlineData("public class X { [Mark] public interface [|IA|]; } [Mark] public interface [|XA|];")]
    [InlineData("namespace N; public class X { [Mark] public interface [|A|]; [Mark] public interface [|IA|]; }")]
    [InlineData("[Mark] public interface [|IFoo|]; [Mark] public interface [|IFOO|];")]
    public void InterfacesWhoseClassesWouldHaveTheSameNameAreErrors(string source) => AssertRefused("GLINT006", source);

    // A token is one of the eight parameters that HostFunctions.Add takes; options are the caller's, and none calls these.
    [Theory]
    [InlineData("GLINT004", "int [|T|](int a, int b, int c, int d, int e, int f, int g, int h, System.Threading.CancellationToken i);")]
    [InlineData("GLINT001", "void T(Glint.CallOptions [|options|]);")]
    public void WhatOnlyHostFunctionsCannotIsAnErrorForThem(string id, string member) =>
        AssertRefused(id, $"[Glint.HostFunctions] public interface IBad {{ {member} }}");

    // Exactly what is marked is wrong, and nothing is generated.
    private static void AssertRefused(string id, string source)
    {
        string[] marked = [.. Regex.Matches(source, @"\[\|(.*?)\|\]").Select(static m => m.Groups[1].Value)];
        string plain = Regex.Replace(source, @"\[\||\|\]", "");
        foreach (string attribute in s_attributes)
        {
            string tried = plain.Replace("[Mark]", $"[{attribute}]", StringComparison.Ordinal);
            GeneratorRun run = GeneratorRun.Over(tried);
            Assert.All(run.Problems, d => Assert.Equal((id, DiagnosticSeverity.Error), (d.Id, d.Severity)));
            Assert.Equal(marked, run.Problems.Select(d => GeneratorRun.MarkedText(tried, d)));
            Assert.Empty(run.Warnings);
            Assert.Empty(run.Generated);
        }
    }
}
