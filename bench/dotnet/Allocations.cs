// SPDX-License-Identifier: Apache-2.0
using System;
using Glint;

namespace DotnetBench;

/// <summary>The bar for memory: no call on a path without copies allocates a single byte.</summary>
internal static class Allocations
{
    private const int Calls = 1000;

    public static bool Check()
    {
        bool good = true;
        foreach (SandboxBackend backend in new[] { SandboxBackend.Fake, SandboxBackend.Kvm })
        {
            foreach (bool generated in new[] { false, true })
            {
                using ManagedGuest guest = new(backend, generated);
                foreach ((string name, Func<long> call) in guest.FreeOfAllocations)
                {
                    good &= Hold($"{backend} {name}, host by {(generated ? "interface" : "lambdas")}", call);
                }
            }
        }

        return good;
    }

    private static bool Hold(string what, Func<long> call)
    {
        Loops.Run(Calls, call); // makes what is made once: code, pools
        long before = GC.GetAllocatedBytesForCurrentThread();
        Loops.Run(Calls, call);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Console.WriteLine($"{(bytes == 0 ? "ok" : "MISSED"),-7}{what,-52}{bytes} B in {Calls} calls (bar: 0 B)");
        return bytes == 0;
    }
}
