// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Glint.Tests;

/// <summary>Rules of the border that no analyzer knows.</summary>
public sealed class SourceTests
{
    // Functions that do nothing but read a few fields: a collection waits while one of them runs.
    private static readonly string[] s_withoutTransition = ["glint_host_call_arguments"];

    [Fact]
    public void OnlyTrivialGettersSkipTheGcTransition()
    {
        string[] marked = [.. Repository.Sources().SelectMany(static s =>
            Regex.Matches(
                s.Text,
                @"//[^\n]*\n\s*\[SuppressGCTransition\]\s*\[LibraryImport\(Library, EntryPoint = ""(\w+)""")
                .Select(static m => m.Groups[1].Value))];
        int all = Repository.Sources().Sum(static s => Regex.Count(s.Text, @"\[SuppressGCTransition\]"));
        Assert.Equal(s_withoutTransition, marked);
        Assert.Equal(all, marked.Length);
    }

    [Theory]
    [InlineData(@"\[DllImport")]
    [InlineData(@"ThreadStatic|ThreadLocal|AsyncLocal")]
    [InlineData(
        @"System\.Reflection|GetMethod\(|Activator\.|MakeGenericType|Delegate\.CreateDelegate|DynamicInvoke")]
    [InlineData(@"(?m)^\s*~\w+\(\)")]
    [InlineData(@"Marshal\.GetFunctionPointerForDelegate|UnmanagedFunctionPointer")]
    public void TheSdkDoesWithout(string pattern) =>
        Assert.Empty(Repository.Sources().Where(s => Regex.IsMatch(s.Text, pattern)).Select(static s =>
            s.Name));

    [Fact]
    public void HandlesGivenToTheNativeSideAreMadeAndFreedInOnePlaceEach()
    {
        string[] files = [.. Repository.Sources().Where(static s => Regex.IsMatch(s.Text,
            @"GCHandle<\w+>\.(To|From)IntPtr"))
            .Select(static s => s.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(["Callbacks.cs", "HostTokens.cs"], files);
    }

    // The statements of a trampoline, without what is in their blocks.
    [Fact]
    public void EveryTrampolineIsOneTryBlock()
    {
        string text = Repository.Sources().Single(static s => s.Name == "Trampolines.cs").Text;
        string[] bodies = [.. Regex.Matches(text, @"\[UnmanagedCallersOnly[^\n]*\n[^\n]*\n    \{\n(.*?\n)    \}\n",
            RegexOptions.Singleline).Select(static m => Regex.Replace(m.Groups[1].Value, @"(?m)^( {12}.*)?\n", ""))];
        Assert.Equal(7, bodies.Length);
        Assert.Equal(bodies.Length, Regex.Count(text, @"\[UnmanagedCallersOnly"));
        const string Block = @"\n        \{\n        \}\n";
        Assert.All(bodies, static body => Assert.Matches(
            $@"\A(        \w+\?? \w+ = (null|default);\n)*        try{Block}"
            + $@"(        catch \(\w+\){Block})*        catch \(Exception e\){Block}(        finally{Block})?\z", body));
    }
}
