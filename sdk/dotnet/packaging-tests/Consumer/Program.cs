// SPDX-License-Identifier: Apache-2.0
// What a user of the package does: calls a guest, is called back, gets an exception through, cancels.
using System;
using System.Threading;
using Glint;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: Consumer GUEST");
    return 2;
}

using SandboxEngine engine = new();
using GuestImage image = GuestImage.Load(args[0], new GuestImageOptions { Engine = engine });
ThrownByTheHost thrown = new();
using HostFunctions host = new();
host.AddMirrorHost(new MirrorHost(thrown));
HostStubs.AddOthers(host, image);

using (Sandbox sandbox = new(image, host))
{
    Check("a call with a callback through a generated registration", sandbox.Call<long>("echo_i64", 41) == 42);
    Check("a call through a generated proxy", new MirrorProxy(sandbox).First(3, 4) == 3);
    Check("strings go both ways through both", new MirrorProxy(sandbox).EchoString("x") == "x!");
    try
    {
        sandbox.Call<long>("echo_i64", 13);
        Check("an exception of a host function comes out", false);
    }
    catch (HostFunctionException e)
    {
        Check("an exception of a host function comes out", ReferenceEquals(e.InnerException, thrown));
    }
}

using (Sandbox sandbox = new(image, host))
using (CancellationTokenSource source = new(TimeSpan.FromMilliseconds(20)))
{
    try
    {
        await sandbox.CallAsync("spin", source.Token);
        Check("a cancelled call ends", false);
    }
    catch (OperationCanceledException e)
    {
        Check("a cancelled call ends", e.CancellationToken == source.Token);
    }
}

Console.WriteLine("the package works");
return 0;

static void Check(string what, bool good)
{
    if (!good)
    {
        Console.Error.WriteLine($"failed: {what}");
        Environment.Exit(1);
    }
}

[GuestFunctions]
internal interface IMirror
{
    long First(long a, long b);

    string EchoString(string text);
}

[HostFunctions]
internal interface IMirrorHost
{
    long HostEchoI64(long n);

    string HostEchoString(string text);
}

internal sealed class MirrorHost(Exception thrown) : IMirrorHost
{
    public long HostEchoI64(long n) => n == 13 ? throw thrown : n + 1;

    public string HostEchoString(string text) => text + "!";
}

internal sealed class ThrownByTheHost : Exception;

internal static class HostStubs
{
    /// <summary>The imports of the guest that this program does not use.</summary>
    public static void AddOthers(HostFunctions host, GuestImage image)
    {
        foreach (GuestFunctionInfo function in image.Functions)
        {
            if (function.Kind == GuestFunctionKind.Imported && function.Name is not ("host_echo_i64" or "host_echo_string"))
            {
                host.Add(function.Name, function.Signature, static _ => throw new NotSupportedException());
            }
        }
    }
}
