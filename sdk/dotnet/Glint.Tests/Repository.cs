// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Glint.Tests;

/// <summary>The sources, for tests that compare this SDK with the headers.</summary>
internal static class Repository
{
    private static readonly string s_tests = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "SourceRoot").Value!;

    private static string Root => Path.GetFullPath(Path.Combine(s_tests, "../../.."));

    public static string Sdk => Path.GetFullPath(Path.Combine(s_tests, ".."));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Lines of `path` without comments, split at spaces.</summary>
    public static IEnumerable<string[]> Table(string path) =>
        Read(path).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static l => l[0] != '#')
            .Select(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    public static IEnumerable<(string Name, string Text)> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Sdk, "Glint"), "*.cs", SearchOption.AllDirectories)
            .Where(static f => !f.Contains("/obj/", StringComparison.Ordinal)
                && !f.Contains("/bin/", StringComparison.Ordinal))
            .Select(static f => (Path.GetFileName(f), File.ReadAllText(f)));

    /// <summary>What tests/abi/layout.c prints: compiled here, or in the file that GLINT_LAYOUT
    /// names.</summary>
    public static string Layout()
    {
        if (Environment.GetEnvironmentVariable("GLINT_LAYOUT") is { Length: > 0 } given)
        {
            return File.ReadAllText(given);
        }

        DirectoryInfo directory = Directory.CreateTempSubdirectory("glint-layout");
        try
        {
            string program = Path.Combine(directory.FullName, "layout");
            Run("cc", "-std=c11", "-I" + Path.Combine(Root, "include"), "-o", program,
                Path.Combine(Root, "tests/abi/layout.c"));
            return Run(program);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
        })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} ended with status {process.ExitCode}.");
    }
}
