// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using Glint;

namespace DotnetBench;

/// <summary>The bars. C# and C are measured in turns, so that what disturbs the machine disturbs both; the medians are
/// compared. A bar that is missed is measured three times before it is declared so.</summary>
internal static class Bars
{
    private const int Batches = 41;
    private const int Attempts = 3;

    public static bool Check()
    {
        bool good = true;
        foreach (SandboxBackend backend in new[] { SandboxBackend.Fake, SandboxBackend.Kvm })
        {
            using ManagedGuest managed = new(backend);
            using CGuest c = new(backend);
            bool fake = backend == SandboxBackend.Fake;
            int calls = fake ? 20_000 : 500;
            good &= Hold($"{backend} call", calls, managed.Call, c.Call, fake ? null : 1.02);
            good &= Hold($"{backend} call with host call", calls, managed.CallWithHostCall, c.CallWithHostCall,
                fake ? null : 1.05);
        }

        Console.WriteLine(good ? "all bars hold" : "bars were missed");
        return good;
    }

    // `ratio`: at most so many times what C takes; null: at most 100 ns more.
    private static bool Hold(string what, int calls, Func<long> call, Func<int, double> inC, double? ratio)
    {
        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            (double managed, double c, long bytes) = Measure(calls, call, inC);
            bool good = bytes == 0 && (ratio is { } most ? managed <= most * c : managed <= c + 100);
            string bar = ratio is { } limit ? $"<= {limit:F2} x" : "<= C + 100 ns";
            Console.WriteLine($"{(good ? "ok" : "MISSED"),-7}{what,-28}C# {managed,9:F0} ns  C {c,9:F0} ns  " +
                $"+{managed - c,6:F0} ns  {managed / c:F3} x  {bytes} B  ({bar}, 0 B)");
            if (good)
            {
                return true;
            }
        }

        return false;
    }

    private static (double Managed, double C, long Bytes) Measure(int calls, Func<long> call, Func<int, double> inC)
    {
        double[] managed = new double[Batches];
        double[] c = new double[Batches];
        Loop(calls, call); // compiled, and compiled again for speed
        Loop(calls, call);
        inC(calls);
        long bytes = 0;
        for (int i = 0; i < Batches; i++)
        {
            c[i] = inC(calls);
            long before = GC.GetAllocatedBytesForCurrentThread();
            managed[i] = Loop(calls, call);
            bytes += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return (Median(managed), Median(c), bytes);
    }

    private static double Loop(int calls, Func<long> call)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
        {
            if (call() != 1)
            {
                throw new InvalidOperationException("A call gave a wrong result.");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
    }

    private static double Median(double[] samples) => samples.Order().ElementAt(samples.Length / 2);
}
