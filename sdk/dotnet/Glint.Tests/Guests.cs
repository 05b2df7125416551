// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;

namespace Glint.Tests;

/// <summary>The engines and images of all tests, which live as long as the process.</summary>
internal static class Guests
{
    private static readonly ConcurrentDictionary<(SandboxBackend Backend, string Name), GuestImage> s_images =
        new();
    private static readonly ConcurrentDictionary<SandboxBackend, SandboxEngine> s_engines = new();

    public static SandboxEngine Engine(SandboxBackend backend) =>
        s_engines.GetOrAdd(backend, static b => new SandboxEngine(new SandboxEngineOptions { Backend = b }));

    /// <summary>A guest of the fake backend: "mirror" calls host functions as mirror.c says.</summary>
    public static GuestImage Fake(string name = "mirror") => Get(SandboxBackend.Fake, name);

    public static GuestImage Kvm(string name = "mirror") => Get(SandboxBackend.Kvm, name);

    public static GuestImage Get(SandboxBackend backend, string name) =>
        s_images.GetOrAdd((backend, name), static key =>
            GuestImage.Load(Setup.Guest(key.Name), new GuestImageOptions { Engine = Engine(key.Backend) }));

    /// <summary>Host functions for all that mirror imports, which echo or add; not those that `leaveOut`
    /// names.</summary>
    public static HostFunctions Mirror(Func<string, bool>? leaveOut = null)
    {
        HostFunctions host = new();
        void Unless(string name, Action<string> add)
        {
            if (leaveOut?.Invoke(name) != true)
            {
                add(name);
            }
        }

        Unless("host_echo_bool", n => host.Add(n, (bool v) => v));
        Unless("host_echo_i32", n => host.Add(n, (int v) => v));
        Unless("host_echo_u32", n => host.Add(n, (uint v) => v));
        Unless("host_echo_i64", n => host.Add(n, (long v) => v));
        Unless("host_echo_u64", n => host.Add(n, (ulong v) => v));
        Unless("host_echo_f32", n => host.Add(n, (float v) => v));
        Unless("host_echo_f64", n => host.Add(n, (double v) => v));
        Unless("host_echo_string", n => host.Add(n, (string v) => v));
        Unless("host_echo_bytes", n => host.Add(n, (ReadOnlySpan<byte> v) => v));
        Unless("host_add", n => host.Add(n, (long a, long b) => a + b));
        Unless("host_nest", n => host.Add(n, (long depth) => depth));
        Unless("host_tell", n => host.Add(n, (uint number) => { }));
        return host;
    }
}
