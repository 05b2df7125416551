// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Numerics;
using System.Threading;
using Xunit;

namespace Glint.Tests;

/// <summary>The signal that makes a thread leave the guest, beside the signals of the run time: those that
/// stop threads for a collection, and those that become a NullReferenceException.</summary>
[Trait("Category", "Kvm")]
public sealed class KickTests : InteropTest
{
    // Kicks before each that ends a call; nobody asked for them, and they must end nothing.
    private const int Strays = 4;
    private const int Workers = 2;

    // Kicks that end a call: with the strays 100,000. Each costs a sandbox, of which a new one takes about
    // half a millisecond to start; GLINT_TEST_KICKS asks for more of them.
    private static readonly int s_kicks =
        int.Parse(Environment.GetEnvironmentVariable("GLINT_TEST_KICKS") ?? "20000",
            CultureInfo.InvariantCulture);

    protected override bool NeedsKvm => true;

    [Fact]
    public void NoKickIsLostAndNoneIsFalseBesideTheSignalsOfTheRunTime()
    {
        using HostFunctions host = Guests.Mirror();
        State state = new(host);
        Thread[] victims = [.. Enumerable.Range(0, Workers)
            .Select(i => state.Start(() => BeKicked(state, i)))];
        Thread[] others =
        [
            state.Start(() => Kick(state)),
            state.Start(() => CallInPeace(state)),
            state.Start(() => Collect(state)),
            state.Start(() => Dereference(state)),
        ];
        Array.ForEach(victims, static t => t.Join());
        state.Over = true;
        Array.ForEach(others, static t => t.Join());
        Assert.Empty(state.Unexpected);
        Assert.True(state.Kicked >= s_kicks, $"{state.Kicked} calls were kicked out of the guest");
        Assert.True(state.Strays >= (long)s_kicks * Strays, $"{state.Strays} stray kicks");
        Assert.True(state.Peaceful > 1000, $"{state.Peaceful} calls beside them");
        Assert.True(state.Faults > 1000, $"{state.Faults} NullReferenceExceptions");
        Assert.True(state.Collections > 100, $"{state.Collections} collections");
    }

    private static void BeKicked(State state, int worker)
    {
        while (Volatile.Read(ref state.Kicked) < s_kicks)
        {
            using Sandbox sandbox = new(Guests.Kvm(), state.Host);
            sandbox.Run(); // so that the kick finds the guest in its function
            using CancellationTokenSource source = new();
            Volatile.Write(ref state.Victims[worker], new Victim(sandbox, source, Signals.ThisThread()));
            try
            {
                // The deadline tells a lost kick from one that takes long.
                CallOptions options = new()
                {
                    Deadline = TimeSpan.FromMinutes(1),
                    CancellationToken = source.Token,
                };
                sandbox.Call("spin", options);
                throw new InvalidOperationException("A function that never returns has returned.");
            }
            catch (OperationCanceledException e) when (e.CancellationToken == source.Token)
            {
                // The message says where the guest was; a call that was stopped before it does not count as a
                // kick.
                if (e.InnerException!.Message.Contains(" in spin", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref state.Kicked);
                }
            }
        }
    }

    private static void Kick(State state)
    {
        while (!state.Over)
        {
            bool idle = true;
            for (int i = 0; i < Workers; i++)
            {
                if (Interlocked.Exchange(ref state.Victims[i], null) is { } victim)
                {
                    idle = false;
                    while (victim.Sandbox.State != SandboxState.Running)
                    {
                        Thread.Yield();
                    }

                    for (int stray = 0; stray < Strays; stray++, state.Strays++)
                    {
                        Thread.SpinWait(200); // about as long as it takes to enter the guest
                        // The thread exists: it cannot leave the call before it is cancelled.
                        Signals.Send(victim.Thread, state.Signal);
                    }

                    Thread.SpinWait(200);
                    victim.Source.Cancel();
                }
            }

            if (idle)
            {
                Thread.Yield();
            }
        }
    }

    private static void CallInPeace(State state)
    {
        using Sandbox sandbox = new(Guests.Kvm(), state.Host);
        GuestFunction<long, long, long> add = sandbox.GetFunction<long, long, long>("add");
        for (; !state.Over; state.Peaceful++)
        {
            Assert.Equal(state.Peaceful + 1, add.Invoke(state.Peaceful, 1));
            Thread.Sleep(1);
        }
    }

    private static void Collect(State state)
    {
        for (; !state.Over; state.Collections++)
        {
            GC.Collect(state.Collections % 10 == 0 ? 2 : 0);
            Thread.Sleep(5);
        }
    }

    private static void Dereference(State state)
    {
        string?[] nothing = [null];
        for (; !state.Over; state.Faults++)
        {
            try
            {
                _ = nothing[0]!.Length;
                throw new InvalidOperationException("null has a length.");
            }
            catch (NullReferenceException)
            {
                Thread.Sleep(1);
            }
        }
    }

    /// <summary>The highest signal that this process handles: the run time uses SIGRTMIN and those of POSIX,
    /// Glint the highest that was free.</summary>
    private static int KickSignal()
    {
        const string Caught = "SigCgt:\t";
        string line = File.ReadLines("/proc/self/status")
            .Single(static l => l.StartsWith(Caught, StringComparison.Ordinal));
        ulong mask = ulong.Parse(line.AsSpan(Caught.Length), NumberStyles.HexNumber,
            CultureInfo.InvariantCulture);
        int signal = 64 - BitOperations.LeadingZeroCount(mask); // bit 0 is signal 1
        Assert.True(signal > Signals.OfTheRunTime, $"signal {signal} is not Glint's");
        return signal;
    }

    private sealed record Victim(Sandbox Sandbox, CancellationTokenSource Source, nuint Thread);

    [SuppressMessage("Design", "CA1051:Do not declare visible instance fields",
        Justification = "Interlocked needs fields.")]
    private sealed class State(HostFunctions host)
    {
        public readonly Victim?[] Victims = new Victim?[Workers];
        public readonly int Signal = KickSignal();
        public int Kicked;
        public long Strays;
        public long Peaceful;
        public int Faults;
        public int Collections;
        public volatile bool Over;

        public HostFunctions Host { get; } = host;

        public List<Exception> Unexpected { get; } = [];

        public Thread Start(Action action)
        {
            Thread thread = new(() =>
            {
                try
                {
                    action();
                }
                catch (Exception e)
                {
                    lock (Unexpected)
                    {
                        Unexpected.Add(e);
                    }

                    Kicked = int.MaxValue / 2; // nobody waits for more
                    Over = true;
                }
            });
            thread.Start();
            return thread;
        }
    }
}
