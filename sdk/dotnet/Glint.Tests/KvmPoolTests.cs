// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using Xunit;

namespace Glint.Tests;

/// <summary>The same with real guests, and what these find in their memory.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmPoolTests : PoolTests
{
    protected override bool NeedsKvm => true;

    protected override SandboxBackend Backend => SandboxBackend.Kvm;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EachBeginsWithTheSnapshotHoweverTheOneBeforeEnded(bool useThread)
    {
        using SandboxPool pool = Dirt(new SandboxPoolOptions { Size = 1, UseThread = useThread });
        // A return, an error, a fault, an abort, an exit, an overflow of the stack, a lost thread pointer.
        foreach (uint end in (uint[])[0, 1, 2, 3, 4, 5, 8])
        {
            using Sandbox sandbox = pool.Acquire();
            Assert.Equal(2u, sandbox.Call<ulong>("count"));
            Exception? e = Record.Exception(() => sandbox.Call("dirty", 7 + end, 20, end));
            Assert.Equal(end == 0, e is null);
        }

        Assert.Equal(0u, pool.Counters.Replaced);
    }

    [Fact]
    public void CallbacksAreThoseOfTheLoan()
    {
        StringBuilder printed = new();
        using Sandbox original = new(Guests.Kvm("libc"));
        using Snapshot snapshot = original.TakeSnapshot();
        using SandboxPool pool = new(snapshot, new SandboxPoolOptions { Size = 1 });
        SandboxOptions options = new()
        {
            Output = (_, text) => printed.Append(Encoding.UTF8.GetString(text)),
            Input = static buffer =>
            {
                "line\n"u8.CopyTo(buffer);
                return 5;
            },
        };
        using (Sandbox sandbox = pool.Acquire(options))
        {
            sandbox.Call("print_lines", 1);
            Assert.Equal("line", sandbox.Call<string>("read_line").TrimEnd('\n'));
        }

        string all = printed.ToString();
        Assert.Contains("out 0", all, StringComparison.Ordinal);
        using (Sandbox sandbox = pool.Acquire())
        {
            sandbox.Call("print_lines", 2);
            Assert.Throws<GuestException>(() => sandbox.Call<string>("read_line")); // there is no input
        }

        Assert.Equal(all, printed.ToString());
        FormatException thrown = new("disk full");
        using (Sandbox sandbox = pool.Acquire(new SandboxOptions { Output = (_, _) => throw thrown }))
        {
            HostFunctionException e =
                Assert.Throws<HostFunctionException>(() => sandbox.Call("print_lines", 1));
            Assert.Same(thrown, e.InnerException);
        }

        using (Sandbox sandbox = pool.Acquire())
        {
            sandbox.Call("print_lines", 1); // what the one before threw is not there
        }
    }

    [Fact]
    public void IdleMemoryIsGivenUpWhenItIsTrimmed()
    {
        using SandboxPool pool = Dirt(new SandboxPoolOptions { Size = 4, UseThread = false });
        UseAll(pool);
        PoolCounters before = pool.Counters;
        Assert.Equal(4u, before.Ready);
        Assert.InRange(before.IdleMemory, 4u * 64 * 4096, 4u * 128 * 4096);
        pool.Trim((long)before.IdleMemory);
        Assert.Equal(before.IdleMemory, pool.Counters.IdleMemory);
        pool.Trim((long)before.IdleMemory / 2);
        Assert.InRange(pool.Counters.IdleMemory, 1u, before.IdleMemory / 2);
        Assert.Equal(2u, pool.Counters.Dropped);
        pool.Trim();
        Assert.Equal(0u, pool.Counters.IdleMemory);
        Assert.Equal(0u, pool.Counters.Live);
        using Sandbox made = pool.Acquire();
        Assert.Equal(2u, made.Call<ulong>("count"));
    }

    [Fact]
    public void IdleMemoryIsKeptBelowTheLimit()
    {
        using SandboxPool pool = Dirt(new SandboxPoolOptions
        {
            Size = 4,
            UseThread = false,
            IdleMemory = 100 * 4096,
        });
        UseAll(pool);
        Assert.InRange(pool.Counters.IdleMemory, 1u, 100u * 4096);
        Assert.Equal(3u, pool.Counters.Dropped);
    }

    [Theory]
    [InlineData(true, 0, 1)]
    [InlineData(false, 1, 1)]
    [InlineData(false, 3, 3)]
    public void AsManyAreMadeBeforehandAsTheOptionsSay(bool lazy, int warm, int made)
    {
        using SandboxPool pool = Dirt(new SandboxPoolOptions { Size = 4, Lazy = lazy, Warm = warm });
        Assert.Equal(made, (int)pool.Counters.Made);
        Assert.Equal(made, (int)pool.Counters.Ready);
    }

    private static SandboxPool Dirt(SandboxPoolOptions options)
    {
        using Sandbox original = new(Guests.Kvm("dirt"));
        Assert.Equal(1u, original.Call<ulong>("count"));
        using Snapshot snapshot = original.TakeSnapshot();
        return new SandboxPool(snapshot, options);
    }

    private static void UseAll(SandboxPool pool)
    {
        Sandbox[] held = [.. Enumerable.Range(0, pool.Size).Select(_ => pool.Acquire())];
        Array.ForEach(held, static s => s.Call("touch", 64));
        Array.ForEach(held, static s => s.Dispose());
    }
}
