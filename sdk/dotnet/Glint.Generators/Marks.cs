// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Glint.Generators;

/// <summary>The attributes that say something to the users of what they are on. Generated code carries them on, and may
/// itself use what they are on: what is obsolete because it is obsolete too, what is experimental by a pragma. The compiler
/// sees one of the two at most, and has no pragma for errors about obsolete things: so [Obsolete] comes first.</summary>
/// <param name="Obsolete">[Obsolete] as code, or null.</param>
/// <param name="Experimental">[Experimental] as code, or null.</param>
/// <param name="ExperimentalIds">The warnings about all that is experimental.</param>
internal sealed record Marks(string? Obsolete, string? Experimental, EquatableArray<string> ExperimentalIds)
{
    private const string ObsoleteName = "System.ObsoleteAttribute";
    private const string ExperimentalName = "System.Diagnostics.CodeAnalysis.ExperimentalAttribute";

    /// <summary>Those of one symbol.</summary>
    public static Marks On(ISymbol symbol) => Of([symbol]);

    /// <summary>Those of a symbol and of all that it is in; of each kind the nearest.</summary>
    public static Marks Around(ISymbol symbol)
    {
        List<ISymbol> symbols = [];
        for (ISymbol? next = symbol; next is not null; next = next.ContainingSymbol)
        {
            symbols.Add(next);
        }

        return Of(symbols);
    }

    /// <summary>Lines of code.</summary>
    public string Lines(string indent) => string.Concat(
        new[] { Obsolete, Experimental }.OfType<string>().Select(mark => $"{indent}{mark}\n"));

    private static Marks Of(List<ISymbol> symbols)
    {
        // An attribute with arguments that it does not take has no constructor: the compiler says so at its place.
        AttributeData[] all = [.. symbols.SelectMany(static s => s.GetAttributes())
            .Where(static a => a.AttributeConstructor is not null)];
        AttributeData[] experimental = [.. all.Where(static a => Name(a) == ExperimentalName)];
        return new Marks(all.Where(static a => Name(a) == ObsoleteName).Select(Source).FirstOrDefault(),
            experimental.Select(Source).FirstOrDefault(),
            new(experimental.SelectMany(static a => a.ConstructorArguments).Select(static c => c.Value).OfType<string>()
                .Where(SyntaxFacts.IsValidIdentifier)));
    }

    private static string? Name(AttributeData attribute) => attribute.AttributeClass?.ToDisplayString();

    private static string Source(AttributeData attribute)
    {
        IEnumerable<string> arguments = attribute.ConstructorArguments.Select(Value)
            .Concat(attribute.NamedArguments.Select(static a => $"{a.Key} = {Value(a.Value)}"));
        string list = string.Join(", ", arguments);
        return $"[global::{Name(attribute)}" + (list.Length == 0 ? "]" : $"({list})]");
    }

    private static string Value(TypedConstant constant) =>
        constant.Value is string text ? Code.Literal(text) : constant.ToCSharpString();
}
