// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;

namespace Glint.Generators;

/// <summary>The names that guests know methods by.</summary>
internal static class GuestNames
{
    // GLINT_ABI_NAME_SIZE, without the NUL at the end.
    private const int MostBytes = 63;

    /// <summary>The [GuestName] of a method, or null.</summary>
    public static AttributeData? Attribute(IMethodSymbol method) => method.GetAttributes().FirstOrDefault(static a =>
        a.AttributeClass?.ToDisplayString() == "Glint.GuestNameAttribute" && a.ConstructorArguments.Length == 1);

    public static string Of(IMethodSymbol method) =>
        Attribute(method) is { } given ? given.ConstructorArguments[0].Value as string ?? "" : SnakeCase(method.Name);

    /// <summary>Why no function can have this name, or null.</summary>
    public static string? Flaw(string name)
    {
        if (name.Length == 0)
        {
            return "it is empty";
        }

        if (name.IndexOf('\0') >= 0)
        {
            return "it contains the character NUL";
        }

        try
        {
            int bytes = new UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(name);
            return bytes > MostBytes ? $"it has {bytes} bytes as UTF-8, and at most {MostBytes} are possible" : null;
        }
        catch (EncoderFallbackException)
        {
            return "it contains half of a surrogate pair, which has no UTF-8";
        }
    }

    // EchoI64 → echo_i64, HTTPGet → http_get.
    private static string SnakeCase(string name)
    {
        StringBuilder text = new();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (begins && name[i - 1] != '_')
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
