// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Glint;

namespace DotnetBench;

/// <summary>The bars for time: what a call from C#, and a host function in C#, take more than the same in C.
/// <para>Both languages take turns in blocks of half a millisecond, shorter than the time slices that other programs take,
/// and a block of one is compared with the block of the other beside it: what disturbs the machine for longer disturbs both,
/// and the median of many pairs does not see what disturbs a few. The clock counts only the time for which the thread had a
/// processor. Where two sandboxes lie in memory can favour one of them for as long as they live, so they are made anew in
/// every round; the medians of the rounds are the independent samples of the estimate.</para>
/// <para>A host call takes place in a call only. What it costs by itself is the difference of two differences, that of calls
/// with a host call and that of calls without, which take turns in the same round, with the same sandboxes.</para>
/// <para>A bar holds when the whole confidence interval is within it. There is one attempt: where the true value is at the
/// bar, it passes once in 40 times. Programs that run beside it still count where they push memory out of the
/// caches; hold the bars on a quiet machine.</para></summary>
internal static class Bars
{
    private const int Rounds = 25;
    private const int Pairs = 100;
    private const int LongBlock = 10;
    private const int FakeCalls = 500;
    private const int KvmCalls = 20;
    private const int WarmingRounds = 3;
    private const int WarmingPart = 4;
    private const double MostNs = 100;

    /// <summary>With long blocks, which are ten times longer and a tenth as many, the same is measured with more
    /// disturbance. They are for comparison: a bar is held with short ones.</summary>
    public static bool Check(bool longBlocks)
    {
        int factor = longBlocks ? LongBlock : 1;
        List<Round> fake = Measure(SandboxBackend.Fake, FakeCalls, factor);
        bool good = Hold("Fake call", fake, static r => r.Call, Bar.MoreNs(MostNs));
        good &= Hold("Fake host call by itself", fake, static r => r.HostCall, Bar.MoreNs(MostNs));
        Hold("Fake call with host call", fake, static r => r.CallWithHostCall, null);
        List<Round> kvm = Measure(SandboxBackend.Kvm, KvmCalls, factor);
        good &= Hold("KVM call", kvm, static r => r.Call, Bar.Times(1.02));
        good &= Hold("KVM host call by itself", kvm, static r => r.HostCall, Bar.Times(1.05));
        good &= Hold("KVM call with host call", kvm, static r => r.CallWithHostCall, Bar.Times(1.05));
        return good;
    }

    // Without a bar, it only prints.
    private static bool Hold(string what, List<Round> rounds, Func<Round, Cost> select, Bar? bar)
    {
        Estimate times = Estimate.Of(rounds.Select(r => select(r).InC));
        Estimate more = Estimate.Of(rounds.Select(r => select(r).More));
        Estimate ratios = Estimate.Of(rounds.Select(r => select(r).Ratio));
        bool good = bar is not { } b || (b.IsRatio ? ratios.High : more.High) <= b.Most;
        Console.WriteLine($"{(bar is null ? "" : good ? "ok" : "MISSED"),-7}{what,-25}C {times.Median,7:F0} ns  " +
            $"C# {more.Median,5:F0} ns more ({more.Low:F0} to {more.High:F0}), " +
            $"{ratios.Median:F4} x ({ratios.Low:F4} to {ratios.High:F4})  {bar}");
        return good;
    }

    private static List<Round> Measure(SandboxBackend backend, int calls, int factor)
    {
        for (int i = 0; i < WarmingRounds; i++)
        {
            RunRound(backend, calls, Pairs); // compiles, and compiles again for speed
        }

        return [.. Enumerable.Range(0, Rounds).Select(_ => RunRound(backend, calls * factor, Pairs / factor))];
    }

    private static Round RunRound(SandboxBackend backend, int calls, int pairs)
    {
        using ManagedGuest managed = new(backend);
        using CGuest c = new(backend);
        List<(double Managed, double C)> plain = [];
        List<(double Managed, double C)> withHostCall = [];
        for (int i = 0; i < pairs; i++)
        {
            // Each language is first in every other pair.
            plain.Add(Pair(calls, managed.Call, c.Call, i % 2 == 0));
            withHostCall.Add(Pair(calls, managed.CallWithHostCall, c.CallWithHostCall, i % 2 == 0));
        }

        return new Round(Cost.Of(plain), Cost.Of(withHostCall));
    }

    private static (double Managed, double C) Pair(int calls, Func<int, double> managed, Func<int, double> c, bool cFirst)
    {
        double first = Block(calls, cFirst ? c : managed);
        double second = Block(calls, cFirst ? managed : c);
        return cFirst ? (second, first) : (first, second);
    }

    // What is not counted warms the processor's caches for what is.
    private static double Block(int calls, Func<int, double> loop)
    {
        loop(calls / WarmingPart);
        return loop(calls);
    }

    /// <summary>Nanoseconds in C, how many more in C#, and the ratio of the two.</summary>
    private readonly record struct Cost(double InC, double More, double Ratio)
    {
        public static Cost Of(List<(double Managed, double C)> pairs) =>
            new(Median(pairs.Select(static p => p.C)), Median(pairs.Select(static p => p.Managed - p.C)),
                Median(pairs.Select(static p => p.Managed / p.C)));

        private static double Median(IEnumerable<double> values)
        {
            double[] sorted = [.. values.Order()];
            return sorted[sorted.Length / 2];
        }
    }

    private readonly record struct Round(Cost Call, Cost CallWithHostCall)
    {
        public Cost HostCall
        {
            get
            {
                double inC = CallWithHostCall.InC - Call.InC;
                double more = CallWithHostCall.More - Call.More;
                return new Cost(inC, more, (inC + more) / inC);
            }
        }
    }

    private readonly record struct Bar(double Most, bool IsRatio)
    {
        public static Bar MoreNs(double most) => new(most, false);

        public static Bar Times(double most) => new(most, true);

        public override string ToString() => IsRatio ? $"(bar: <= {Most:F2} x)" : $"(bar: <= C + {Most:F0} ns)";
    }
}
