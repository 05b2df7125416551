// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Glint.Generators;

/// <summary>A diagnostic before it is one: it can be compared.</summary>
internal sealed record Problem(DiagnosticDescriptor Descriptor, Place? Place, EquatableArray<string> Arguments)
{
    public Problem(DiagnosticDescriptor descriptor, Place? place, params string[] arguments)
        : this(descriptor, place, new EquatableArray<string>(arguments))
    {
    }

    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(Descriptor, Place?.ToLocation(), [.. Arguments.Cast<object>()]);
}

/// <summary>A place in a source file. A Location would hold on to the whole compilation.</summary>
internal sealed record Place(string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static Place? Of(Location? location) =>
        location is { IsInSource: true }
            ? new Place(location.SourceTree!.FilePath, location.SourceSpan, location.GetLineSpan().Span)
            : null;

    public Location ToLocation() => Location.Create(Path, Span, Lines);
}
