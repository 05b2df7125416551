// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Glint.Generators;

/// <summary>How things are written in C#.</summary>
internal static class Code
{
    public static string Type(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    public static string Namespace(INamespaceSymbol space) => space.IsGlobalNamespace ? "" : space.ToDisplayString();

    /// <summary>An identifier; with an @ if it would be a keyword without, anywhere.</summary>
    public static string Name(string name) =>
        SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None && SyntaxFacts.GetContextualKeywordKind(name) == SyntaxKind.None
            ? name
            : "@" + name;

    public static string Literal(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    /// <summary>The default value of a parameter, or null.</summary>
    public static string? Default(IParameterSymbol parameter) => !parameter.HasExplicitDefaultValue
        ? null
        : parameter.ExplicitDefaultValue switch
        {
            null => parameter.Type.IsReferenceType ? "default!" : "default",
            bool value => value ? "true" : "false",
            string value => Literal(value),
            float value when float.IsNaN(value) => "float.NaN",
            float value when float.IsInfinity(value) => value > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity",
            float value => value.ToString("R", CultureInfo.InvariantCulture) + "F",
            double value when double.IsNaN(value) => "double.NaN",
            double value when double.IsInfinity(value) => value > 0 ? "double.PositiveInfinity" : "double.NegativeInfinity",
            double value => value.ToString("R", CultureInfo.InvariantCulture) + "D",
            IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
            _ => null,
        };
}
