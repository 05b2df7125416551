// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Glint.Generators;

/// <summary>The extension method that adds an implementation to a set of host functions.</summary>
internal static class HostSource
{
    public static string Of(ProxyModel model)
    {
        StringBuilder adding = new();
        foreach (MethodModel method in model.Methods)
        {
            // Delegates and no lambdas: these would have parameters, whose names could be any.
            string target = method.IsInherited ? $"(({method.Owner})implementation)" : "implementation";
            adding.Append($"\n            .Add({Code.Literal(method.GuestName)},\n");
            adding.Append($"                new {Delegate(method)}({target}.{method.Name}))");
        }

        // It is the guest that calls an obsolete method: who adds an implementation need not hear of it.
        string obsolete = model.Methods.Any(static m => m.MarksAround.Obsolete is not null)
            ? "    [global::System.Obsolete]\n"
            : "";
        return $$"""
            /// <summary>Lets guests call an implementation of an interface.</summary>
            {{SourceFile.Attribute}}
            {{model.Visibility}} static class {{model.ClassName}}
            {
                /// <summary>Adds the methods of an implementation.</summary>
                /// <param name="functions">The set to add them to.</param>
                /// <param name="implementation">What is called; by several threads at once, if sandboxes are.</param>
                /// <returns>The set.</returns>
            {{model.Marks.Lines("    ")}}    public static global::Glint.HostFunctions Add{{model.PlainName}}(
                    this global::Glint.HostFunctions functions, {{model.Type}} implementation)
                {
                    global::System.ArgumentNullException.ThrowIfNull(functions);
                    global::System.ArgumentNullException.ThrowIfNull(implementation);
                    return Register(functions, implementation);
                }

            {{obsolete}}    private static global::Glint.HostFunctions Register(
                    global::Glint.HostFunctions functions, {{model.Type}} implementation) =>
                    functions{{adding}};
            }
            """;
    }

    private static string Delegate(MethodModel method)
    {
        IEnumerable<string> types = method.Parameters.Select(static p => p.Type);
        string list = string.Join(", ", method.Result is null ? types : types.Concat([method.Result]));
        return $"global::System.{(method.Result is null ? "Action" : "Func")}" + (list.Length == 0 ? "" : $"<{list}>");
    }
}
