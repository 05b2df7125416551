// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace DotnetBench;

/// <summary>The median of independent samples, and the interval in which the median of what they are drawn from lies with a
/// confidence of at least 95 %. It is between two of the samples, whatever their distribution: the number of samples below
/// the true median is binomial.</summary>
internal readonly record struct Estimate(double Median, double Low, double High)
{
    private const double Confidence = 0.95;

    public static Estimate Of(IEnumerable<double> values)
    {
        double[] samples = [.. values.Order()];
        int below = Outside(samples.Length);
        double median = (samples[(samples.Length - 1) / 2] + samples[samples.Length / 2]) / 2;
        return new Estimate(median, samples[below], samples[samples.Length - 1 - below]);
    }

    // How many samples are left out at each end: the most, such that the true median is further out on either side
    // seldom enough.
    private static int Outside(int count)
    {
        double chance = Math.Pow(0.5, count); // that no sample is below the true median
        double total = chance;
        int below = 0;
        while (2 * total <= 1 - Confidence)
        {
            below++;
            chance *= (count - below + 1) / (double)below;
            total += chance;
        }

        return below == 0 ? throw new ArgumentException("too few samples") : below - 1;
    }
}
