// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Xunit;

namespace Glint.Tests;

/// <summary>What surrounds a guest program: arguments, environment, standard streams, files, system
/// calls.</summary>
[Trait("Category", "Kvm")]
public sealed class ProgramTests : InteropTest
{
    protected override bool NeedsKvm => true;

    [Fact]
    public void AProgramGetsItsArgumentsAndItsEnvironmentAndPrints()
    {
        Dictionary<GuestStream, StringBuilder> printed = new()
        {
            [GuestStream.Output] = new(),
            [GuestStream.Error] = new(),
        };
        using Sandbox sandbox = new(Guests.Kvm("exits"), new SandboxOptions
        {
            Arguments = ["name", "7", "third é"],
            Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "" },
            Output = (stream, data) => printed[stream].Append(Encoding.UTF8.GetString(data)),
        });
        Assert.Equal(7, sandbox.Run());
        Assert.Equal(SandboxState.Ended, sandbox.State);
        Assert.Equal("argv[0]=name\nargv[1]=7\nargv[2]=third é\nenv A=1\nenv B=\n",
            printed[GuestStream.Output].ToString());
        Assert.Equal("done\n", printed[GuestStream.Error].ToString());
        Assert.Equal((ulong)printed.Values.Sum(static p => Encoding.UTF8.GetByteCount(p.ToString())),
            sandbox.Counters.OutputBytes);
    }

    [Fact]
    public async Task AProgramCanRunOnAThreadOfItsOwn()
    {
        SandboxOptions options = new() { Arguments = ["status", "42"] };
        using Sandbox sandbox = new(Guests.Kvm("status"), options);
        Assert.Equal(42, await sandbox.RunAsync());
        SandboxException e = Assert.Throws<SandboxException>(() => sandbox.Call("main"));
        Assert.Equal(SandboxErrorCode.NotFound, e.Code);
    }

    [Fact]
    public void AGuestReadsWhatTheInputCallbackGives()
    {
        byte[] input = Encoding.UTF8.GetBytes("first\nsecond\n");
        int position = 0;
        using Sandbox sandbox = new(Guests.Kvm("libc"), new SandboxOptions
        {
            Input = buffer =>
            {
                int count = Math.Min(buffer.Length, Math.Min(4, input.Length - position));
                input.AsSpan(position, count).CopyTo(buffer);
                position += count;
                return count;
            },
        });
        Assert.Equal("first", sandbox.Call<string>("read_line").TrimEnd('\n'));
        Assert.Equal("second", sandbox.Call<string>("read_line").TrimEnd('\n'));
    }

    [Fact]
    public void AGuestReadsTheFilesOfItsImage()
    {
        using GuestImage image = GuestImage.Load(Setup.Guest("libc"), new GuestImageOptions
        {
            Engine = Guests.Engine(SandboxBackend.Kvm),
            Files = new Dictionary<string, ReadOnlyMemory<byte>>
            {
                ["/data/rules.txt"] = Encoding.UTF8.GetBytes("the rules"),
                ["/data/empty"] = default,
            },
        });
        using Sandbox sandbox = new(image);
        Assert.Equal("the rules", sandbox.Call<string>("read_file", "/data/rules.txt"));
        Assert.Equal("", sandbox.Call<string>("read_file", "/data/empty"));
    }

    [Fact]
    public void SystemCallsAreReported()
    {
        List<(ulong Number, string Name, long Result, bool Unknown, ulong First)> calls = [];
        using Sandbox sandbox = new(Guests.Kvm("libc"), new SandboxOptions
        {
            Trace = call => calls.Add((call.Number, call.Name, call.Result, call.IsUnknown,
                call.Arguments[0])),
            TraceAllSystemCalls = true,
        });
        sandbox.Call("process_id");
        Assert.Contains(calls, static c => c is { Name: "getpid", Unknown: false });
        sandbox.Call("raw_syscall", 9999, 7, 0);
        Assert.Contains(calls, static c => c is { Number: 9999, Result: -38, Unknown: true, First: 7 });
        Assert.Equal(1u, sandbox.Counters.UnknownSystemCalls);
    }

    [Fact]
    public void WhatAnOutputCallbackThrowsComesOutAfterTheCall()
    {
        FormatException thrown = new("disk full");
        bool fails = true;
        using Sandbox sandbox = new(Guests.Kvm("libc"), new SandboxOptions
        {
            Output = (_, _) =>
            {
                if (fails)
                {
                    throw thrown;
                }
            },
        });
        HostFunctionException e = Assert.Throws<HostFunctionException>(() => sandbox.Call("print_lines", 3));
        Assert.Same(thrown, e.InnerException);
        Assert.Equal(SandboxState.Ready, sandbox.State);
        fails = false;
        sandbox.Call("print_lines", 3);
    }

    [Fact]
    public void WhatAnInputCallbackThrowsIsTheEndOfTheInputAndComesOut()
    {
        using Sandbox sandbox = new(Guests.Kvm("libc"),
            new SandboxOptions { Input = static _ => throw new FormatException() });
        Assert.IsType<FormatException>(
            Assert.Throws<HostFunctionException>(() => sandbox.Call<string>("read_line")).InnerException);
        using Sandbox liar = new(Guests.Kvm("libc"), new SandboxOptions { Input = static b => b.Length + 1 });
        Assert.IsType<InvalidOperationException>(
            Assert.Throws<HostFunctionException>(() => liar.Call<string>("read_line")).InnerException);
    }

    [Fact]
    public void WhatATraceCallbackThrowsComesOut()
    {
        using Sandbox sandbox = new(Guests.Kvm("libc"),
            new SandboxOptions { Trace = static _ => throw new FormatException() });
        Assert.IsType<FormatException>(
            Assert.Throws<HostFunctionException>(() =>
                sandbox.Call("raw_syscall", 9999, 0, 0)).InnerException);
    }

    [Fact]
    public void AVmServesOneTenantOnly()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { MaxShells = 1 });
        using GuestImage image = GuestImage.Load(Setup.Guest("echo"),
            new GuestImageOptions { Engine = engine });
        using (Sandbox one = new(image, new SandboxOptions { Tenant = "one" }))
        {
            Assert.Equal(3, one.Call<long>("add", 1, 2));
        }

        using Sandbox two = new(image, new SandboxOptions { Tenant = "two" });
        Assert.Equal(3, two.Call<long>("add", 1, 2));
        Assert.Equal(2u, engine.Counters.VmsCreated);
    }

    [Fact]
    public void BadSandboxOptionsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxOptions { MaxDepth = -1 });
        Assert.Equal(SandboxErrorCode.InvalidArgument, Assert.Throws<SandboxException>(() =>
            new Sandbox(Guests.Kvm("libc"), new SandboxOptions { TraceAllSystemCalls = true })).Code);
    }

    [Fact]
    public void TheDefaultEngineServesImagesThatAreGivenNone()
    {
        using GuestImage image = GuestImage.Load(Setup.Guest("echo"));
        using Sandbox sandbox = new(image);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        SandboxEngine.Default.Dispose(); // does nothing
        Assert.Equal("kvm", SandboxEngine.Default.Backend);
    }
}
