// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;

namespace Glint.Generators;

/// <summary>A method of a marked interface, checked.</summary>
internal sealed class BorderMethod
{
    private const int MostParameters = 8;

    private BorderMethod(IMethodSymbol symbol, string name)
    {
        Symbol = symbol;
        Name = name;
    }

    public IMethodSymbol Symbol { get; }

    /// <summary>As the guest knows it.</summary>
    public string Name { get; }

    /// <summary>The parameters that cross the border.</summary>
    public IEnumerable<IParameterSymbol> Arguments => Symbol.Parameters.Where(static p => !IsOption(p.Type));

    /// <summary>The last parameter, if it is one of the call and not of the function.</summary>
    public IParameterSymbol? Option => Symbol.Parameters.FirstOrDefault(static p => IsOption(p.Type));

    public string Result => Text(Symbol.ReturnType);

    /// <summary>The methods of `type` and of the interfaces that it extends; what is wrong goes to
    /// `problems`.</summary>
    public static List<BorderMethod> Read(INamedTypeSymbol type, bool isHost, List<Diagnostic> problems)
    {
        List<BorderMethod> methods = [];
        HashSet<string> names = [];
        foreach (ISymbol member in type.AllInterfaces.Concat([type]).SelectMany(static t => t.GetMembers()))
        {
            if (member is not IMethodSymbol { MethodKind: MethodKind.Ordinary, IsStatic: false, IsGenericMethod: false } method
                || method.Parameters.Any(static p => p.RefKind != RefKind.None))
            {
                problems.Add(Problem(Problems.Shape, member, member.Name));
                continue;
            }

            BorderMethod checkedMethod = new(method, NameOf(method));
            if (!names.Add(checkedMethod.Name))
            {
                problems.Add(Problem(Problems.Name, method, method.Name, checkedMethod.Name));
            }

            checkedMethod.Check(isHost, problems);
            methods.Add(checkedMethod);
        }

        return methods;
    }

    public static string Text(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    private static Diagnostic Problem(DiagnosticDescriptor descriptor, ISymbol where, params object[] arguments) =>
        Diagnostic.Create(descriptor, where.Locations.FirstOrDefault(), arguments);

    private static bool IsOption(ITypeSymbol type) =>
        type.ToDisplayString() is "System.Threading.CancellationToken" or "Glint.CallOptions";

    private static bool Crosses(ITypeSymbol type) =>
        type.SpecialType is SpecialType.System_Boolean or SpecialType.System_Int32 or SpecialType.System_UInt32
            or SpecialType.System_Int64 or SpecialType.System_UInt64 or SpecialType.System_Single
            or SpecialType.System_Double or SpecialType.System_String
        || type is IArrayTypeSymbol { Rank: 1, ElementType.SpecialType: SpecialType.System_Byte };

    private static string NameOf(IMethodSymbol method)
    {
        AttributeData? given = method.GetAttributes()
            .FirstOrDefault(static a => a.AttributeClass?.ToDisplayString() == "Glint.GuestNameAttribute");
        return given is { ConstructorArguments.Length: 1 } && given.ConstructorArguments[0].Value is string name
            ? name
            : SnakeCase(method.Name);
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

    private void Check(bool isHost, List<Diagnostic> problems)
    {
        if (!Symbol.ReturnsVoid && !Crosses(Symbol.ReturnType))
        {
            problems.Add(Problem(Problems.Type, Symbol, Symbol.Name, Symbol.ReturnType.ToDisplayString()));
        }

        foreach (IParameterSymbol parameter in Symbol.Parameters)
        {
            bool isSpan = parameter.Type.ToDisplayString() == "System.ReadOnlySpan<byte>";
            bool isOption = IsOption(parameter.Type) && parameter.Ordinal == Symbol.Parameters.Length - 1
                && (!isHost || parameter.Type.Name == "CancellationToken");
            if (!isSpan && !isOption && !Crosses(parameter.Type))
            {
                problems.Add(Problem(Problems.Type, parameter, parameter.Name, parameter.Type.ToDisplayString()));
            }
        }

        if (Arguments.Count() > MostParameters)
        {
            problems.Add(Problem(Problems.Count, Symbol, Symbol.Name, Arguments.Count()));
        }
    }
}
