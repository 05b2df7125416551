// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Glint.Generators;

/// <summary>Reads a marked interface: what is to be generated for it, or what is wrong with it.</summary>
internal sealed class InterfaceReader
{
    private readonly INamedTypeSymbol _type;
    private readonly bool _isHost;
    private readonly Place? _place;
    private readonly string _plainName;
    private readonly string _className;
    private readonly List<Problem> _problems = [];

    private InterfaceReader(GeneratorAttributeSyntaxContext found, bool isHost)
    {
        _type = (INamedTypeSymbol)found.TargetSymbol;
        _isHost = isHost;
        _place = Place.Of(((InterfaceDeclarationSyntax)found.TargetNode).Identifier.GetLocation());
        _plainName = PlainName(_type);
        _className = _plainName + (isHost ? "Registration" : "Proxy");
    }

    public static MarkedInterface Read(GeneratorAttributeSyntaxContext found, bool isHost, CancellationToken stop)
    {
        InterfaceReader reader = new(found, isHost);
        if (reader.Obstacle() is { } obstacle)
        {
            Problem problem = new(Problems.Place, reader._place, reader._type.Name, obstacle);
            return new MarkedInterface(reader._type.Name, reader._place, null, null, new([problem]));
        }

        reader.CheckClassName(found.SemanticModel.Compilation);
        ProxyModel model = new(isHost, Code.Type(reader._type), Code.Namespace(reader._type.ContainingNamespace),
            reader._plainName, reader._className, reader.IsPublic() ? "public" : "internal",
            Marks.Around(reader._type), new(reader.ReadMethods(stop)));
        string fullName = model.Namespace.Length == 0 ? model.ClassName : $"{model.Namespace}.{model.ClassName}";
        return new MarkedInterface(reader._type.Name, reader._place, fullName,
            reader._problems.Count == 0 ? model : null, new(reader._problems));
    }

    // IRules is Rules, for the names of what is generated; nested interfaces carry the name of what they are in.
    private static string PlainName(INamedTypeSymbol type)
    {
        string name = type.Name.Length > 1 && type.Name[0] == 'I' && char.IsUpper(type.Name[1])
            ? type.Name.Substring(1)
            : type.Name;
        return type.ContainingType is null ? name : type.ContainingType.Name + name;
    }

    private IEnumerable<INamedTypeSymbol> TypeAndOuterOnes()
    {
        for (INamedTypeSymbol? type = _type; type is not null; type = type.ContainingType)
        {
            yield return type;
        }
    }

    // Not more visible than the interface, or anything that it is in.
    private bool IsPublic() => TypeAndOuterOnes().All(static t => t.DeclaredAccessibility == Accessibility.Public);

    // Why code in another file and outside of all types cannot use the interface, or null.
    private string? Obstacle()
    {
        foreach (INamedTypeSymbol type in TypeAndOuterOnes())
        {
            if (type.IsGenericType)
            {
                return $"{type.Name} is generic";
            }

            if (type.IsFileLocal)
            {
                return $"{type.Name} is local to its file";
            }

            if (type.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Internal
                or Accessibility.ProtectedOrInternal))
            {
                return $"{type.Name} is neither public nor internal";
            }
        }

        return null;
    }

    private void CheckClassName(Compilation compilation)
    {
        ISymbol? taken = _type.ContainingNamespace.GetMembers(_className).FirstOrDefault(member =>
            member is INamespaceSymbol or INamedTypeSymbol { Arity: 0 }
            && compilation.IsSymbolAccessibleWithin(member, compilation.Assembly));
        if (taken is not null)
        {
            string kind = taken is INamespaceSymbol ? "a namespace" : "another type";
            _problems.Add(new Problem(Problems.Taken, _place, _type.Name, _className, kind));
        }
    }

    private List<MethodModel> ReadMethods(CancellationToken stop)
    {
        List<MethodModel> methods = [];
        HashSet<string> guestNames = [];
        HashSet<string> signatures = [];

        // Its own methods are first: where they hide others, they get the public name.
        foreach (ISymbol member in new[] { _type }.Concat(_type.AllInterfaces).SelectMany(static t => t.GetMembers()))
        {
            stop.ThrowIfCancellationRequested();
            if (IsOfNoInterest(member))
            {
                continue;
            }

            if (Misshape(member) is { } reason)
            {
                Report(Problems.Shape, member, member.Name, reason);
                continue;
            }

            IMethodSymbol method = (IMethodSymbol)member;
            string guestName = GuestNames.Of(method);
            CheckName(method, guestName, isNew: guestNames.Add(guestName));
            CheckTypes(method);
            CheckCount(method);
            methods.Add(Model(method, guestName, isNew: signatures.Add(Signature(method))));
        }

        return methods;
    }

    // What neither a proxy has to implement nor an implementation of host functions; accessors come with their property.
    private static bool IsOfNoInterest(ISymbol member) =>
        member is INamedTypeSymbol or IFieldSymbol or IMethodSymbol { AssociatedSymbol: not null }
        || member is { IsStatic: true, IsAbstract: false, IsVirtual: false };

    // Why this member is no function that could be called through the border, or null.
    private static string? Misshape(ISymbol member) => member switch
    {
        IPropertySymbol { IsIndexer: true } => "it is an indexer, and only methods can",
        IPropertySymbol => "it is a property, and only methods can",
        IEventSymbol => "it is an event, and only methods can",
        { IsStatic: true } => "it is static, and a proxy is an object",
        IMethodSymbol { MethodKind: not MethodKind.Ordinary } or not IMethodSymbol => "it is no ordinary method",
        { IsAbstract: false } => "it has a body, which would be what the function does without a guest",
        { DeclaredAccessibility: not Accessibility.Public } => "it is not public",
        IMethodSymbol { IsGenericMethod: true } => "it is generic",
        IMethodSymbol { RefKind: not RefKind.None } => "it returns a reference",
        IMethodSymbol { IsVararg: true } => "it takes a list of arguments of any types",
        IMethodSymbol method => method.Parameters.FirstOrDefault(static p => p.RefKind != RefKind.None) is { } reference
            ? $"its parameter '{reference.Name}' is a reference"
            : null,
    };

    private static string Signature(IMethodSymbol method) =>
        $"{method.Name}({string.Join(", ", method.Parameters.Select(static p => Code.Type(p.Type)))})";

    // Those of System.Object, of which an interface may have its own.
    private static bool IsOfObject(IMethodSymbol method) => method.Parameters.Length == 0
        && method.Name is "ToString" or "GetHashCode" or "GetType" or "MemberwiseClone" or "Finalize";

    private static bool IsToken(ITypeSymbol type) => type.ToDisplayString() == "System.Threading.CancellationToken";

    private static bool IsOption(ITypeSymbol type) => IsToken(type) || type.ToDisplayString() == "Glint.CallOptions";

    private static bool Crosses(ITypeSymbol type) =>
        type.NullableAnnotation != NullableAnnotation.Annotated
        && (type.SpecialType is SpecialType.System_Boolean or SpecialType.System_Int32 or SpecialType.System_UInt32
                or SpecialType.System_Int64 or SpecialType.System_UInt64 or SpecialType.System_Single
                or SpecialType.System_Double or SpecialType.System_String
            || type is IArrayTypeSymbol { Rank: 1, ElementType.SpecialType: SpecialType.System_Byte });

    private static bool MayBeNull(IEnumerable<AttributeData> attributes) => attributes.Any(static a =>
        a.AttributeClass?.ToDisplayString() is "System.Diagnostics.CodeAnalysis.AllowNullAttribute"
            or "System.Diagnostics.CodeAnalysis.MaybeNullAttribute");

    private void CheckName(IMethodSymbol method, string guestName, bool isNew)
    {
        if (GuestNames.Flaw(guestName) is { } flaw)
        {
            SyntaxNode? attribute = GuestNames.Attribute(method)?.ApplicationSyntaxReference?.GetSyntax();
            Place? place = Place.Of((attribute as AttributeSyntax)?.ArgumentList?.Arguments.FirstOrDefault()?.GetLocation());
            _problems.Add(new Problem(Problems.GuestName, place ?? PlaceOf(method), method.Name, flaw));
        }
        else if (!isNew)
        {
            Report(Problems.Name, method, method.Name, guestName);
        }
    }

    private void CheckTypes(IMethodSymbol method)
    {
        if (!method.ReturnsVoid && (!Crosses(method.ReturnType) || MayBeNull(method.GetReturnTypeAttributes())))
        {
            ReportType(method, method.ReturnType);
        }

        foreach (IParameterSymbol parameter in method.Parameters)
        {
            bool isSpan = parameter.Type.ToDisplayString() == "System.ReadOnlySpan<byte>";
            bool isOption = IsOption(parameter.Type) && parameter.Ordinal == method.Parameters.Length - 1
                && (!_isHost || IsToken(parameter.Type));
            if (!isSpan && !isOption && (!Crosses(parameter.Type) || MayBeNull(parameter.GetAttributes())))
            {
                ReportType(parameter, parameter.Type);
            }
        }
    }

    private void ReportType(ISymbol symbol, ITypeSymbol type) => Report(Problems.Type, symbol, symbol.Name,
        type.ToDisplayString(), _isHost
            ? "nothing can be null, and the last parameter may be a CancellationToken"
            : "nothing can be null, and the last parameter may be a CancellationToken or a CallOptions");

    private void CheckCount(IMethodSymbol method)
    {
        int count = method.Parameters.Count(p => _isHost || !IsOption(p.Type));
        if (count > 8)
        {
            Report(Problems.Count, method, method.Name, $"{count}");
        }
    }

    private MethodModel Model(IMethodSymbol method, string guestName, bool isNew) => new(
        Code.Type(method.ContainingType), Code.Name(method.Name), guestName,
        method.ReturnsVoid ? null : Code.Type(method.ReturnType),
        IsInherited: !SymbolEqualityComparer.Default.Equals(method.ContainingType, _type),
        IsExplicit: !isNew || method.Name == _className || IsOfObject(method),
        Marks.On(method), Marks.Around(method),
        new(method.Parameters.Select(p => new ParameterModel(Code.Type(p.Type), Code.Name(p.Name), !IsOption(p.Type),
            p.IsParams, method.Parameters.Skip(p.Ordinal).All(static q => q.IsOptional) ? Code.Default(p) : null))));

    private void Report(DiagnosticDescriptor descriptor, ISymbol where, params string[] arguments) =>
        _problems.Add(new Problem(descriptor, PlaceOf(where), arguments));

    // What another assembly declares is in no source file: then it is the marked interface that is to blame.
    private Place? PlaceOf(ISymbol symbol) => Place.Of(symbol.Locations.FirstOrDefault()) ?? _place;
}
