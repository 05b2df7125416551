// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;

namespace DotnetBench;

/// <summary>Repeats a call of a guest.</summary>
internal static class Loops
{
    /// <summary>Each call must answer 1. The loop is compiled for good at once: faster code that takes its place while it
    /// runs is made by this very thread, which allocates an object for it now and then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int calls, Func<long> call)
    {
        for (int i = 0; i < calls; i++)
        {
            if (call() != 1)
            {
                throw new InvalidOperationException("A call gave a wrong result.");
            }
        }
    }
}
