// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Glint.Native;

namespace Glint;

/// <summary>One guest: its memory and its processor state.
/// <para>Any thread may use it, one at a time: a second one that enters meanwhile, and a callback that comes
/// back to the sandbox that called it, get a <see cref="SandboxBusyException"/>. <see cref="State"/> and
/// <see cref="Dispose"/> may be used at any time, by any thread.</para>
/// <para>Disposing of a sandbox during a call, also from one of its own callbacks, does not end the call: the
/// memory is freed when that ends. To stop a call, cancel its token.</para></summary>
public sealed unsafe partial class Sandbox : IDisposable
{
    private readonly SandboxHandle _handle;

    // Kept for the native side, which refers to it by a weak handle.
    private readonly SandboxCallbacks? _callbacks;

    /// <summary>Makes a sandbox of an image that imports nothing. Runs nothing yet.</summary>
    /// <param name="image">The guest program.</param>
    /// <param name="options">How it is set up; null for the defaults.</param>
    /// <exception cref="SandboxException">The image imports functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    public Sandbox(GuestImage image, SandboxOptions? options = null)
        : this(image, null, options, null)
    {
    }

    /// <summary>Makes a sandbox, and links the functions that its image imports by name and signature. Runs
    /// nothing yet.</summary>
    /// <param name="image">The guest program.</param>
    /// <param name="hostFunctions">What the guest may call. The set cannot be changed any more.</param>
    /// <param name="options">How it is set up; null for the defaults.</param>
    /// <exception cref="SandboxException">The set lacks functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    public Sandbox(GuestImage image, HostFunctions hostFunctions, SandboxOptions? options = null)
        : this(image, null, options, hostFunctions ?? throw new ArgumentNullException(nameof(hostFunctions)))
    {
    }

    private Sandbox(GuestImage image, Snapshot? snapshot, SandboxOptions? options,
        HostFunctions? hostFunctions)
        : this(image, hostFunctions?.Handle.Registrations, options)
    {
        using HandleLease lease = new(hostFunctions?.Handle);
        nint functions = lease.Value;
        int status = Open(options,
            (native, sandbox, failure) => snapshot is null
                ? NativeMethods.SandboxCreate(image.Handle, functions, native, sandbox, failure)
                : NativeMethods.SandboxCreateFrom(snapshot.Handle, functions, native, sandbox, failure),
            out nint error);
        Failure.ThrowIfFailed(status, error);
    }

    // Not opened yet.
    private Sandbox(GuestImage image, object? registrations, SandboxOptions? options)
    {
        ArgumentNullException.ThrowIfNull(image);
        Image = image;
        _handle = new SandboxHandle(registrations);
        _callbacks = options is { HasCallbacks: true } ? new SandboxCallbacks(options) : null;
    }

    /// <summary>Gets a native sandbox that does what the options say.</summary>
    internal delegate int Opener(NativeSandboxOptions* options, nint* sandbox, nint* error);

    /// <summary>The guest program.</summary>
    public GuestImage Image { get; }

    /// <summary>What the sandbox can do next, as it is at this moment. Any thread, also during a
    /// call.</summary>
    public SandboxState State
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return (SandboxState)NativeMethods.SandboxState(_handle);
        }
    }

    /// <summary>Counts since the sandbox was made. During a call only from its callbacks; what the call has
    /// added so far may be missing then.</summary>
    /// <exception cref="SandboxBusyException">Another thread is in a call of the sandbox.</exception>
    public SandboxCounters Counters
    {
        get
        {
            if (IsInCallOfThisThread)
            {
                return ReadCounters();
            }

            Enter();
            try
            {
                return ReadCounters();
            }
            finally
            {
                Leave();
            }
        }
    }

    /// <summary>Runs the program until it ends or waits for calls. A call does this first when it is due;
    /// call it to run a program to its end, or to have the start-up done before the first call.</summary>
    /// <param name="options">What can end it early; a cancellation token converts to it.</param>
    /// <returns>The exit status of the program; 0 when it waits for calls, which <see cref="State"/>
    /// tells.</returns>
    /// <exception cref="SandboxException">The program faulted, or could not be run.</exception>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    public int Run(CallOptions options = default)
    {
        int exitCode = 0;
        nint sandbox = Enter();
        try
        {
            nint error = 0;
            int status;
            using (Interruption interruption = new(this, options))
            {
                NativeCallOptions native = interruption.Options;
                status = NativeMethods.SandboxRun(sandbox, &native, &exitCode, &error);
            }

            Finish(status, error, options);
        }
        finally
        {
            Leave();
        }

        return exitCode;
    }

    /// <summary>Ends the sandbox, or gives it back to the pool that it is of. During a call, this takes effect
    /// when the call ends.</summary>
    public void Dispose()
    {
        _disposed = true; // before the handle: see GiveBack
        _handle.Dispose();
        DisposeSpareInterrupt();
    }

    /// <summary>A sandbox that `open` gets; null when it fails, with what it says.</summary>
    internal static Sandbox? TryOpen(GuestImage image, object? registrations, SandboxOptions? options,
        Opener open, out int status, out nint error)
    {
        Sandbox sandbox = new(image, registrations, options);
        status = sandbox.Open(options, open, out error);
        return status == NativeConstants.Ok ? sandbox : null;
    }

    private int Open(SandboxOptions? options, Opener open, out nint error)
    {
        nint userData = _callbacks is null ? 0 : Callbacks.Refer(_callbacks);
        try
        {
            int status = Open(options ?? new SandboxOptions(), userData, open, out error);
            if (status == NativeConstants.Ok)
            {
                _handle.Own(userData);
                userData = 0;
            }

            return status;
        }
        finally
        {
            Callbacks.Release<SandboxCallbacks>(userData);
        }
    }

    private int Open(SandboxOptions options, nint userData, Opener open, out nint error)
    {
        using NativeTexts texts = new();
        string[] environment = ToEnvironment(options.Environment);
        IReadOnlyList<string> arguments = options.Arguments ?? [];
        NativeSandboxOptions native = new()
        {
            StructSize = (uint)sizeof(NativeSandboxOptions),
            Flags = (options.TraceAllSystemCalls ? NativeConstants.SandboxTrace : 0)
                | (options.EndOnHostFailure ? NativeConstants.SandboxEndOnHostFailure : 0)
                | (options.RestoreEachCall ? NativeConstants.SandboxRestoreEachCall : 0)
                | (options.DedicatedVm ? NativeConstants.SandboxDedicatedVm : 0),
            Arguments = texts.AddAll(arguments),
            ArgumentCount = (ulong)arguments.Count,
            Environment = texts.AddAll(environment),
            EnvironmentCount = (ulong)environment.Length,
            OutputUserData = userData,
            InputUserData = userData,
            TraceUserData = userData,
            MaxDepth = (uint)options.MaxDepth,
            Tenant = texts.Add(options.Tenant ?? ""),
        };
        native.Output = options.Output is null ? null : &Trampolines.Output;
        native.Input = options.Input is null ? null : &Trampolines.Input;
        native.Trace = options.Trace is null ? null : &Trampolines.Trace;

        nint sandbox = 0;
        nint nativeError = 0;
        int status = open(&native, &sandbox, &nativeError);
        error = nativeError;
        if (status == NativeConstants.Ok)
        {
            _handle.Initialize(sandbox);
        }

        return status;
    }

    private static string[] ToEnvironment(IReadOnlyDictionary<string, string>? variables) =>
        variables is null ? [] : [.. variables.Select(static v => v.Key + "=" + v.Value)];

    private SandboxCounters ReadCounters()
    {
        NativeSandboxCounters counters = new() { StructSize = (uint)sizeof(NativeSandboxCounters) };
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.SandboxGetCounters(_handle, &counters, &error), error);
        return new SandboxCounters(counters);
    }
}
