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

/// <summary>The examples of the package's readme are the code between the marks here, so that they
/// compile.</summary>
public sealed class ReadmeTests
{
    [Theory]
    [InlineData("A checked program", "example")]
    [InlineData("TakeSnapshot", "snapshots")]
    [InlineData("SandboxPool", "pools")]
    public void TheExamplesOfTheReadmeAreThoseThatCompile(string contained, string mark)
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Sdk, "README.md"));
        string source = File.ReadAllText(Path.Combine(Repository.Sdk, "Glint.Tests", "ReadmeTests.cs"));
        string example = Examples(readme).Single(e => e.Contains(contained, StringComparison.Ordinal));
        string[] lines = Between(source, $"// <{mark}>\n", $"        // </{mark}>").Split('\n');
        string compiled = string.Join('\n', lines.Select(static l => l.Length > 8 ? l[8..] : ""));
        Assert.Equal(example.TrimEnd(), compiled.TrimEnd());
    }

    [Fact]
    [Trait("Category", "Kvm")]
    public void TheExampleOfSnapshotsRuns() =>
        Assert.Equal([1u, 2u, 2u, 2u, 2u], Snapshots(Guests.Kvm("dirt")));

    [Fact]
    [Trait("Category", "Kvm")]
    public async Task TheExampleOfPoolsRuns()
    {
        using Sandbox sandbox = new(Guests.Kvm("dirt"));
        sandbox.Call("count");
        using Snapshot snapshot = sandbox.TakeSnapshot();
        ulong[] counted = await Pools(snapshot, TestContext.Current.CancellationToken);
        Assert.Equal([2u, 2u, 2u], counted);
    }

    private static IEnumerable<string> Examples(string readme) =>
        readme.Split("```csharp\n").Skip(1)
            .Select(static e => e[..e.IndexOf("```", StringComparison.Ordinal)]);

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
    private static ulong[] Snapshots(GuestImage image)
    {
        // <snapshots>
        // The guest counts its calls. This one stands for a start-up that takes long.
        using Sandbox first = new(image);
        ulong one = first.Call<ulong>("count"); // 1
        using Snapshot snapshot = first.TakeSnapshot();

        // Any number of sandboxes go on from there, each for itself.
        using Sandbox second = new(snapshot);
        ulong two = second.Call<ulong>("count"); // 2

        // Back to the snapshot, also after a fault, a deadline or a cancellation.
        second.Restore();
        ulong again = second.Call<ulong>("count"); // 2

        // Or before each call, by itself.
        using Sandbox isolated = new(snapshot, new SandboxOptions { RestoreEachCall = true });
        ulong third = isolated.Call<ulong>("count"); // 2
        ulong fourth = isolated.Call<ulong>("count"); // 2
        // </snapshots>
        return [one, two, again, third, fourth];
    }

    private static async Task<ulong[]> Pools(Snapshot snapshot, CancellationToken cancellationToken)
    {
        ulong one;
        ulong two = 0;
        ulong three;
        // <pools>
        // Eight sandboxes at most, for any number of threads.
        using SandboxPool pool = new(snapshot, new SandboxPoolOptions { Size = 8 });

        // Each use begins with the snapshot, whatever became of the sandbox before.
        using (Sandbox sandbox = pool.Acquire(cancellationToken))
        {
            one = sandbox.Call<ulong>("count", cancellationToken); // 2
        } // gives it back, also after a fault

        // Without blocking, when all are in use: not at all, or not this thread.
        if (pool.TryAcquire(out Sandbox? free))
        {
            using (free)
            {
                two = free.Call<ulong>("count"); // 2
            }
        }

        using Sandbox awaited = await pool.AcquireAsync(cancellationToken);
        three = await awaited.CallAsync<ulong>("count", cancellationToken); // 2
        // </pools>
        return [one, two, three];
    }
}
