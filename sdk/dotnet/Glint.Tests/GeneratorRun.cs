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

/// <summary>The source generator, run over a source as the compiler of a strict project runs it: with all warnings,
/// those about nullable references and documentation among them.</summary>
/// <param name="Problems">What the generator says.</param>
/// <param name="Warnings">What the compiler says about the source and all that was generated; errors, too.</param>
/// <param name="Generated">All that was generated.</param>
internal sealed record GeneratorRun(ImmutableArray<Diagnostic> Problems, ImmutableArray<Diagnostic> Warnings,
    string Generated)
{
    // Only the documentation of what is generated counts.
    private const string Head = "#pragma warning disable CS1591\n";

    public static CSharpParseOptions Parsing { get; } = new(documentationMode: DocumentationMode.Diagnose);

    private static IReadOnlyList<MetadataReference> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(static path => MetadataReference.CreateFromFile(path)),
    ];

    public static SyntaxTree Tree(string source) =>
        CSharpSyntaxTree.ParseText(source, Parsing, "Source.cs", Encoding.UTF8);

    public static CSharpCompilation Compile(string source) => CSharpCompilation.Create("Generated",
        [Tree(source)], References, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary,
            allowUnsafe: true, warningLevel: 9999, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorRun Over(string source)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        CSharpGeneratorDriver.Create([new ProxyGenerator().AsSourceGenerator()], parseOptions: Parsing)
            .RunGeneratorsAndUpdateCompilation(Compile(Head + source), out Compilation result,
                out ImmutableArray<Diagnostic> problems, stop);
        ImmutableArray<Diagnostic> all = result.Emit(Stream.Null, cancellationToken: stop).Diagnostics;
        return new GeneratorRun(problems, [.. all.Where(static d => d.Severity >= DiagnosticSeverity.Warning)],
            string.Concat(result.SyntaxTrees.Skip(1)));
    }

    /// <summary>The text of such a source that a diagnostic is at.</summary>
    public static string MarkedText(string source, Diagnostic diagnostic)
    {
        Assert.Equal("Source.cs", diagnostic.Location.GetLineSpan().Path);
        return (Head + source)[diagnostic.Location.SourceSpan.Start..diagnostic.Location.SourceSpan.End];
    }
}
