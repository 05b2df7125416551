// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Glint.Tests.@in;
using Xunit;

namespace Glint.Tests;

[GuestFunctions]
internal interface IMirror
{
    long First(long a, long b);

    long EchoI64(long value);

    [GuestName("echo_string")]
    string Repeat(string value, CancellationToken token);

    byte[] EchoBytes(ReadOnlySpan<byte> value);

    void Tell(uint number);

    void Spin(CallOptions options);
}

[HostFunctions]
internal interface IMirrorHost
{
    [GuestName("host_echo_i64")]
    long Echo(long value);

    string HostEchoString(string value, CancellationToken ending);

    [GuestName("host_echo_bytes")]
    byte[] Bytes(ReadOnlySpan<byte> value);

    void HostTell(uint number);
}

[GuestFunctions]
internal interface IQuietMirror
{
    // The guest's results are dropped, which would be made anew each time.
    [GuestName("echo_bytes")]
    void Send(ReadOnlySpan<byte> value);

    long First(long a, long b);

    long EchoI64(long value);

    void Tell(uint number);
}

/// <summary>What the source generator makes, at work.</summary>
public sealed class ProxyTests : InteropTest
{
    private sealed class Host : IMirrorHost
    {
        public uint Told { get; private set; }

        public long Echo(long value) => value < 0 ? throw new ArgumentOutOfRangeException(nameof(value)) : value + 1;

        public string HostEchoString(string value, CancellationToken ending) => value + value;

        public byte[] Bytes(ReadOnlySpan<byte> value) => value.ToArray();

        public void HostTell(uint number) => Told = number;
    }

    /// <summary>Makes nothing anew: what is counted is the SDK's.</summary>
    private sealed class QuietHost : IMirrorHost
    {
        private static readonly byte[] s_answer = [1, 2, 3];

        public int Calls { get; private set; }

        public int Received { get; private set; }

        public long Echo(long value) => value + ++Calls;

        public string HostEchoString(string value, CancellationToken ending) => throw new NotSupportedException();

        public byte[] Bytes(ReadOnlySpan<byte> value)
        {
            Calls++;
            Received += value.Length;
            return s_answer;
        }

        public void HostTell(uint number) => Calls++;
    }

    private static void WithSandbox(SandboxBackend backend, IMirrorHost host, Action<Sandbox> test)
    {
        using HostFunctions functions = Guests.Mirror(static name => name is "host_echo_i64" or "host_echo_string"
            or "host_echo_bytes" or "host_tell");
        using Sandbox sandbox = new(Guests.Get(backend, "mirror"), functions.AddMirrorHost(host));
        test(sandbox);
    }

    private static void CallAll(SandboxBackend backend)
    {
        Host host = new();
        WithSandbox(backend, host, sandbox =>
        {
            MirrorProxy guest = new(sandbox);
            Assert.Equal(3, guest.First(3, 4));
            Assert.Equal(42, guest.EchoI64(41));
            Assert.Equal("abab", guest.Repeat("ab", TestContext.Current.CancellationToken));
            Assert.Equal([1, 2, 3], guest.EchoBytes([1, 2, 3]));
            guest.Tell(7);
            Assert.Equal(7u, host.Told);
            HostFunctionException thrown = Assert.Throws<HostFunctionException>(() => guest.EchoI64(-1));
            Assert.IsType<ArgumentOutOfRangeException>(thrown.InnerException);
            Assert.Throws<SandboxDeadlineException>(
                () => guest.Spin(new CallOptions { Deadline = TimeSpan.FromMilliseconds(5) }));
        });
    }

    [Fact]
    public void ProxiesCallThereAndBackOnTheFakeBackend() => CallAll(SandboxBackend.Fake);

    [Fact]
    [Trait("Category", "Kvm")]
    public void ProxiesCallThereAndBackOnKvm() => CallAll(SandboxBackend.Kvm);

    // All but `first` call a host function, which is the proxy's counterpart.
    private static void CountAllocations(SandboxBackend backend)
    {
        const int Rounds = 1000;
        QuietHost host = new();
        WithSandbox(backend, host, sandbox =>
        {
            QuietMirrorProxy guest = new(sandbox);
            byte[] buffer = new byte[100];
            void Call()
            {
                for (int i = 0; i < Rounds; i++)
                {
                    guest.First(i, 1);
                    guest.EchoI64(i);
                    guest.Tell(7);
                    guest.Send(buffer);
                    guest.Send(buffer.AsSpan(0, 10));
                    guest.Send("a constant"u8);
                }
            }

            Call();
            long before = GC.GetAllocatedBytesForCurrentThread();
            Call();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        });
        Assert.Equal(2 * Rounds * 5, host.Calls);
        Assert.Equal(2 * Rounds * 120, host.Received);
    }

    [Fact]
    public void CallsOfProxiesAllocateNothingOnTheFakeBackend() => CountAllocations(SandboxBackend.Fake);

    [Fact]
    [Trait("Category", "Kvm")]
    public void CallsOfProxiesAllocateNothingOnKvm() => CountAllocations(SandboxBackend.Kvm);

    [Fact]
    public void AProxyOfAGuestThatDeclaresOtherwiseIsRefused()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Fake });
        using GuestImage image = GuestImage.Load(Setup.Guest("faults"), new GuestImageOptions { Engine = engine });
        using Sandbox sandbox = new(image);
        Assert.Throws<SandboxException>(() => new MirrorProxy(sandbox));
    }

    // Keywords, names of the generated code's own, and methods that hide others: see GeneratorOddNames.cs.
    [Fact]
    public void OddNamesCallWhatTheyName()
    {
        @in.OddHost host = new();
        using HostFunctions functions = Guests.Mirror(static name => name is "host_add" or "host_echo_i64");
        using Sandbox sandbox = new(Guests.Fake(), functions.AddevenOddHost(host));
        @in.evenOddProxy odd = new(sandbox);
        Assert.Equal(1003, odd.@class(3));
        Assert.Equal(107, odd.Pick(3));
        Assert.Equal(109, odd.Pick(4, 5));
        Assert.Equal(3, ((@in.even.IUpper)odd).Pick(3, 4));
        Assert.Equal(5, odd._function0(5));
        Assert.Equal(8u, ((@in.even.IOdd)odd).evenOddProxy(8));
        Assert.Equal(9, odd.@extension(9));
    }
}
