// SPDX-License-Identifier: Apache-2.0
using System;

namespace Glint.Native;

/// <summary>The callbacks of one sandbox, which has one call at a time.</summary>
internal sealed class SandboxCallbacks(SandboxOptions options)
{
    private Exception? _failure;

    public void WriteOutput(GuestStream stream, ReadOnlySpan<byte> data) => options.Output!(stream, data);

    public int ReadInput(Span<byte> buffer)
    {
        int count = options.Input!(buffer);
        return (uint)count <= (uint)buffer.Length
            ? count
            : throw new InvalidOperationException(
                $"The input callback says it wrote {count} bytes to a buffer of {buffer.Length}.");
    }

    public void WriteTrace(SystemCall call) => options.Trace!(call);

    /// <summary>The C ABI has no way out for failures of these callbacks; they wait here for the end of the
    /// call. Only the first is kept: those after it tend to follow from it.</summary>
    public void Failed(Exception e)
    {
        while (e is HostFunctionException { InnerException: { } original })
        {
            e = original;
        }

        _failure ??= e;
    }

    /// <summary>Throws what a callback threw in the call that has just ended; how that ended otherwise,
    /// `call` says.</summary>
    public void ThrowIfFailed(SandboxException? call)
    {
        if (_failure is { } failure)
        {
            _failure = null;
            string message = "A callback of the sandbox (output, input or trace) failed: " + failure.Message;
            throw new HostFunctionException(
                call is null ? message : message + " Then the call failed: " + call.Message, failure);
        }
    }
}
