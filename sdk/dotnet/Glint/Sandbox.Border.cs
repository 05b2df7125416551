// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Glint.Native;

namespace Glint;

// The border itself: who may enter, what can end a call, and how it comes back.
public sealed unsafe partial class Sandbox
{
    // Nobody may begin a call from Dispose on: SandboxHandle sees to it. The rest is told by this.
    private volatile bool _disposed;

    // An interrupt that was not raised, for the next call with a token.
    private InterruptHandle? _spareInterrupt;

    private bool IsInCallOfThisThread => _handle.IsInCallOfThisThread;

    /// <summary>Calls a guest function. What arguments point to is pinned by the caller, and is not used any
    /// more when this returns. The receiver takes the result while its view is valid: nothing else can enter
    /// the sandbox meanwhile.
    /// <para>After an exit of the guest, each page of code that a call comes by costs some 75 ns, however little
    /// of it runs (docs/benchmarks.md). Hence what every call does is inlined into one method, and all else is
    /// apart. The native call is, too, because it is in no try block; it needs none, since native calls throw
    /// nothing. Should one do so all the same, the sandbox stays claimed and is not freed.</para></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CallNative<TReceiver>(uint function, NativeValue* arguments, uint count,
        in CallOptions options, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (options.Deadline.HasValue || options.CancellationToken.CanBeCanceled)
        {
            CallWithOptions(function, arguments, count, options, ref receiver);
            return;
        }

        NativeValue result;
        nint error = 0;
        nint sandbox = Enter();
        int status = NativeMethods.Call(sandbox, function, arguments, count, null, &result, &error);
        if (status == NativeConstants.Ok && !IsView(&result) && _callbacks is null)
        {
            Leave(); // the result is in `result`
            receiver.Receive(&result);
        }
        else
        {
            EndCall(sandbox, status, error, &result, default, ref receiver);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CallWithOptions<TReceiver>(uint function, NativeValue* arguments, uint count,
        in CallOptions options, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        NativeValue result;
        nint error = 0;
        int status;
        nint sandbox = Enter();
        try
        {
            using Interruption interruption = new(this, options);
            NativeCallOptions native = interruption.Options;
            status = NativeMethods.Call(sandbox, function, arguments, count, &native, &result, &error);
        }
        catch
        {
            Leave();
            throw;
        }

        EndCall(sandbox, status, error, &result, options, ref receiver);
    }

    /// <summary>Leaves the sandbox at the end of any call, with or without a result.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndCall<TReceiver>(nint sandbox, int status, nint error, NativeValue* result,
        in CallOptions options, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        try
        {
            if (status != NativeConstants.Ok)
            {
                Finish(status, error, options);
            }

            Receive(sandbox, result, ref receiver);
            _callbacks?.ThrowIfFailed(null);
        }
        finally
        {
            Leave();
        }
    }

    private static void Receive<TReceiver>(nint sandbox, NativeValue* result, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        if (!IsView(result))
        {
            receiver.Receive(result);
            return;
        }

        try
        {
            receiver.Receive(result);
        }
        finally
        {
            NativeMethods.ResultRelease(sandbox); // the view holds the VM
        }
    }

    private static bool IsView(NativeValue* value) =>
        value->Type is (uint)GuestType.String or (uint)GuestType.Bytes;

    /// <summary>Throws what went wrong in a call that has ended. What a callback threw comes first, since the
    /// rest may follow from it.</summary>
    private void Finish(int status, nint error, in CallOptions options)
    {
        if (status == NativeConstants.Ok)
        {
            _callbacks?.ThrowIfFailed(null);
            return;
        }

        SandboxException exception = Failure.Create(status, error);
        _callbacks?.ThrowIfFailed(exception);
        Failure.Throw(exception, options.CancellationToken);
    }

    /// <summary>Claims the sandbox for this thread, and keeps the native one alive until <see cref="Leave"/>,
    /// whoever disposes of it meanwhile.</summary>
    private nint Enter() => _handle.Enter();

    private void Leave() => _handle.Leave();

    /// <summary>An interrupt that was not raised.</summary>
    private InterruptHandle TakeInterrupt() =>
        Interlocked.Exchange(ref _spareInterrupt, null) ?? MakeInterrupt();

    internal static InterruptHandle MakeInterrupt()
    {
        InterruptHandle handle = new();
        nint interrupt = 0;
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.InterruptCreate(&interrupt, &error), error);
        handle.Initialize(interrupt);
        return handle;
    }

    /// <summary>Keeps the interrupt for the next call, unless it was raised: it stays raised for ever. Nobody
    /// can raise it any more, because the registration with the token is gone.</summary>
    private void GiveBack(InterruptHandle interrupt)
    {
        if (NativeMethods.InterruptRaised(interrupt) != 0)
        {
            interrupt.Dispose();
            return;
        }

        Interlocked.Exchange(ref _spareInterrupt, interrupt)?.Dispose();
        if (_disposed)
        {
            DisposeSpareInterrupt(); // Dispose came during the call, and found none
        }
    }

    private void DisposeSpareInterrupt() => Interlocked.Exchange(ref _spareInterrupt, null)?.Dispose();

    /// <summary>What can end one call: its deadline, and an interrupt that is raised when its token is
    /// cancelled. The registration ends with the call, so that no later cancellation can reach another
    /// one.</summary>
    private readonly ref struct Interruption
    {
        private readonly Sandbox _sandbox;
        private readonly InterruptHandle? _interrupt;
        private readonly CancellationTokenRegistration _registration;

        public Interruption(Sandbox sandbox, in CallOptions options)
        {
            CancellationToken token = options.CancellationToken;
            token.ThrowIfCancellationRequested();
            _sandbox = sandbox;
            nint interrupt = 0;
            if (token.CanBeCanceled)
            {
                _interrupt = sandbox.TakeInterrupt();
                // Not used by anybody else, and freed by Dispose only.
                interrupt = _interrupt.DangerousGetHandle();
                _registration = token.UnsafeRegister(
                    static state => NativeMethods.InterruptRaise((InterruptHandle)state!), _interrupt);
            }

            Options = new NativeCallOptions
            {
                StructSize = (uint)sizeof(NativeCallOptions),
                DeadlineNs = Deadline.ToNative(options.Deadline),
                Interrupt = interrupt,
            };
        }

        public NativeCallOptions Options { get; }

        /// <summary>Waits for a cancellation that is just being delivered.</summary>
        public void Dispose()
        {
            _registration.Dispose();
            if (_interrupt is not null)
            {
                _sandbox.GiveBack(_interrupt);
            }
        }
    }
}
