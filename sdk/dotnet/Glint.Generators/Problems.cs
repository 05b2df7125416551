// SPDX-License-Identifier: Apache-2.0
using Microsoft.CodeAnalysis;

namespace Glint.Generators;

/// <summary>What can be wrong with a marked interface.</summary>
internal static class Problems
{
    public static readonly DiagnosticDescriptor Type = Make("GLINT001", "This type cannot cross the border",
        "'{0}' has type {1}, which cannot cross the border: use bool, int, uint, long, ulong, float, double, string, byte[] "
        + "or, for parameters, ReadOnlySpan<byte>; {2}");

    public static readonly DiagnosticDescriptor Shape = Make("GLINT002", "This member cannot be a function of a guest",
        "'{0}' cannot cross the border: {1}");

    public static readonly DiagnosticDescriptor Name = Make("GLINT003", "Two functions have the same name",
        "'{0}' has the name \"{1}\" like another method of its interface; give it another one with [GuestName]");

    public static readonly DiagnosticDescriptor Count = Make("GLINT004", "A function has too many parameters",
        "'{0}' has {1} parameters; at most 8 are possible in a proxy, not counting the options of a call, and counting the "
        + "cancellation token of a host function");

    public static readonly DiagnosticDescriptor Place = Make("GLINT005", "Nothing can be generated for this interface",
        "'{0}' cannot be reached by generated code: {1}");

    public static readonly DiagnosticDescriptor Taken = Make("GLINT006", "The name of the generated class is taken",
        "The class for '{0}' would be {1}, which is the name of {2}; rename the interface");

    public static readonly DiagnosticDescriptor GuestName = Make("GLINT007", "This cannot be the name of a function",
        "'{0}' has a name that no function of a guest can have: {1}; give it another one with [GuestName]");

    private static DiagnosticDescriptor Make(string id, string title, string message) =>
        new(id, title, message, "Glint", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
