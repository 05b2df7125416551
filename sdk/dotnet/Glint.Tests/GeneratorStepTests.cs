// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Reflection;
using Glint.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Glint.Tests;

/// <summary>The source generator does nothing again that an edit does not concern.</summary>
public sealed class GeneratorStepTests
{
    private const string Source = """
        namespace N;
        [Glint.GuestFunctions] public interface IRules { long Score(string order, int level = 3); }
        [Glint.HostFunctions] public interface IRulesHost { string Lookup(string key); }
        """;

    private const string Wrong = "[Glint.GuestFunctions] public interface IWrong { decimal Price(); }";

    /// <summary>Runs the generator over a source and then, with what it remembers, over another.</summary>
    private static GeneratorRunResult RunTwice(string before, Func<CSharpCompilation, CSharpCompilation> edit)
    {
        GeneratorDriverOptions options = new(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true);
        GeneratorDriver driver = CSharpGeneratorDriver.Create([new ProxyGenerator().AsSourceGenerator()],
            parseOptions: GeneratorRun.Parsing, driverOptions: options);
        CSharpCompilation first = GeneratorRun.Compile(before);
        return driver.RunGenerators(first, TestContext.Current.CancellationToken)
            .RunGenerators(edit(first), TestContext.Current.CancellationToken)
            .GetRunResult().Results.Single();
    }

    private static CSharpCompilation Rewrite(CSharpCompilation compilation, string source) =>
        compilation.ReplaceSyntaxTree(compilation.SyntaxTrees.Single(), GeneratorRun.Tree(source));

    private static CSharpCompilation AddFile(CSharpCompilation compilation) =>
        compilation.AddSyntaxTrees(GeneratorRun.Tree("class Other { void Method() { } }"));

    // What became of the files and the diagnostics.
    private static IncrementalStepRunReason[] Reasons(GeneratorRunResult result) =>
    [
        .. result.TrackedOutputSteps.SelectMany(static s => s.Value).SelectMany(static s => s.Outputs)
            .Select(static o => o.Reason),
    ];

    private static void AssertNothingIsMadeAgain(GeneratorRunResult result, int outputs)
    {
        IncrementalStepRunReason[] reasons = Reasons(result);
        Assert.Equal(outputs, reasons.Length);
        Assert.All(reasons, static reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void AnEditOfAnotherFileMakesNothingAgain() => AssertNothingIsMadeAgain(
        RunTwice(Source, AddFile), outputs: 2);

    [Fact]
    public void AnEditOfAnotherFileReportsNothingAgain() => AssertNothingIsMadeAgain(
        RunTwice(Wrong, AddFile), outputs: 2);

    [Theory]
    [InlineData("// A line above all.\n" + Source)]
    [InlineData(Source + "\npublic class After { public int Number => 5; }")]
    public void AnEditBesideTheInterfacesMakesNothingAgain(string after) =>
        AssertNothingIsMadeAgain(RunTwice(Source, c => Rewrite(c, after)), outputs: 2);

    [Fact]
    public void AnEditOfAnInterfaceMakesOnlyItsClassAgain()
    {
        GeneratorRunResult result = RunTwice(Source, static c =>
            Rewrite(c, Source.Replace("int level", "long level", StringComparison.Ordinal)));
        IncrementalStepRunReason[] reasons = Reasons(result);
        Assert.Equal(1, reasons.Count(static r => r == IncrementalStepRunReason.Modified));
        Assert.Equal(1, reasons.Count(static r => r == IncrementalStepRunReason.Cached));
        Assert.Contains("GuestFunction<string, long, long>", result.GeneratedSources[0].SourceText.ToString(),
            StringComparison.Ordinal);
    }

    // It would keep whole compilations in memory, and never be equal to anything.
    [Theory]
    [InlineData(Source)]
    [InlineData(Wrong)]
    public void NoStepRemembersASymbolOrASyntaxTree(string source)
    {
        GeneratorRunResult result = RunTwice(source, static c => c);
        string[] names = ["Classes", "Interfaces", "Problems", "Repeated"];
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
        int values = 0;
        foreach (string name in names)
        {
            foreach (object value in result.TrackedSteps.GetValueOrDefault(name, [])
                .SelectMany(static step => step.Outputs).Select(static o => o.Value))
            {
                values++;
                AssertIsPlain(value, seen);
            }
        }

        Assert.True(values >= 4);
    }

    private static void AssertIsPlain(object? value, HashSet<object> seen)
    {
        if (value is null || value.GetType().IsPrimitive || value is string or DiagnosticDescriptor || !seen.Add(value))
        {
            return;
        }

        Assert.False(value is ISymbol or SyntaxNode or SyntaxTree or Compilation or SemanticModel or Location
            or Diagnostic, $"{value.GetType()} is remembered");
        if (value is IEnumerable items)
        {
            foreach (object? item in items)
            {
                AssertIsPlain(item, seen);
            }
        }

        for (Type? type = value.GetType(); type is not null; type = type.BaseType)
        {
            foreach (FieldInfo field in type.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                AssertIsPlain(field.GetValue(value), seen);
            }
        }
    }
}
