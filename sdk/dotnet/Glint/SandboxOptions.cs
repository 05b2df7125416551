// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using Glint.Native;

namespace Glint;

/// <summary>Where the guest prints.</summary>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix",
    Justification = "They are the standard streams of a program.")]
[SuppressMessage("Design", "CA1008:Enums should have zero value", Justification = "The numbers are Linux'.")]
public enum GuestStream
{
    /// <summary>Standard output.</summary>
    Output = 1,

    /// <summary>Standard error.</summary>
    Error = 2,
}

/// <summary>Receives what the guest prints, on the thread that runs the sandbox, in order.</summary>
/// <param name="stream">Where it was printed.</param>
/// <param name="data">What was printed; valid until the callback returns.</param>
public delegate void GuestOutputCallback(GuestStream stream, ReadOnlySpan<byte> data);

/// <summary>Gives what the guest reads from its standard input, on the thread that runs the
/// sandbox.</summary>
/// <param name="buffer">To be filled.</param>
/// <returns>How many bytes were written; 0 at the end.</returns>
public delegate int GuestInputCallback(Span<byte> buffer);

/// <summary>Receives the report of a system call, on the thread that runs the sandbox.</summary>
/// <param name="call">The report; valid until the callback returns.</param>
public delegate void GuestTraceCallback(SystemCall call);

/// <summary>How a <see cref="Sandbox"/> is set up. When one of the callbacks throws, the guest goes on as if
/// it had returned (the input is at its end then), and the call ends with a
/// <see cref="HostFunctionException"/> whose inner exception is the first that was thrown.</summary>
public sealed class SandboxOptions
{
    /// <summary><c>argv</c>, the program's name first; null: just <c>guest</c>.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>The environment variables of the guest; null: none.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Receives what the guest prints; null: it is dropped.</summary>
    public GuestOutputCallback? Output { get; init; }

    /// <summary>Gives what the guest reads from its standard input; null: that is empty.</summary>
    public GuestInputCallback? Input { get; init; }

    /// <summary>Receives reports of system calls that the libos does not know, and with
    /// <see cref="TraceAllSystemCalls"/> of all.</summary>
    public GuestTraceCallback? Trace { get; init; }

    /// <summary>Report all system calls to <see cref="Trace"/>, which must then be given.</summary>
    public bool TraceAllSystemCalls { get; init; }

    /// <summary>When a host function fails, end the call at once with <see cref="HostFunctionException"/>;
    /// the sandbox is poisoned then. Otherwise the guest receives the failure as an error value and goes
    /// on.</summary>
    public bool EndOnHostFailure { get; init; }

    /// <summary>Each call begins with the sandbox as its snapshot has it: what it was made from, or restored
    /// to last, or else what it was when its start-up code had run. So no call sees what another one left,
    /// and none fails because an earlier one did. <see cref="Sandbox.Restore"/> says how that is
    /// done.</summary>
    public bool RestoreEachCall { get; init; }

    /// <summary>The sandbox has a VM of its own, made for its first call and closed with it, which never serves
    /// another one. It costs what a VM costs, some hundred microseconds and two file descriptors.</summary>
    public bool DedicatedVm { get; init; }

    /// <summary>How deeply host and guest may call each other on one thread; 0: 16.</summary>
    public int MaxDepth
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>Whose sandbox this is: a VM serves the sandboxes of one tenant only, all through its life.
    /// Null or empty: the tenant without a name.</summary>
    public string? Tenant { get; init; }

    internal bool HasCallbacks => Output is not null || Input is not null || Trace is not null;
}

/// <summary>A system call of a guest, which the libos served or did not know.</summary>
public readonly unsafe ref struct SystemCall
{
    private readonly NativeSyscall* _call;

    internal SystemCall(NativeSyscall* call) => _call = call;

    /// <summary>Its number, as on x86-64 Linux.</summary>
    public ulong Number => _call->Number;

    /// <summary>Linux' name for it, or empty.</summary>
    public string Name => Text.ToString(_call->Name);

    /// <summary>Its six arguments.</summary>
    public ReadOnlySpan<ulong> Arguments => new(_call->Arguments, 6);

    /// <summary>What it gave.</summary>
    public long Result => _call->Result;

    /// <summary>Whether the libos does not know it; the result is -38 then.</summary>
    public bool IsUnknown => _call->Unknown != 0;
}
