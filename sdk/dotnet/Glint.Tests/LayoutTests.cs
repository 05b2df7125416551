// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Glint.Native;
using Xunit;

namespace Glint.Tests;

/// <summary>What this assembly believes of the C ABI is what the headers and the library say.</summary>
public sealed class LayoutTests
{
    private static readonly Assembly s_sdk = typeof(SandboxEngine).Assembly;

    [Fact]
    public void EveryFieldOfEveryStructLiesWhereCPutsIt()
    {
        List<string> wrong = [];
        int fields = 0;
        foreach (string line in Repository.Layout().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] part = line.Split(' ');
            Type type = s_sdk.GetType("Glint.Native.Native" + Pascal(part[0]["glint_".Length..]))
                ?? throw new InvalidOperationException($"{part[0]} has no struct in NativeStructs.cs.");
            (int Offset, int Size)? mine = part[1] == "-" ? (0, SizeOf(type)) : Find(type, part[1]);
            if (mine is not null)
            {
                fields++;
            }

            string expected = $"{part[2]} {part[3]}";
            if (mine is { } found && $"{found.Offset} {found.Size}" != expected)
            {
                wrong.Add($"{part[0]}.{part[1]}: C has {expected}, C# {found}");
            }
        }

        Assert.Empty(wrong);
        Assert.True(fields > 100, $"only {fields} fields were compared");
    }

    [Fact]
    public void EveryFieldInCSharpIsAFieldInC()
    {
        var known = Repository.Layout().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static l => l.Split(' ')).ToLookup(static p => "Native" + Pascal(p[0]["glint_".Length..]),
                static p => Pascal(p[1].Replace("as.bytes.", "", StringComparison.Ordinal)
                    .Replace("as.", "", StringComparison.Ordinal)));
        foreach (Type type in NativeStructs())
        {
            string[] mine = [.. type.GetFields(
                BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
                .Select(static f => f.Name)];
            Assert.NotEmpty(mine);
            Assert.All(mine, f => Assert.Contains(f, known[type.Name]));
        }
    }

    [Fact]
    public void TheLibraryHasTheSameSizes()
    {
        uint which = 1;
        for (; NativeMethods.StructSize((NativeStructId)which) is var size and not 0; which++)
        {
            Type type = s_sdk.GetType("Glint.Native.Native" + (NativeStructId)which)!;
            Assert.Equal((int)size, SizeOf(type));
        }

        Assert.Equal(NativeStructs().Count(), (int)which - 1);
        Assert.Equal(Enum.GetValues<NativeStructId>().Length, (int)which - 1);
    }

    [Fact]
    public void EveryStatusCodeHasItsNumberAndItsName()
    {
        var header = Constants().Where(static c => c.Name.StartsWith("GLINT_E_", StringComparison.Ordinal))
            .ToDictionary(static c => (int)c.Value, static c => c.Name);
        var mine = Enum.GetValues<SandboxErrorCode>().Where(static c => c != SandboxErrorCode.None).ToList();
        Assert.Equal(header.Keys.Order(), mine.Select(static c => (int)c).Order());
        foreach (SandboxErrorCode code in mine)
        {
            string expected = code switch
            {
                SandboxErrorCode.ImageWritableCode => "ImageWx",
                _ => code.ToString(),
            };
            Assert.Equal(expected, Pascal(header[(int)code]["GLINT_E_".Length..]));
            Assert.Equal(header[(int)code], Text.ToString(NativeMethods.StatusName((int)code)));
        }
    }

    [Fact]
    public void EveryConstantHasTheValueOfTheHeader()
    {
        var header = Constants().ToDictionary(static c => c.Name, static c => c.Value);
        Assert.Equal(header["GLINT_C_ABI_MAJOR"], NativeConstants.AbiMajor);
        // The minor number grows, so it is not among the constants that never change.
        Assert.Contains($"#define GLINT_C_ABI_MINOR {NativeConstants.AbiMinor}u",
            Repository.Read("include/glint/base.h"),
            StringComparison.Ordinal);
        Assert.Equal(header["GLINT_MAX_ARGUMENTS"], NativeConstants.MaxArguments);
        Assert.Equal(header["GLINT_DEADLINE_DEFAULT"], NativeConstants.DeadlineDefault);
        Assert.Equal(header["GLINT_DEADLINE_NONE"], NativeConstants.DeadlineNone);
        Assert.Equal(header["GLINT_EXPORTED"], (Int128)(int)GuestFunctionKind.Exported);
        Assert.Equal(header["GLINT_IMPORTED"], (Int128)(int)GuestFunctionKind.Imported);
        Assert.Equal(header["GLINT_SANDBOX_TRACE"], NativeConstants.SandboxTrace);
        Assert.Equal(header["GLINT_SANDBOX_END_ON_HOST_FAILURE"], NativeConstants.SandboxEndOnHostFailure);
        Assert.Equal(header["GLINT_SANDBOX_RESTORE_EACH_CALL"], NativeConstants.SandboxRestoreEachCall);
        Assert.Equal(header["GLINT_POOL_LAZY"], NativeConstants.PoolLazy);
        Assert.Equal(header["GLINT_POOL_NO_THREAD"], NativeConstants.PoolNoThread);
        Assert.Equal(header["GLINT_WAIT_NONE"], NativeConstants.WaitNone);
        Assert.Equal(header["GLINT_WAIT_FOREVER"], NativeConstants.WaitForever);
        CompareEnum<SandboxBackend>(header, "GLINT_BACKEND_");
        CompareEnum<SandboxState>(header, "GLINT_STATE_");
        CompareEnum<NativeStructId>(header, "GLINT_STRUCT_");
        string[] types = ["VOID", "BOOL", "I32", "U32", "I64", "U64", "F32", "F64", "STRING", "BYTES"];
        Assert.Equal(types.Length, Enum.GetValues<GuestType>().Length);
        Assert.All(types, (name, number) => Assert.Equal(header["GLINT_" + name], number));
    }

    [Fact]
    public void EveryExportedFunctionIsBoundOnce()
    {
        IEnumerable<string> exported = Repository.Table("abi/symbols.txt").Select(static l => l[0]);
        IEnumerable<string> bound = Repository.Sources().SelectMany(static s =>
            Regex.Matches(s.Text, "EntryPoint = \"(\\w+)\"").Select(static m => m.Groups[1].Value));
        Assert.Equal(exported.Order(StringComparer.Ordinal), bound.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(0x0001_0000u, false)]
    [InlineData(0x0001_0001u, true)]
    [InlineData(0x0001_0007u, true)]
    [InlineData(0x0000_ffffu, false)]
    [InlineData(0x0002_0000u, false)]
    [InlineData(0x0000_0000u, false)]
    public void OnlyTheSameMajorVersionOfTheAbiAndNoOlderMinorIsAccepted(uint version, bool accepted) =>
        Assert.Equal(accepted, LibraryCheck.CompareVersions(version) is null);

    [Theory]
    [InlineData(24u, false, true)]
    [InlineData(32u, false, false)]
    [InlineData(16u, false, false)]
    [InlineData(32u, true, true)]
    [InlineData(16u, true, false)]
    [InlineData(0u, true, false)]
    public void OnlyStructsThatTellTheirSizeMayGrow(uint size, bool mayGrow, bool accepted)
    {
        string? problem = LibraryCheck.CompareSizes(NativeStructId.Value, size, 24, mayGrow);
        Assert.Equal(accepted, problem is null);
        Assert.True(accepted || problem!.Contains("Value", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Name, Int128 Value)> Constants() =>
        Repository.Table("abi/constants.txt")
            .Where(static l => l.Length == 2 && Int128.TryParse(l[1], CultureInfo.InvariantCulture, out _))
            .Select(static l => (l[0], Int128.Parse(l[1], CultureInfo.InvariantCulture)));

    private static IEnumerable<Type> NativeStructs() =>
        Enum.GetNames<NativeStructId>().Select(static n => s_sdk.GetType("Glint.Native.Native" + n)!);

    private static void CompareEnum<T>(Dictionary<string, Int128> header, string prefix)
        where T : struct, Enum
    {
        var theirs = header.Where(h => h.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(h => $"{Pascal(h.Key[prefix.Length..])} {h.Value}");
        var mine = Enum.GetValues<T>().Select(static v =>
            $"{v} {Convert.ToInt64(v, CultureInfo.InvariantCulture)}");
        Assert.Equal(theirs.Order(StringComparer.Ordinal), mine.Order(StringComparer.Ordinal));
    }

    /// <summary>The field that C calls `name`; null for what C# has no name for, since it overlaps with
    /// others.</summary>
    private static (int Offset, int Size)? Find(Type type, string name)
    {
        if (name is "as" or "as.bytes")
        {
            return null;
        }

        string field = Pascal(name.Replace("as.bytes.", "", StringComparison.Ordinal)
            .Replace("as.", "", StringComparison.Ordinal));
        FieldInfo info = type.GetField(field)
            ?? throw new InvalidOperationException($"{type.Name} lacks the field {field}.");
        return ((int)Marshal.OffsetOf(type, field), SizeOf(info.FieldType));
    }

    private static int SizeOf(Type type) =>
        type.IsPointer || type.IsFunctionPointer || type.IsUnmanagedFunctionPointer
            ? nint.Size
            : Marshal.SizeOf(type);

    private static string Pascal(string snake) =>
        string.Concat(snake.Split('_', StringSplitOptions.RemoveEmptyEntries)
            .Select(static w => char.ToUpperInvariant(w[0]) + w[1..].ToLowerInvariant()));
}
