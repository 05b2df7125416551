// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Glint.Generators;

/// <summary>Makes a class of each interface that is marked with [GuestFunctions], and an extension method of each that is
/// marked with [HostFunctions]. Both use the public API as anybody would.</summary>
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
        IncrementalValuesProvider<Output> outputs = context.SyntaxProvider.ForAttributeWithMetadataName(attribute,
            static (node, _) => node is InterfaceDeclarationSyntax,
            (found, stop) => Generate((INamedTypeSymbol)found.TargetSymbol, isHost, stop));
        context.RegisterSourceOutput(outputs, static (target, output) =>
        {
            output.Problems.ForEach(target.ReportDiagnostic);
            if (output.Source is not null)
            {
                target.AddSource(output.Hint, SourceText.From(output.Source, Encoding.UTF8));
            }
        });
    }

    private static Output Generate(INamedTypeSymbol type, bool isHost, CancellationToken stop)
    {
        List<Diagnostic> problems = [];
        List<BorderMethod> methods = BorderMethod.Read(type, isHost, problems);
        stop.ThrowIfCancellationRequested();
        string hint = type.ToDisplayString().Replace('<', '_').Replace('>', '_') + (isHost ? ".Host.g.cs" : ".Guest.g.cs");
        string? source = problems.Count != 0 ? null : isHost ? HostSource(type, methods) : GuestSource(type, methods);
        return new Output(hint, source, problems);
    }

    private static string GuestSource(INamedTypeSymbol type, List<BorderMethod> methods)
    {
        string proxy = PlainName(type) + "Proxy";
        StringBuilder fields = new(), making = new(), calls = new();
        for (int i = 0; i < methods.Count; i++)
        {
            BorderMethod method = methods[i];
            IEnumerable<string> types = method.Arguments.Select(static p => BorderMethod.Text(p.Type));
            bool isVoid = method.Symbol.ReturnsVoid;
            string generic = string.Join(", ", isVoid ? types : types.Concat([method.Result]));
            string suffix = generic.Length == 0 ? "" : $"<{generic}>";
            string kind = isVoid ? "GuestAction" : "GuestFunction";
            fields.AppendLine($"    private readonly global::Glint.{kind}{suffix} _function{i};");
            making.AppendLine($"        _function{i} = sandbox.Get{(isVoid ? "Action" : "Function")}{suffix}({Literal(method.Name)});");
            string parameters = string.Join(", ", method.Symbol.Parameters.Select(Declaration));
            string arguments = string.Join(", ", method.Symbol.Parameters.Select(static p => "@" + p.Name));
            calls.AppendLine();
            calls.AppendLine("    /// <inheritdoc/>");
            calls.AppendLine($"    public {method.Result} {method.Symbol.Name}({parameters}) => _function{i}.Invoke({arguments});");
        }

        return Wrap(type, $$"""
            /// <summary>Calls the functions of a guest; checked when it is made.</summary>
            [global::System.CodeDom.Compiler.GeneratedCode("Glint.Generators", "0.2.0")]
            {{Visibility(type)}} sealed class {{proxy}} : {{BorderMethod.Text(type)}}
            {
            {{fields}}
                /// <summary>Looks all functions up in the sandbox' guest.</summary>
                /// <param name="sandbox">Whose functions these are; it stays the caller's.</param>
                /// <exception cref="global::Glint.SandboxException">The guest lacks one, or declares it otherwise.</exception>
                public {{proxy}}(global::Glint.Sandbox sandbox)
                {
                    global::System.ArgumentNullException.ThrowIfNull(sandbox);
            {{making}}    }
            {{calls}}}
            """);
    }

    private static string HostSource(INamedTypeSymbol type, List<BorderMethod> methods)
    {
        StringBuilder adding = new();
        foreach (BorderMethod method in methods)
        {
            string parameters = string.Join(", ", method.Symbol.Parameters.Select(Declaration));
            string arguments = string.Join(", ", method.Symbol.Parameters.Select(static p => "@" + p.Name));
            adding.AppendLine($"        functions.Add({Literal(method.Name)}, ({parameters}) => implementation.{method.Symbol.Name}({arguments}));");
        }

        string name = PlainName(type);
        return Wrap(type, $$"""
            /// <summary>Lets guests call an implementation of {{type.Name}}.</summary>
            [global::System.CodeDom.Compiler.GeneratedCode("Glint.Generators", "0.2.0")]
            {{Visibility(type)}} static class {{name}}Registration
            {
                /// <summary>Adds the methods of an implementation.</summary>
                /// <param name="functions">The set to add them to.</param>
                /// <param name="implementation">What is called; by several threads at once, if sandboxes are.</param>
                /// <returns>The set.</returns>
                public static global::Glint.HostFunctions Add{{name}}(this global::Glint.HostFunctions functions, {{BorderMethod.Text(type)}} implementation)
                {
                    global::System.ArgumentNullException.ThrowIfNull(functions);
                    global::System.ArgumentNullException.ThrowIfNull(implementation);
            {{adding}}        return functions;
                }
            }
            """);
    }

    private static string Wrap(INamedTypeSymbol type, string body)
    {
        string scope = type.ContainingNamespace.IsGlobalNamespace ? "" : $"namespace {type.ContainingNamespace.ToDisplayString()};\n\n";
        return $"// <auto-generated/>\n#nullable enable\n{scope}{body}\n";
    }

    // IRules is Rules, for the name of what is generated; nested interfaces carry the names of what they are in.
    private static string PlainName(INamedTypeSymbol type)
    {
        string name = type.Name.Length > 1 && type.Name[0] == 'I' && char.IsUpper(type.Name[1]) ? type.Name.Substring(1) : type.Name;
        return type.ContainingType is null ? name : type.ContainingType.Name + name;
    }

    // Not more visible than the interface, or anything that it is in.
    private static string Visibility(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? outer = type; outer is not null; outer = outer.ContainingType)
        {
            if (outer.DeclaredAccessibility != Accessibility.Public)
            {
                return "internal";
            }
        }

        return "public";
    }

    private static string Declaration(IParameterSymbol parameter) => $"{BorderMethod.Text(parameter.Type)} @{parameter.Name}";

    private static string Literal(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    private sealed class Output(string hint, string? source, List<Diagnostic> problems)
    {
        public string Hint { get; } = hint;

        public string? Source { get; } = source;

        public List<Diagnostic> Problems { get; } = problems;
    }
}
