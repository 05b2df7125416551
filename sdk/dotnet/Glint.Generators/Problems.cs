// SPDX-License-Identifier: Apache-2.0
using Microsoft.CodeAnalysis;

namespace Glint.Generators;

/// <summary>What can be wrong with a marked interface.</summary>
internal static class Problems
{
    public static readonly DiagnosticDescriptor Type = Make("GLINT001", "This type cannot cross the border",
        "'{0}' has type {1}, which cannot cross the border: use bool, int, uint, long, ulong, float, double, string, byte[] "
        + "or, for parameters, ReadOnlySpan<byte>");

    public static readonly DiagnosticDescriptor Shape = Make("GLINT002", "This member cannot be a function of a guest",
        "'{0}' cannot cross the border: only methods can, that are not generic and take their parameters by value");

    public static readonly DiagnosticDescriptor Name = Make("GLINT003", "Two functions have the same name",
        "'{0}' has the name \"{1}\" like another method of its interface; give it another one with [GuestName]");

    public static readonly DiagnosticDescriptor Count = Make("GLINT004", "A function has too many parameters",
        "'{0}' has {1} parameters; at most 8 are possible in a proxy");

    private static DiagnosticDescriptor Make(string id, string title, string message) =>
        new(id, title, message, "Glint", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
