// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Glint.Native;

/// <summary>What one call of a host function needs, on the trampoline's stack.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "See GetToken.")]
internal unsafe struct HostCallFrame
{
    private readonly nint _call;
    private CancellationTokenSource? _source;
    private nint _relay;

    public HostCallFrame(nint call)
    {
        _call = call;
        uint count = 0;
        Arguments = NativeMethods.HostCallArguments(call, &count);
        Count = (int)count;
    }

    public readonly NativeValue* Arguments { get; }

    public readonly int Count { get; }

    public GuestType Result { get; set; }

    /// <summary>Whether there is a result.</summary>
    public bool HasReturned { get; private set; }

    /// <summary>Whether the guest's call is to end.</summary>
    public readonly bool IsEnding => NativeMethods.HostCallState(_call) != NativeConstants.Ok;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Return(NativeValue* value)
    {
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.HostCallReturn(_call, value, &error), error);
        HasReturned = true;
    }

    public Span<byte> Reserve(int size)
    {
        void* data = null;
        nint error = 0;
        Failure.ThrowIfFailed(NativeMethods.HostCallReserve(_call, (ulong)size, &data, &error), error);
        HasReturned = true;
        return new Span<byte>(data, size);
    }

    /// <summary>Cancelled when the guest's call is to end. Made when it is first asked for; <see cref="End"/>
    /// forgets it. The source is not disposed of: somebody may be cancelling it at this moment, and it has
    /// neither a timer nor anything else that would have to be freed.</summary>
    public CancellationToken GetToken()
    {
        if (_source is null)
        {
            _source = new CancellationTokenSource();
            _relay = InterruptRelay.Add(_source);
            nint error = 0;
            Failure.ThrowIfFailed(
                NativeMethods.HostCallOnInterrupt(_call, &Trampolines.Interrupt, _relay, &error), error);
        }

        return _source.Token;
    }

    /// <summary>Leaves the exception for the outermost call, and returns what the guest is told. Throws
    /// nothing.</summary>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "No exception may unwind through native frames.")]
    public readonly int Fail(Exception e)
    {
        try
        {
            // What went through an inner sandbox is unwrapped, so that every layer has the original inside.
            while (e is HostFunctionException { InnerException: { } original })
            {
                e = original;
            }

            int status = (int)SandboxErrorCode.HostFunction;
            if (e is HostErrorException visible)
            {
                status = visible.GuestCode;
                Tell(visible.Message);
            }

            nint token = HostTokens.Make(new HostFailure(e, status));
            NativeMethods.HostCallFailWith(_call, token, &Trampolines.DestroyToken);
            return status;
        }
        catch (Exception)
        {
            // No memory for the token: the call fails all the same, without the original exception.
            return (int)SandboxErrorCode.HostFunction;
        }
    }

    /// <summary>To be called last. Throws nothing.</summary>
    public readonly void End()
    {
        if (_relay != 0)
        {
            InterruptRelay.Remove(_relay);
        }
    }

    private readonly void Tell(string text)
    {
        Payload payload = Payload.Encode(text);
        fixed (byte* data = payload.Data)
        {
            NativeStr native = new() { Data = data, Size = (ulong)payload.Data.Length };
            NativeMethods.HostCallFail(_call, native);
        }

        payload.Dispose();
    }
}
