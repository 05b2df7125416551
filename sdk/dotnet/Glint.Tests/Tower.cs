// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Glint.Tests;

/// <summary>Sandboxes that call each other through the host: C# → guest → C# → guest → …</summary>
internal sealed class Tower : IDisposable
{
    private readonly List<IDisposable> _parts = [];
    private readonly Sandbox[] _sandboxes;

    /// <summary>The host function at `depth` is `step`, which may call the next sandbox with its second
    /// argument; at depth 0 there is none, and that gives 1.</summary>
    public Tower(GuestImage mirror, int levels, Func<long, Func<long>, long> step)
    {
        _sandboxes = new Sandbox[levels];
        for (int i = 0; i < levels; i++)
        {
            HostFunctions host = Guests.Mirror(static n => n == "host_nest");
            host.Add("host_nest", (long depth) =>
                step(depth, () => depth == 0 ? 1 : _sandboxes[depth - 1].Call<long>("nest", depth - 1)));
            _parts.Add(host);
            _sandboxes[i] = new Sandbox(mirror, host);
            _parts.Add(_sandboxes[i]);
        }
    }

    public long Call() => _sandboxes[^1].Call<long>("nest", _sandboxes.Length - 1);

    public void Dispose() => _parts.ForEach(static p => p.Dispose());
}
