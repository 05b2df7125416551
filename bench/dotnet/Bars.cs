// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Glint;

namespace DotnetBench;

/// <summary>The bars for time: what a call from C# takes, held against the same from C.
/// <para>Both take turns in blocks of half a millisecond, shorter than the time slices that other programs take, and a block
/// of one is compared with the block of the other beside it: what disturbs the machine for longer disturbs both, and the
/// median of many pairs does not see what disturbs a few. The clock counts only the time for which the thread had a processor.
/// Where two sandboxes lie in memory can favour one of them for as long as they live, so they are made anew in every round;
/// the medians of the rounds are the independent samples of the estimate.</para>
/// <para>A bar holds when the whole confidence interval is within it. There is one attempt: where the true value is at the
/// bar, it passes once in 40 times. Programs that run beside it still count where they push memory out of the
/// caches; hold the bars on a quiet machine.</para></summary>
internal static class Bars
{
    private const int Rounds = 25;
    private const int Pairs = 100;
    private const int FakeCalls = 500;
    private const int KvmCalls = 20;
    private const int WarmingPart = 4;

    public static bool Check()
    {
        bool good = true;
        foreach ((SandboxBackend backend, double? call, double? hostCall) in
            new[] { (SandboxBackend.Fake, (double?)null, (double?)null), (SandboxBackend.Kvm, 1.02, 1.05) })
        {
            good &= Hold(backend, "call", static m => m.Call, static c => c.Call, call);
            good &= Hold(backend, "call with host call", static m => m.CallWithHostCall, static c => c.CallWithHostCall,
                hostCall);
        }

        return good;
    }

    // `ratio`: at most so many times what C takes; null: at most 100 ns more.
    private static bool Hold(SandboxBackend backend, string what, Func<ManagedGuest, Func<long>> managed,
        Func<CGuest, Func<int, double>> inC, double? ratio)
    {
        int calls = backend == SandboxBackend.Fake ? FakeCalls : KvmCalls;
        Round(backend, calls, managed, inC); // compiles, and compiles again for speed
        List<(double Managed, double C)[]> rounds =
            [.. Enumerable.Range(0, Rounds).Select(_ => Round(backend, calls, managed, inC))];
        Estimate times = Estimate.Of(rounds.Select(static r => Median(r, static p => p.C)));
        Estimate more = Estimate.Of(rounds.Select(static r => Median(r, static p => p.Managed - p.C)));
        Estimate ratios = Estimate.Of(rounds.Select(static r => Median(r, static p => p.Managed / p.C)));
        bool good = ratio is { } most ? ratios.High <= most : more.High <= 100;
        string bar = ratio is { } limit ? $"<= {limit:F2} x" : "<= C + 100 ns";
        Console.WriteLine($"{(good ? "ok" : "MISSED"),-7}{backend + " " + what,-26}C {times.Median,7:F0} ns  " +
            $"C# {more.Median,5:F0} ns more ({more.Low:F0} to {more.High:F0}), " +
            $"{ratios.Median:F4} x ({ratios.Low:F4} to {ratios.High:F4})  (bar: {bar})");
        return good;
    }

    private static (double Managed, double C)[] Round(SandboxBackend backend, int calls,
        Func<ManagedGuest, Func<long>> managed, Func<CGuest, Func<int, double>> inC)
    {
        using ManagedGuest managedGuest = new(backend);
        using CGuest cGuest = new(backend);
        Func<long> call = managed(managedGuest);
        Func<int, double> loop = inC(cGuest);
        (double Managed, double C)[] pairs = new (double, double)[Pairs];
        for (int i = 0; i < Pairs; i++)
        {
            // Each is first in every other pair. What is not counted warms the processor's caches for it.
            for (int turn = i; turn < i + 2; turn++)
            {
                if (turn % 2 == 0)
                {
                    loop(calls / WarmingPart);
                    pairs[i].C = loop(calls);
                }
                else
                {
                    Loops.Run(calls / WarmingPart, call);
                    pairs[i].Managed = Loops.Run(calls, call);
                }
            }
        }

        return pairs;
    }

    private static double Median((double Managed, double C)[] pairs, Func<(double Managed, double C), double> value) =>
        pairs.Select(value).Order().ElementAt(pairs.Length / 2);
}
