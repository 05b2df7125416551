// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Glint.Native;

namespace Glint;

/// <summary>The connection to the hypervisor. Images, and through them sandboxes, hold on to it: it may be
/// disposed of first. Safe to use from any thread.</summary>
public sealed unsafe class SandboxEngine : IDisposable
{
    private static readonly Lock s_lock = new();
    private static SandboxEngine? s_default;
    private readonly bool _shared;

    /// <summary>Opens the hypervisor.</summary>
    /// <param name="options">How the engine works; null for the defaults.</param>
    /// <exception cref="NativeLibraryException">libglint.so is missing or of another version.</exception>
    /// <exception cref="SandboxException">The hypervisor cannot be used; the message says what to
    /// do.</exception>
    public SandboxEngine(SandboxEngineOptions? options = null)
        : this(options, shared: false)
    {
    }

    private SandboxEngine(SandboxEngineOptions? options, bool shared)
    {
        LibraryCheck.Ensure();
        _shared = shared;
        NativeEngineOptions native = new() { StructSize = (uint)sizeof(NativeEngineOptions) };
        if (options is not null)
        {
            native.Backend = (uint)options.Backend;
            native.MaxShells = (uint)options.MaxShells;
            native.MaxVms = (uint)options.MaxVms;
            native.KickSignal = (uint)options.KickSignal;
            native.DeadlineNs = Deadline.ToNative(options.DefaultDeadline);
        }

        nint engine = 0;
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.EngineCreate(&native, &engine, &error), error);
        Handle.Initialize(engine);
    }

    /// <summary>The engine of images that are given none. Made when it is first needed, with default options;
    /// it lives as long as the process, and <see cref="Dispose"/> does nothing to it.</summary>
    public static SandboxEngine Default => Volatile.Read(ref s_default) ?? MakeDefault();

    /// <summary>"kvm", "fake" or "none".</summary>
    public string Backend => Text.ToString(NativeMethods.EngineBackend(Handle));

    /// <summary>Counts since the engine was made.</summary>
    public EngineCounters Counters
    {
        get
        {
            NativeEngineCounters counters = new() { StructSize = (uint)sizeof(NativeEngineCounters) };
            nint error = 0;
            Failure.ThrowIfFailed(NativeMethods.EngineGetCounters(Handle, &counters, &error), error);
            return new EngineCounters(counters);
        }
    }

    internal EngineHandle Handle { get; } = new();

    /// <summary>Gives up the engine. What was made with it goes on working.</summary>
    public void Dispose()
    {
        if (!_shared)
        {
            Handle.Dispose();
        }
    }

    /// <summary>Not a Lazy: that would keep an exception for ever, and what is wrong can be mended while the
    /// process runs.</summary>
    private static SandboxEngine MakeDefault()
    {
        lock (s_lock)
        {
            if (s_default is null)
            {
                Volatile.Write(ref s_default, new SandboxEngine(null, shared: true));
            }

            return s_default!;
        }
    }
}
