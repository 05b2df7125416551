// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Glint.Tests;

/// <summary>The example of the package's readme is the code between the two marks here, so that it
/// compiles.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void TheExampleOfTheReadmeIsTheOneThatCompiles()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Sdk, "README.md"));
        string source = File.ReadAllText(Path.Combine(Repository.Sdk, "Glint.Tests", "ReadmeTests.cs"));
        string example = Between(readme, "```csharp\n", "```");
        string[] lines = Between(source, "// <example>\n", "        // </example>").Split('\n');
        string compiled = string.Join('\n', lines.Select(static l => l.Length > 8 ? l[8..] : ""));
        Assert.Equal(example.TrimEnd(), compiled.TrimEnd());
    }

    private static string Between(string text, string begin, string end)
    {
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    /// <summary>Compiled, and not called: there is no such guest.</summary>
    internal static async Task<long> Example(string path, Dictionary<string, string> store,
        CancellationToken cancellationToken)
    {
        // <example>
        // The functions that the guest may call.
        using HostFunctions host = new();
        host.Add("fetch", (string key) => store[key]);
        host.Add("progress", (uint percent) => Console.WriteLine($"{percent} %"));

        // A checked program, and a sandbox of it.
        using GuestImage image = GuestImage.Load(path);
        using Sandbox sandbox = new(image, host, new SandboxOptions
        {
            Output = (stream, text) => Console.OpenStandardOutput().Write(text),
        });

        // A call by name; at most for a second.
        string report = sandbox.Call<string>("summarize",
            new CallOptions { Deadline = TimeSpan.FromSeconds(1) }, "2026", 12);

        // The same function often: found once, called without allocations.
        var checksum = sandbox.GetFunction<ReadOnlySpan<byte>, ulong>("checksum");
        ulong sum = checksum.Invoke(Encoding.UTF8.GetBytes(report));

        // Asynchronously; cancelling the token stops the guest.
        long answer = await sandbox.CallAsync<long>("think", cancellationToken, sum);
        // </example>
        return answer;
    }
}
