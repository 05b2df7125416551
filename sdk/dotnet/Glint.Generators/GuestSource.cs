// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Glint.Generators;

/// <summary>The class that calls the functions of a guest.</summary>
internal static class GuestSource
{
    public static string Of(ProxyModel model)
    {
        StringBuilder fields = new(), making = new(), calls = new();
        int number = 0;
        foreach (MethodModel method in model.Methods)
        {
            string field = Field(model, number++);
            string types = Types(method);
            string kind = method.Result is null ? "Action" : "Function";
            string parameters = string.Join(", ", method.Parameters.Select(p => Declaration(p, method.IsExplicit)));
            string arguments = string.Join(", ", method.Parameters.Select(static p => p.Name));
            string name = method.IsExplicit ? $"{method.Owner}.{method.Name}" : method.Name;
            string access = method.IsExplicit ? "" : "public ";
            fields.Append($"    private readonly global::Glint.Guest{kind}{types} {field};\n");
            making.Append($"        this.{field} = sandbox.Get{kind}{types}({Code.Literal(method.GuestName)});\n");

            // Who calls a method under the name of its interface is told by that, which this code names.
            Marks marks = method.IsExplicit ? method.MarksAround : method.Marks;
            calls.Append($"\n    /// <inheritdoc/>\n{marks.Lines("    ")}");
            calls.Append($"    {access}{method.Result ?? "void"} {name}({parameters}) =>\n");
            calls.Append($"        this.{field}.Invoke({arguments});\n");
        }

        return $$"""
            /// <summary>Calls the functions of a guest; checked when it is made.</summary>
            {{model.Marks.Lines("")}}{{SourceFile.Attribute}}
            {{model.Visibility}} sealed class {{model.ClassName}} : {{model.Type}}
            {
            {{fields}}
                /// <summary>Looks all functions up in the sandbox' guest.</summary>
                /// <param name="sandbox">Whose functions these are; it stays the caller's.</param>
                /// <exception cref="global::Glint.SandboxException">The guest lacks one, or declares another.</exception>
                public {{model.ClassName}}(global::Glint.Sandbox sandbox)
                {
                    global::System.ArgumentNullException.ThrowIfNull(sandbox);
            {{making}}    }
            {{calls}}}
            """;
    }

    // Members of one class: methods of the interface may have such a name, too.
    private static string Field(ProxyModel model, int number)
    {
        string field = $"_function{number}";
        while (model.Methods.Any(m => m.Name == field))
        {
            field = "_" + field;
        }

        return field;
    }

    private static string Types(MethodModel method)
    {
        IEnumerable<string> types = method.Parameters.Where(static p => p.IsArgument).Select(static p => p.Type);
        string list = string.Join(", ", method.Result is null ? types : types.Concat([method.Result]));
        return list.Length == 0 ? "" : $"<{list}>";
    }

    // Who calls a method under the name of its interface gets the default values from there.
    private static string Declaration(ParameterModel parameter, bool isExplicit) =>
        (parameter.IsParams && !isExplicit ? "params " : "") + $"{parameter.Type} {parameter.Name}"
        + (parameter.Default is null || isExplicit ? "" : $" = {parameter.Default}");
}
