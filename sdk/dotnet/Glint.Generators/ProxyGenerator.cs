// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Glint.Generators;

/// <summary>Makes a class of each interface that is marked with [GuestFunctions], and an extension method of each that is
/// marked with [HostFunctions]. Both use the public API as anybody would.
/// <para>The first step reads the interfaces, after each edit. All that it hands on can be compared, so that the steps
/// after it run only for interfaces that have changed.</para></summary>
[Generator(LanguageNames.CSharp)]
public sealed class ProxyGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        Register(context, "Glint.GuestFunctionsAttribute", isHost: false);
        Register(context, "Glint.HostFunctionsAttribute", isHost: true);
    }

    private static void Register(IncrementalGeneratorInitializationContext context, string attribute, bool isHost)
    {
        IncrementalValuesProvider<MarkedInterface> marked = context.SyntaxProvider.ForAttributeWithMetadataName(attribute,
            static (node, _) => node is InterfaceDeclarationSyntax,
            (found, stop) => InterfaceReader.Read(found, isHost, stop))
            .WithTrackingName("Interfaces");
        IncrementalValueProvider<EquatableArray<string>> repeated = marked
            .Select(static (one, _) => one.ClassName)
            .Collect()
            .Select(static (names, _) => Repeated(names))
            .WithTrackingName("Repeated");

        // Classes and problems apart: a problem has a place, which changes with all that is written above it.
        var classes = marked.Select(static (one, _) => (one.ClassName, one.Model)).WithTrackingName("Classes");
        context.RegisterSourceOutput(classes.Combine(repeated),
            static (target, made) =>
            {
                if (made.Left is ({ } name, { } model) && !IsIn(name, made.Right))
                {
                    target.AddSource(SourceFile.Name(name), SourceText.From(SourceFile.Text(model), Encoding.UTF8));
                }
            });
        IncrementalValuesProvider<Problem> problems = marked.Combine(repeated)
            .SelectMany(static (made, _) => AllProblems(made.Left, made.Right))
            .WithTrackingName("Problems");
        context.RegisterSourceOutput(problems,
            static (target, problem) => target.ReportDiagnostic(problem.ToDiagnostic()));
    }

    // Classes are in files of their names, and for those the compiler does not tell upper from lower case.
    private static EquatableArray<string> Repeated(IEnumerable<string?> names) => new(names.OfType<string>()
        .GroupBy(static name => name, StringComparer.OrdinalIgnoreCase)
        .Where(static group => group.Count() > 1)
        .Select(static group => group.Key));

    private static bool IsIn(string name, EquatableArray<string> names) =>
        names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<Problem> AllProblems(MarkedInterface one, EquatableArray<string> repeated) =>
        one.ClassName is { } name && IsIn(name, repeated)
            ? one.Problems.Concat([new Problem(Problems.Taken, one.Place, one.Name, name,
                "the class for another interface, where case does not count")])
            : one.Problems;
}
