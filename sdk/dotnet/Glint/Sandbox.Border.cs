// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Glint.Native;

namespace Glint;

// The border itself: who may enter, what can end a call, and how it comes back.
public sealed unsafe partial class Sandbox
{
    // The managed thread that is in the sandbox; 0: none.
    private int _thread;

    // The handle closes when the last call has ended; nobody may begin another one from Dispose on.
    private volatile bool _disposed;

    // An interrupt that was not raised, for the next call with a token.
    private InterruptHandle? _spareInterrupt;

    private bool IsInCallOfThisThread => Volatile.Read(ref _thread) == Environment.CurrentManagedThreadId;

    /// <summary>Calls a guest function. What arguments point to is pinned by the caller, and is not used any
    /// more when this returns. The receiver takes the result while its view is valid: nothing else can enter
    /// the sandbox meanwhile.</summary>
    internal void CallNative<TReceiver>(uint function, NativeValue* arguments, uint count,
        CallOptions options, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        nint sandbox = Enter();
        try
        {
            NativeValue result;
            nint error = 0;
            int status = options.Equals(default)
                ? NativeMethods.Call(sandbox, function, arguments, count, null, &result, &error)
                : CallWithOptions(sandbox, function, arguments, count, options, &result, &error);
            if (status != NativeConstants.Ok)
            {
                Finish(status, error, options);
            }

            Receive(sandbox, &result, ref receiver);
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
        if (result->Type is not ((uint)GuestType.String or (uint)GuestType.Bytes))
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

    private int CallWithOptions(nint sandbox, uint function, NativeValue* arguments, uint count,
        CallOptions options, NativeValue* result, nint* error)
    {
        using Interruption interruption = new(this, options);
        NativeCallOptions native = interruption.Options;
        return NativeMethods.Call(sandbox, function, arguments, count, &native, result, error);
    }

    /// <summary>Throws what went wrong in a call that has ended. What a callback threw comes first, since the
    /// rest may follow from it.</summary>
    private void Finish(int status, nint error, CallOptions options)
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
    private nint Enter()
    {
        if (Interlocked.CompareExchange(ref _thread, Environment.CurrentManagedThreadId, 0) != 0)
        {
            throw new SandboxBusyException(IsInCallOfThisThread
                ? "The sandbox is in the call that led here: its callbacks cannot come back to it."
                : "The sandbox is used by another thread at this moment; only one at a time may use it.");
        }

        bool added = false;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _handle.DangerousAddRef(ref added);
        }
        finally
        {
            if (!added)
            {
                Volatile.Write(ref _thread, 0);
            }
        }

        return _handle.DangerousGetHandle();
    }

    /// <summary>Before the next may enter, the handle is released: if the sandbox was disposed of during the
    /// call, that frees it, when nobody is in it.</summary>
    private void Leave()
    {
        _handle.DangerousRelease();
        Volatile.Write(ref _thread, 0);
    }

    /// <summary>An interrupt that was not raised.</summary>
    private InterruptHandle TakeInterrupt() =>
        Interlocked.Exchange(ref _spareInterrupt, null) ?? MakeInterrupt();

    private static InterruptHandle MakeInterrupt()
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

        public Interruption(Sandbox sandbox, CallOptions options)
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
