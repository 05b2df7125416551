// SPDX-License-Identifier: Apache-2.0
using System;

namespace DotnetBench;

/// <summary>Repeats a call of a guest.</summary>
internal static class Loops
{
    /// <summary>Nanoseconds a call, on average. Each must answer 1.</summary>
    public static double Run(int calls, Func<long> call)
    {
        double start = CGuest.Now();
        for (int i = 0; i < calls; i++)
        {
            if (call() != 1)
            {
                throw new InvalidOperationException("A call gave a wrong result.");
            }
        }

        return (CGuest.Now() - start) / calls;
    }
}
