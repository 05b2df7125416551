// SPDX-License-Identifier: Apache-2.0
// Names that would be in the way of generated code that is less careful.
#pragma warning disable CA1707, CA1708, CA1711, CA1716, CA1725, CA1034, IDE1006, CS8981
namespace Glint.Tests.@in;

internal static class even
{
    internal interface IUpper
    {
        [GuestName("first")]
        long Pick(long a, long b);
    }

    [GuestFunctions]
    internal interface IOdd : IUpper
    {
        [GuestName("echo_i64")]
        long @class(long @this);

        [GuestName("add")]
        new long Pick(long a, long b = 4);

        [GuestName("nest")]
        long _function0(long _function1);

        [GuestName("echo_u32")]
        uint evenOddProxy(uint sandbox);

        [GuestName("echo_i32")]
        int extension(int field);
    }

    internal interface IUpperHost
    {
        [GuestName("host_echo_i64")]
        long Pick(long value);
    }

    [HostFunctions]
    internal interface IOddHost : IUpperHost
    {
        [GuestName("host_add")]
        long Pick(long implementation, long @params);
    }
}

internal sealed class OddHost : even.IOddHost
{
    public long Pick(long value) => value + 1000;

    public long Pick(long implementation, long @params) => implementation + @params + 100;
}
