// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using System.Threading;
using Xunit;

namespace Glint.Tests;

/// <summary>Host functions on the fake backend: mirror's exports call those of the same name.</summary>
public sealed class HostFunctionTests : InteropTest
{
    private static readonly GuestSignature s_bytes = new(GuestType.Bytes, GuestType.Bytes);

    [Fact]
    public void TheLowLevelFormReadsEveryTypeAndReturnsIt()
    {
        using HostFunctions host = new();
        host.Add("host_echo_bool", Unary(GuestType.Boolean), c => c.Return(c.GetBoolean(0)))
            .Add("host_echo_i32", Unary(GuestType.Int32), c => c.Return(c.GetInt32(0)))
            .Add("host_echo_u32", Unary(GuestType.UInt32), c => c.Return(c.GetUInt32(0)))
            .Add("host_echo_i64", Unary(GuestType.Int64), c => c.Return(c.GetInt64(0)))
            .Add("host_echo_u64", Unary(GuestType.UInt64), c => c.Return(c.GetUInt64(0)))
            .Add("host_echo_f32", Unary(GuestType.Single), c => c.Return(c.GetSingle(0)))
            .Add("host_echo_f64", Unary(GuestType.Double), c => c.Return(c.GetDouble(0)))
            .Add("host_echo_string", Unary(GuestType.String), c => c.Return(c.GetString(0)))
            .Add("host_echo_bytes", Unary(GuestType.Bytes), c => c.Return(c.GetBytes(0)))
            .Add("host_add", new(GuestType.Int64, GuestType.Int64, GuestType.Int64),
                c => c.Return(c.GetInt64(0) + c.GetInt64(1) + c.ArgumentCount))
            .Add("host_nest", Unary(GuestType.Int64), c => c.Return(c.GetInt64(0)))
            .Add("host_tell", new(GuestType.Void, GuestType.UInt32), c => c.GetUInt32(0));
        using Sandbox sandbox = new(Guests.Fake(), host);
        Assert.True(sandbox.Call<bool>("echo_bool", true));
        Assert.Equal(-1, sandbox.Call<int>("echo_i32", -1));
        Assert.Equal(1u, sandbox.Call<uint>("echo_u32", 1));
        Assert.Equal(-1, sandbox.Call<long>("echo_i64", -1));
        Assert.Equal(1ul, sandbox.Call<ulong>("echo_u64", 1));
        Assert.Equal(0.1f, sandbox.Call<float>("echo_f32", 0.1f));
        Assert.Equal(0.1, sandbox.Call<double>("echo_f64", 0.1));
        Assert.Equal("ü", sandbox.Call<string>("echo_string", "ü"));
        Assert.Equal([1], sandbox.Call<byte[]>("echo_bytes", new byte[] { 1 }));
        Assert.Equal(5, sandbox.Call<long>("add", 1, 2));
        sandbox.Call("tell", 1);
    }

    [Fact]
    public void AResultCanBeWrittenInPlace()
    {
        using HostFunctions host = Guests.Mirror(static n => n is "host_echo_bytes" or "host_echo_string");
        host.Add("host_echo_bytes", s_bytes, static call =>
        {
            Span<byte> room = call.Reserve(call.GetBytes(0).Length);
            call.GetBytes(0).CopyTo(room);
            room.Reverse();
        });
        host.Add("host_echo_string", Unary(GuestType.String), static call =>
            Encoding.UTF8.GetBytes("<ü>", call.Reserve(4)));
        using Sandbox sandbox = new(Guests.Fake(), host);
        Assert.Equal([3, 2, 1], sandbox.Call<byte[]>("echo_bytes", new byte[] { 1, 2, 3 }));
        Assert.Equal("<ü>", sandbox.Call<string>("echo_string", "?"));
    }

    [Fact]
    public void AWrongUseOfAHostCallIsAnExceptionOfTheHostFunction()
    {
        AssertThrows<InvalidCastException>(static c => c.GetInt32(0), "argument 0 is declared bytes");
        AssertThrows<InvalidCastException>(static c => c.GetUtf8(0), "argument 0 is declared bytes");
        AssertThrows<ArgumentOutOfRangeException>(static c => c.GetBytes(1), "has 1 parameters");
        AssertThrows<ArgumentOutOfRangeException>(static c => c.GetBytes(-1), "has 1 parameters");
        AssertThrows<InvalidCastException>(static c => c.Return(1), "result is declared bytes");
        AssertThrows<InvalidCastException>(static c => c.Return("text"), "result is declared bytes");
        AssertThrows<ArgumentOutOfRangeException>(static c => c.Reserve(-1), "size");
        AssertThrows<InvalidOperationException>(static c => { }, "ended without a result");
        AssertThrows<ArgumentNullException>(static c => c.Return((string)null!), "value");
    }

    [Fact]
    public void ATypedFunctionMayTakeUpToEightParametersAndAToken()
    {
        using HostFunctions host = new();
        host.Add("f0", () => 1)
            .Add("a0", () => { })
            .Add("f8", (bool a, int b, uint c, long d, ulong e, float f, double g, string h) => new byte[1])
            .Add("a8", (byte[] a, ReadOnlySpan<byte> b, int c, int d, int e, int f, int g, int h) => { })
            .Add("token", (string a, CancellationToken b) => a)
            .Add("span", (int a) => "constant"u8);
        SandboxException e = Assert.Throws<SandboxException>(() => host.Add("f0", () => 2));
        Assert.Equal(SandboxErrorCode.InvalidArgument, e.Code);
    }

    [Fact]
    public void OtherTypesAreRefusedWithAListOfThosePossible()
    {
        using HostFunctions host = new();
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => host.Add("f", (short a) => 1));
        Assert.Contains("Int16 cannot cross", e.Message, StringComparison.Ordinal);
        Assert.Contains("ReadOnlySpan<byte>", e.Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => host.Add("f", () => DateTime.UnixEpoch));
        Assert.Throws<NotSupportedException>(() => host.Add("f", (object a) => { }));
        Assert.Throws<NotSupportedException>(() => host.Add("f", (CancellationToken a, int b) => { }));
    }

    [Fact]
    public void BadNamesAndSignaturesAreRefused()
    {
        using HostFunctions host = new();
        Assert.Throws<ArgumentNullException>(() => host.Add(null!, () => 1));
        Assert.Throws<ArgumentNullException>(() => host.Add("f", (Action)null!));
        Assert.Throws<ArgumentNullException>(() => host.Add("f", null!, static c => { }));
        Assert.Throws<ArgumentNullException>(() => host.Add("f", s_bytes, null!));
        Assert.Equal(SandboxErrorCode.InvalidArgument,
            Assert.Throws<SandboxException>(() => host.Add("", () => 1)).Code);
        Assert.Throws<SandboxException>(() => host.Add(new string('n', 64), () => 1));
        Assert.Throws<ArgumentException>(() => new GuestSignature(GuestType.Void, GuestType.Void));
        Assert.Throws<ArgumentException>(() => new GuestSignature((GuestType)10));
        Assert.Throws<ArgumentException>(() =>
            new GuestSignature(GuestType.Void, [.. Enumerable.Repeat(GuestType.Int32, 33)]));
        host.Dispose();
        Assert.Throws<ObjectDisposedException>(() => host.Add("f", () => 1));
    }

    [Fact]
    public void AnErrorForTheGuestMustBeOneThatItCanBeTold()
    {
        Assert.Equal(-5, new HostErrorException(-5, new string('é', 2048)).GuestCode);
        Assert.Throws<ArgumentOutOfRangeException>(() => new HostErrorException(0, "success"));
        Assert.Throws<ArgumentNullException>(() => new HostErrorException(1, null!));
        Assert.Throws<ArgumentException>(() => new HostErrorException(1, new string('é', 2049)));
        Assert.ThrowsAny<ArgumentException>(() => new HostErrorException(1, "\ud83c"));
    }

    [Fact]
    public void ASetThatASandboxHasCannotBeChanged()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Guests.Fake(), host);
        Assert.Throws<SandboxBusyException>(() => host.Add("late", () => 1));
    }

    [Fact]
    public void MissingImportsAreAllNamed()
    {
        using HostFunctions host = Guests.Mirror(static n => n is "host_add" or "host_tell");
        SandboxException e = Assert.Throws<SandboxException>(() => new Sandbox(Guests.Fake(), host));
        Assert.Equal(SandboxErrorCode.MissingImport, e.Code);
        Assert.Contains("host_add", e.Message, StringComparison.Ordinal);
        Assert.Contains("host_tell", e.Message, StringComparison.Ordinal);
        Assert.Throws<SandboxException>(() => new Sandbox(Guests.Fake()));
        Assert.Throws<ArgumentNullException>(() => new Sandbox(Guests.Fake(), (HostFunctions)null!));
        Assert.Throws<ArgumentNullException>(() => new Sandbox((GuestImage)null!));
    }

    [Fact]
    public void ReleasedRunsOnceWhenTheLastUserIsGone()
    {
        int released = 0;
        HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", new(GuestType.Void, GuestType.UInt32), static c => { },
            () => Interlocked.Increment(ref released));
        Sandbox sandbox = new(Guests.Fake(), host);
        host.Dispose();
        sandbox.Call("tell", 1);
        Assert.Equal(0, Volatile.Read(ref released));
        sandbox.Dispose();
        Await(() => Volatile.Read(ref released) == 1);
        sandbox.Dispose();
        host.Dispose();
        Settle();
        Assert.Equal(1, Volatile.Read(ref released));
    }

    [Fact]
    public void ReleasedRunsOnceWhenAddingFails()
    {
        int released = 0;
        using HostFunctions host = new();
        Assert.Throws<SandboxException>(() => host.Add("", s_bytes, static c => { },
            () => Interlocked.Increment(ref released)));
        Await(() => Volatile.Read(ref released) == 1);
    }

    [Fact]
    public void WhatReleasedThrowsIsAnUnobservedExceptionOfATask()
    {
        InvalidTimeZoneException thrown = new("from released");
        Exception? unobserved = null;
        void Observe(object? sender, System.Threading.Tasks.UnobservedTaskExceptionEventArgs e)
        {
            unobserved = e.Exception.InnerException;
            e.SetObserved();
        }

        System.Threading.Tasks.TaskScheduler.UnobservedTaskException += Observe;
        try
        {
            Apart(() =>
            {
                using HostFunctions host = new();
                host.Add("f", s_bytes, static c => { }, () => throw thrown);
            });
            Await(() =>
            {
                Settle();
                return unobserved is not null;
            });
            Assert.Same(thrown, unobserved);
        }
        finally
        {
            System.Threading.Tasks.TaskScheduler.UnobservedTaskException -= Observe;
        }
    }

    private static GuestSignature Unary(GuestType type) => new(type, type);

    private static void AssertThrows<T>(HostFunctionCallback callback, string text)
        where T : Exception
    {
        using HostFunctions host = Guests.Mirror(static n => n == "host_echo_bytes");
        host.Add("host_echo_bytes", s_bytes, callback);
        using Sandbox sandbox = new(Guests.Fake(), host);
        HostFunctionException e = Assert.Throws<HostFunctionException>(() =>
            sandbox.Call<byte[]>("echo_bytes", Array.Empty<byte>()));
        T inner = Assert.IsType<T>(e.InnerException);
        Assert.Contains(text, inner.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(SandboxState.Ready, sandbox.State);
    }
}
