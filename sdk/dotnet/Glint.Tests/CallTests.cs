// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Xunit;

namespace Glint.Tests;

/// <summary>Calls by name and through handles, on the fake backend: mirror's exports call the host function
/// of the same name and answer what that gave.</summary>
public class CallTests : InteropTest
{
    protected virtual GuestImage Mirror => Guests.Fake();

    [Fact]
    public void EveryTypeGoesThereAndBackByName()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Assert.True(sandbox.Call<bool>("echo_bool", true));
        Assert.False(sandbox.Call<bool>("echo_bool", false));
        Assert.Equal(int.MinValue, sandbox.Call<int>("echo_i32", int.MinValue));
        Assert.Equal(uint.MaxValue, sandbox.Call<uint>("echo_u32", uint.MaxValue));
        Assert.Equal(long.MinValue, sandbox.Call<long>("echo_i64", long.MinValue));
        Assert.Equal(ulong.MaxValue, sandbox.Call<ulong>("echo_u64", ulong.MaxValue));
        Assert.Equal(-0.1f, sandbox.Call<float>("echo_f32", -0.1f));
        Assert.Equal(double.Epsilon, sandbox.Call<double>("echo_f64", double.Epsilon));
        Assert.Equal("grüße 🎈", sandbox.Call<string>("echo_string", "grüße 🎈"));
        Assert.Equal("", sandbox.Call<string>("echo_string", ""));
        Assert.Equal([1, 2, 255], sandbox.Call<byte[]>("echo_bytes", new byte[] { 1, 2, 255 }));
        Assert.Equal([], sandbox.Call<byte[]>("echo_bytes", Array.Empty<byte>()));
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
        sandbox.Call("tell", 7);
    }

    [Fact]
    public void EveryTypeGoesThereAndBackThroughHandles()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Assert.True(sandbox.GetFunction<bool, bool>("echo_bool").Invoke(true));
        Assert.Equal(-5, sandbox.GetFunction<int, int>("echo_i32").Invoke(-5));
        Assert.Equal(5u, sandbox.GetFunction<uint, uint>("echo_u32").Invoke(5));
        Assert.Equal(-5, sandbox.GetFunction<long, long>("echo_i64").Invoke(-5));
        Assert.Equal(5ul, sandbox.GetFunction<ulong, ulong>("echo_u64").Invoke(5));
        Assert.Equal(0.5f, sandbox.GetFunction<float, float>("echo_f32").Invoke(0.5f));
        Assert.Equal(0.1, sandbox.GetFunction<double, double>("echo_f64").Invoke(0.1));
        Assert.Equal("é", sandbox.GetFunction<string, string>("echo_string").Invoke("é"));
        Assert.Equal([7], sandbox.GetFunction<byte[], byte[]>("echo_bytes").Invoke([7]));
        Assert.Equal([8], sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes").Invoke([8]));
        Assert.Equal(7, sandbox.GetFunction<long, long, long>("add").Invoke(3, 4));
        sandbox.GetAction<uint>("tell").Invoke(1);
        sandbox.GetAction<long, long>("add").Invoke(3, 4);
    }

    [Fact]
    public void AResultGoesToABufferAWriterOrAReader()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        byte[] text = Encoding.UTF8.GetBytes("result");
        var echo = sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes");

        byte[] buffer = new byte[8];
        Assert.Equal(6, echo.InvokeInto(text, buffer));
        Assert.Equal([.. text, 0, 0], buffer);

        ArrayBufferWriter<byte> writer = new();
        echo.InvokeInto(text, writer);
        sandbox.CallInto("echo_string", writer, default, "!");
        Assert.Equal("result!", Encoding.UTF8.GetString(writer.WrittenSpan));

        Assert.Equal(12, echo.InvokeWith(text, 2, static (view, factor) => view.Length * factor));
        Assert.Equal(6, sandbox.CallInto("echo_string", buffer, default, "result"));
    }

    [Fact]
    public void ABufferThatIsTooSmallIsLeftAloneAndTheSandboxIsReady()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        byte[] buffer = [1, 1];
        ArgumentException e = Assert.Throws<ArgumentException>(() =>
            sandbox.CallInto("echo_bytes", buffer, default, new byte[] { 2, 2, 2 }));
        Assert.Contains("3 bytes", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 1], buffer);
        Assert.Equal(SandboxState.Ready, sandbox.State);
    }

    [Fact]
    public void AReaderHasTheSandboxForItself()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        string seen = sandbox.GetFunction<string, string>("echo_string").InvokeWith("view", sandbox,
            static (view, sandbox) =>
            {
                Assert.Throws<SandboxBusyException>(() => sandbox.Call<long>("add", 1, 2));
                Assert.Throws<SandboxBusyException>(() => Task.Run(() => sandbox.Call<long>("add", 1, 2))
                    .GetAwaiter().GetResult());
                sandbox.Dispose(); // waits for the end of the call
                return Encoding.UTF8.GetString(view);
            });
        Assert.Equal("view", seen);
        Assert.Throws<ObjectDisposedException>(() => sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void WhatAReaderThrowsComesOutAndTheSandboxIsReady()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        InvalidTimeZoneException thrown = new("mine");
        InvalidTimeZoneException caught = Assert.Throws<InvalidTimeZoneException>(() =>
            sandbox.GetFunction<string, string>("echo_string").InvokeWith<int, int>("view", 0, (_, _) =>
                throw thrown));
        Assert.Same(thrown, caught);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2));
    }

    [Fact]
    public void IntegersAreConvertedWhereTheValueFits()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Assert.Equal(5, sandbox.Call<int>("echo_i32", 5ul));
        Assert.Equal(5u, sandbox.Call<uint>("echo_u32", 5L));
        Assert.Equal(5ul, sandbox.Call<ulong>("echo_u64", 5));
        Assert.Equal(long.MaxValue, sandbox.Call<long>("echo_i64", (ulong)long.MaxValue));
        Assert.Equal(0.1f, sandbox.Call<float>("echo_f32", 0.1));
        Assert.Equal(0.5, sandbox.Call<double>("echo_f64", 0.5f));
        Assert.Equal(float.PositiveInfinity, sandbox.Call<float>("echo_f32", double.PositiveInfinity));
        AssertMisfit(() => sandbox.Call<int>("echo_i32", 1L << 31),
            "the integer 2147483648, which does not fit");
        AssertMisfit(() => sandbox.Call<uint>("echo_u32", -1), "the integer -1, which does not fit");
        AssertMisfit(() => sandbox.Call<ulong>("echo_u64", -1), "the integer -1, which does not fit");
        AssertMisfit(() => sandbox.Call<long>("echo_i64", ulong.MaxValue),
            "18446744073709551615, which does not fit");
        AssertMisfit(() => sandbox.Call<float>("echo_f32", 1e300), "does not fit");
    }

    [Fact]
    public void NothingElseIsConverted()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        AssertMisfit(() => sandbox.Call<int>("echo_i32", 1.0),
            "expected Int32, given the floating-point number 1");
        AssertMisfit(() => sandbox.Call<double>("echo_f64", 1), "expected Double, given the integer 1");
        AssertMisfit(() => sandbox.Call<int>("echo_i32", true), "expected Int32, given a bool");
        AssertMisfit(() => sandbox.Call<bool>("echo_bool", 1), "expected Boolean, given the integer 1");
        AssertMisfit(() => sandbox.Call<string>("echo_string", new byte[1]), "expected String, given bytes");
        AssertMisfit(() => sandbox.Call<byte[]>("echo_bytes", "text"), "expected Bytes, given a string");
        AssertMisfit(() => sandbox.Call<int>("echo_i32", default(GuestArgument)), "given nothing");
        AssertMisfit(() => sandbox.Call<long>("add", 1), "2 parameters; 1 arguments");
        AssertMisfit(() => sandbox.Call<long>("add", 1, 2, 3), "2 parameters; 3 arguments");
        AssertMisfit(() => sandbox.Call<int>("add", 1, 2), "add returns Int64; Int32 was asked for");
        AssertMisfit(() => sandbox.Call<long>("tell", 1), "tell returns Void; Int64 was asked for");
        AssertMisfit(() => sandbox.CallInto("add", new byte[8], default, 1, 2),
            "bytes or a string was asked for");
        Assert.Equal(0u, sandbox.Counters.Calls);
    }

    [Fact]
    public void AHandleOfAnotherSignatureIsRefused()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        AssertMisfit(() => sandbox.GetFunction<int, long, long>("add"), "add: Int64 (Int64, Int64)");
        AssertMisfit(() => sandbox.GetFunction<long, long>("add"), "asked for as Int64 (Int64)");
        AssertMisfit(() => sandbox.GetFunction<long, long, int>("add"), "asked for as Int32 (Int64, Int64)");
        Assert.Throws<NotSupportedException>(() => sandbox.GetFunction<decimal, long>("add"));
        Assert.Throws<InvalidOperationException>(() =>
            sandbox.GetFunction<long, long, long>("add").InvokeInto(1, 2, new byte[8]));
    }

    [Fact]
    public void AnUnknownFunctionIsNamedTogetherWithThoseThereAre()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        SandboxException e = Assert.Throws<SandboxException>(() => sandbox.Call("ad", 1));
        Assert.Equal(SandboxErrorCode.NotFound, e.Code);
        Assert.Contains("add, echo_bool", e.Message, StringComparison.Ordinal);
        Assert.Throws<SandboxException>(() => sandbox.Call("host_add", 1, 2));
        Assert.Throws<ArgumentNullException>(() => sandbox.Call(null!));
    }

    [Fact]
    public void TextThatIsNoUnicodeIsRefused()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        Assert.ThrowsAny<ArgumentException>(() => sandbox.Call<string>("echo_string", "half a pair: \ud83c"));
        Assert.Throws<ArgumentNullException>(() => sandbox.Call<string>("echo_string", (string)null!));
        Assert.Throws<ArgumentNullException>(() => sandbox.Call<byte[]>("echo_bytes", (byte[])null!));
        Assert.Throws<ArgumentNullException>(() =>
            sandbox.GetFunction<byte[], byte[]>("echo_bytes").Invoke(null!));
        Assert.Throws<ArgumentNullException>(() =>
            sandbox.GetFunction<string, string>("echo_string").Invoke(null!));
    }

    [Fact]
    public void AMegabyteGoesThereAndBack()
    {
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(Mirror, host);
        byte[] data = [.. Enumerable.Range(0, 1 << 20).Select(static i => (byte)(i * 7))];
        Assert.Equal(data, sandbox.Call<byte[]>("echo_bytes", data));
        Assert.Equal(data, sandbox.GetFunction<ReadOnlySpan<byte>, byte[]>("echo_bytes").Invoke(data));
        string text = new('é', 1 << 18);
        Assert.Equal(text, sandbox.Call<string>("echo_string", text));
    }

    [Fact]
    public async Task AnAsynchronousCallRunsOnAThreadOfItsOwn()
    {
        bool onPool = true;
        using HostFunctions host = Guests.Mirror(static n => n == "host_add");
        host.Add("host_add", (long a, long b) =>
        {
            onPool = System.Threading.Thread.CurrentThread.IsThreadPoolThread;
            return a + b;
        });
        using Sandbox sandbox = new(Mirror, host);
        Assert.Equal(3, await sandbox.CallAsync<long>("add", 1, 2));
        Assert.False(onPool);
        SandboxException e = await Assert.ThrowsAsync<SandboxException>(() => sandbox.CallAsync<int>("add", 1, 2));
        Assert.Equal(SandboxErrorCode.Signature, e.Code);
    }

    [Fact]
    public async Task AnAsynchronousCallHasTheFormsOfTheSynchronousOne()
    {
        uint told = 0;
        using HostFunctions host = Guests.Mirror(static n => n == "host_tell");
        host.Add("host_tell", (uint number) => { told += number; });
        using Sandbox sandbox = new(Mirror, host);
        CallOptions options = new() { Deadline = TimeSpan.FromMinutes(1) };
        Assert.Equal(3, await sandbox.CallAsync<long>("add", 1, 2));
        Assert.Equal(7, await sandbox.CallAsync<long>("add", options, 3, 4));
        await sandbox.CallAsync("tell", 5);
        await sandbox.CallAsync("tell", options, 6);
        Assert.Equal(11u, told);
    }

    private static void AssertMisfit(Action call, string text)
    {
        SandboxException e = Assert.Throws<SandboxException>(call);
        Assert.Equal(SandboxErrorCode.Signature, e.Code);
        Assert.Contains(text, e.Message, StringComparison.Ordinal);
    }
}

/// <summary>The same with real guests.</summary>
[Trait("Category", "Kvm")]
public sealed class KvmCallTests : CallTests
{
    protected override bool NeedsKvm => true;

    protected override GuestImage Mirror => Guests.Kvm();
}
