// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Glint.Native;

namespace Glint;

/// <summary>Sandboxes of one snapshot, handed out one after the other: each as the snapshot has it, whatever
/// became of it in the hands of the one before. Safe to use from any thread.
/// <para>What it hands out is a <see cref="Sandbox"/> like any other, for the caller alone, who gives it back
/// by disposing of it; during a call, that takes effect when the call ends. Whoever waits for one is served in
/// the order of coming. A sandbox's counters go on from its earlier uses.</para>
/// <para>The pool holds on to the snapshot and to the host functions: these may be disposed of
/// first.</para></summary>
public sealed unsafe class SandboxPool : IDisposable
{
    private readonly PoolHandle _handle;
    private volatile bool _disposed;
    private int _closing;

    /// <summary>Makes a pool of an image that imports nothing. The first sandbox is made at once, so that what
    /// cannot be fails here.</summary>
    /// <param name="snapshot">What each sandbox goes on from.</param>
    /// <param name="options">How it works; null for the defaults.</param>
    /// <exception cref="SandboxException">The image imports functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot was disposed of.</exception>
    public SandboxPool(Snapshot snapshot, SandboxPoolOptions? options = null)
        : this(snapshot, options, null)
    {
    }

    /// <summary>Makes a pool whose sandboxes have host functions. The first sandbox is made at once, so that
    /// what cannot be fails here.</summary>
    /// <param name="snapshot">What each sandbox goes on from.</param>
    /// <param name="hostFunctions">What the guests may call. The set cannot be changed any more.</param>
    /// <param name="options">How it works; null for the defaults.</param>
    /// <exception cref="SandboxException">The set lacks functions
    /// (<see cref="SandboxErrorCode.MissingImport"/>), an option is bad, or there is no memory.</exception>
    /// <exception cref="ObjectDisposedException">The snapshot, or the set, was disposed of.</exception>
    public SandboxPool(Snapshot snapshot, HostFunctions hostFunctions, SandboxPoolOptions? options = null)
        : this(snapshot, options, hostFunctions ?? throw new ArgumentNullException(nameof(hostFunctions)))
    {
    }

    private SandboxPool(Snapshot snapshot, SandboxPoolOptions? options, HostFunctions? hostFunctions)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Image = snapshot.Image;
        _handle = new PoolHandle(hostFunctions?.Handle.Registrations);
        try
        {
            Create(snapshot, options ?? new SandboxPoolOptions(), hostFunctions);
            Size = (int)ReadCounters().Size;
        }
        catch
        {
            _handle.Dispose();
            throw;
        }
    }

    /// <summary>The guest program.</summary>
    public GuestImage Image { get; }

    /// <summary>Sandboxes that there are at most, those in use included.</summary>
    public int Size { get; }

    /// <summary>How many sandboxes there are, and what became of them.</summary>
    /// <exception cref="ObjectDisposedException">The pool was disposed of.</exception>
    public PoolCounters Counters => new(ReadCounters());

    /// <summary>A sandbox for the caller alone; waits for one when all are in use.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox; disposing of it gives it back.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, perhaps meanwhile.</exception>
    /// <exception cref="SandboxException">One had to be made, and that failed.</exception>
    public Sandbox Acquire(CancellationToken cancellationToken = default) =>
        Acquire(Timeout.InfiniteTimeSpan, null, cancellationToken);

    /// <summary>A sandbox for the caller alone; waits for one when all are in use.</summary>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults. Arguments and
    /// environment must not be given, and no tenant: it is the pool's.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox; disposing of it gives it back.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, perhaps meanwhile.</exception>
    /// <exception cref="SandboxException">An option is bad; or one had to be made, and that
    /// failed.</exception>
    public Sandbox Acquire(SandboxOptions? options, CancellationToken cancellationToken = default) =>
        Acquire(Timeout.InfiniteTimeSpan, options, cancellationToken);

    /// <summary>A sandbox for the caller alone; waits for one at most for a time when all are in
    /// use.</summary>
    /// <param name="timeout">How long to wait: zero is not at all, <see cref="Timeout.InfiniteTimeSpan"/> for
    /// ever.</param>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox; disposing of it gives it back.</returns>
    /// <exception cref="SandboxPoolEmptyException">None became free in time.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative and not infinite.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, perhaps meanwhile.</exception>
    /// <exception cref="SandboxException">An option is bad; or one had to be made, and that
    /// failed.</exception>
    public Sandbox Acquire(TimeSpan timeout, SandboxOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Take(Deadline.ToWait(timeout), options, cancellationToken, out SandboxException? empty) ?? throw empty!;

    /// <summary>A sandbox for the caller alone, if there is one without waiting.</summary>
    /// <param name="sandbox">The sandbox, or null; disposing of it gives it back.</param>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults.</param>
    /// <returns>Whether there was one; false: all are in use.</returns>
    /// <exception cref="ObjectDisposedException">The pool was disposed of.</exception>
    /// <exception cref="SandboxException">An option is bad; or one had to be made, and that
    /// failed.</exception>
    public bool TryAcquire([NotNullWhen(true)] out Sandbox? sandbox, SandboxOptions? options = null) =>
        TryAcquire(TimeSpan.Zero, out sandbox, options);

    /// <summary>A sandbox for the caller alone, if there is one in time.</summary>
    /// <param name="timeout">How long to wait: zero is not at all, <see cref="Timeout.InfiniteTimeSpan"/> for
    /// ever.</param>
    /// <param name="sandbox">The sandbox, or null; disposing of it gives it back.</param>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative and not infinite.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, perhaps meanwhile.</exception>
    /// <exception cref="SandboxException">An option is bad; or one had to be made, and that
    /// failed.</exception>
    public bool TryAcquire(TimeSpan timeout, [NotNullWhen(true)] out Sandbox? sandbox,
        SandboxOptions? options = null, CancellationToken cancellationToken = default)
    {
        sandbox = Take(Deadline.ToWait(timeout), options, cancellationToken, out _);
        return sandbox is not null;
    }

    /// <summary>The same as <see cref="Acquire(CancellationToken)"/>; when all are in use, the waiting is done
    /// on a thread of its own, since it occupies one.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox, or what the synchronous form throws; a task is cancelled if the token was the
    /// cause.</returns>
    public Task<Sandbox> AcquireAsync(CancellationToken cancellationToken = default) =>
        AcquireAsync(Timeout.InfiniteTimeSpan, null, cancellationToken);

    /// <summary>The same as <see cref="Acquire(SandboxOptions?, CancellationToken)"/>; when all are in use, the
    /// waiting is done on a thread of its own, since it occupies one.</summary>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox, or what the synchronous form throws; a task is cancelled if the token was the
    /// cause.</returns>
    public Task<Sandbox> AcquireAsync(SandboxOptions? options,
        CancellationToken cancellationToken = default) =>
        AcquireAsync(Timeout.InfiniteTimeSpan, options, cancellationToken);

    /// <summary>The same as <see cref="Acquire(TimeSpan, SandboxOptions?, CancellationToken)"/>; when all are
    /// in use, the waiting is done on a thread of its own, since it occupies one.</summary>
    /// <param name="timeout">How long to wait: zero is not at all, <see cref="Timeout.InfiniteTimeSpan"/> for
    /// ever.</param>
    /// <param name="options">What the sandbox does until it is given back; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The sandbox, or what the synchronous form throws; a task is cancelled if the token was the
    /// cause.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative and not infinite.</exception>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "The task has it.")]
    public Task<Sandbox> AcquireAsync(TimeSpan timeout, SandboxOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ulong wait = Deadline.ToWait(timeout);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<Sandbox>(cancellationToken);
        }

        try
        {
            if (Take(NativeConstants.WaitNone, options, cancellationToken, out SandboxException? empty)
                is { } sandbox)
            {
                return Task.FromResult(sandbox);
            }

            return wait == NativeConstants.WaitNone
                ? Task.FromException<Sandbox>(empty!)
                : OwnThread.Start(
                    () => Take(wait, options, cancellationToken, out SandboxException? late) ?? throw late!,
                    cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return Task.FromCanceled<Sandbox>(cancellationToken);
        }
        catch (Exception e)
        {
            return Task.FromException<Sandbox>(e);
        }
    }

    /// <summary>Drops sandboxes at rest, those that were used longest ago first, until what they have of their
    /// own is no more than a number of bytes.</summary>
    /// <param name="idleMemory">The bytes.</param>
    /// <exception cref="ObjectDisposedException">The pool was disposed of.</exception>
    public void Trim(long idleMemory = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(idleMemory);
        ObjectDisposedException.ThrowIf(_disposed, this);
        NativeMethods.PoolTrim(_handle, (ulong)idleMemory);
    }

    /// <summary>Ends the pool: whoever waits for a sandbox, or asks for one, gets an
    /// <see cref="ObjectDisposedException"/>. Sandboxes in use go on working, and go when they are disposed
    /// of.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closing, 1) == 0)
        {
            _disposed = true;
            NativeMethods.PoolClose(_handle); // the handle alone would wait for those who wait
            _handle.Dispose();
        }
    }

    /// <summary>A sandbox; or null when none became free in time, and the exception that says
    /// so.</summary>
    private Sandbox? Take(ulong wait, SandboxOptions? options, CancellationToken token,
        out SandboxException? empty)
    {
        token.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        // Mostly there is one, and nothing to cancel. Nobody is overtaken: while somebody waits, none is free.
        bool canBeCancelled = wait != NativeConstants.WaitNone && token.CanBeCanceled;
        ulong first = canBeCancelled ? NativeConstants.WaitNone : wait;
        Sandbox? sandbox = Ask(first, options, null, out int status, out nint error);
        if (canBeCancelled && status == (int)SandboxErrorCode.PoolEmpty)
        {
            NativeMethods.ErrorFree(error);
            using InterruptHandle interrupt = Sandbox.MakeInterrupt();
            using CancellationTokenRegistration registration = token.UnsafeRegister(
                static state => NativeMethods.InterruptRaise((InterruptHandle)state!), interrupt);
            sandbox = Ask(wait, options, interrupt, out status, out error);
        }

        empty = null;
        if (sandbox is null)
        {
            empty = ToEmpty(Failure.Create(status, error), token);
        }

        return sandbox;
    }

    private Sandbox? Ask(ulong wait, SandboxOptions? options, InterruptHandle? interrupt, out int status,
        out nint error)
    {
        using HandleLease lease = new(interrupt);
        nint interruptValue = lease.Value;
        return Sandbox.TryOpen(Image, _handle.Registrations, options,
            (sandboxOptions, sandbox, nativeError) =>
            {
                NativeAcquireOptions native = new()
                {
                    StructSize = (uint)sizeof(NativeAcquireOptions),
                    WaitNs = wait,
                    Interrupt = interruptValue,
                    Sandbox = sandboxOptions,
                };
                return NativeMethods.PoolAcquire(_handle, &native, sandbox, nativeError);
            },
            out status, out error);
    }

    /// <summary>The exception, if it says that none became free in time; throws any other.</summary>
    private SandboxException ToEmpty(SandboxException exception, CancellationToken token)
    {
        if (exception is SandboxInterruptedException)
        {
            throw new OperationCanceledException("Waiting for a sandbox of the pool was cancelled.", exception,
                token);
        }

        ObjectDisposedException.ThrowIf(exception.Code == SandboxErrorCode.Ended, this); // while this waited
        return exception.Code == SandboxErrorCode.PoolEmpty ? exception : throw exception;
    }

    private void Create(Snapshot snapshot, SandboxPoolOptions options, HostFunctions? hostFunctions)
    {
        using NativeTexts texts = new();
        NativePoolOptions native = new()
        {
            StructSize = (uint)sizeof(NativePoolOptions),
            Flags = (options.Lazy ? NativeConstants.PoolLazy : 0)
                | (options.UseThread ? 0 : NativeConstants.PoolNoThread)
                | (options.DedicatedVms ? NativeConstants.PoolDedicatedVms : 0),
            Size = (uint)options.Size,
            Warm = (uint)options.Warm,
            IdleMemory = (ulong)options.IdleMemory,
            Tenant = texts.Add(options.Tenant ?? ""),
        };
        using HandleLease functions = new(hostFunctions?.Handle);
        nint pool = 0;
        nint error = 0;
        Failure.ThrowIfFailed(
            NativeMethods.PoolCreate(snapshot.Handle, functions.Value, &native, &pool, &error), error);
        _handle.Initialize(pool);
    }

    private NativePoolCounters ReadCounters()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        NativePoolCounters counters = new() { StructSize = (uint)sizeof(NativePoolCounters) };
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.PoolGetCounters(_handle, &counters, &error), error);
        return counters;
    }
}
