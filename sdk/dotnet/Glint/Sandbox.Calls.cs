// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Threading.Tasks;
using Glint.Native;

namespace Glint;

// Calls by name.
public sealed unsafe partial class Sandbox
{
    /// <summary>Calls a guest function.</summary>
    /// <typeparam name="TResult">The type of the result: exactly the one that the guest declares.</typeparam>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>The result.</returns>
    /// <exception cref="GuestException">The guest function reported an error.</exception>
    /// <exception cref="GuestFaultException">The guest faulted.</exception>
    /// <exception cref="HostFunctionException">A host function threw an exception.</exception>
    /// <exception cref="SandboxDeadlineException">The call took too long.</exception>
    /// <exception cref="SandboxException">The call could not be made.</exception>
    public TResult Call<TResult>(string function, params ReadOnlySpan<GuestArgument> arguments) =>
        Call<TResult>(function, default(CallOptions), arguments);

    /// <summary>Calls a guest function.</summary>
    /// <typeparam name="TResult">The type of the result: exactly the one that the guest declares.</typeparam>
    /// <param name="function">Its name.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>The result.</returns>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    /// <exception cref="SandboxException">As without options.</exception>
    public TResult Call<TResult>(string function, CallOptions options,
        params ReadOnlySpan<GuestArgument> arguments)
    {
        ValueReceiver<TResult> receiver = default;
        CallByName(function, options, arguments, ref receiver);
        return receiver.Value;
    }

    /// <summary>Calls a guest function, and drops its result if there is one.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <exception cref="SandboxException">As for the other forms.</exception>
    public void Call(string function, params ReadOnlySpan<GuestArgument> arguments) =>
        Call(function, default(CallOptions), arguments);

    /// <summary>Calls a guest function, and drops its result if there is one.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    /// <exception cref="SandboxException">As for the other forms.</exception>
    public void Call(string function, CallOptions options, params ReadOnlySpan<GuestArgument> arguments)
    {
        NoReceiver receiver = default;
        CallByName(function, options, arguments, ref receiver);
    }

    /// <summary>Calls a guest function, and copies its result, which is bytes or UTF-8, to a
    /// buffer.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="destination">The buffer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small; the call itself went well.</exception>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    /// <exception cref="SandboxException">As for the other forms.</exception>
    public int CallInto(string function, Span<byte> destination, CallOptions options,
        params ReadOnlySpan<GuestArgument> arguments)
    {
        SpanReceiver receiver = new(destination);
        CallByName(function, options, arguments, ref receiver);
        return receiver.Written();
    }

    /// <summary>Calls a guest function, and appends its result, which is bytes or UTF-8, to a
    /// writer.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="destination">The writer.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <exception cref="OperationCanceledException">The token of `options` was cancelled.</exception>
    /// <exception cref="SandboxException">As for the other forms.</exception>
    public void CallInto(string function, IBufferWriter<byte> destination, CallOptions options,
        params ReadOnlySpan<GuestArgument> arguments)
    {
        ArgumentNullException.ThrowIfNull(destination);
        WriterReceiver receiver = new(destination);
        CallByName(function, options, arguments, ref receiver);
    }

    /// <summary>Calls a guest function on a thread of its own, since a guest call occupies its thread. The
    /// sandbox is busy until the task has ended, and arrays among the arguments must not change until
    /// then.</summary>
    /// <typeparam name="TResult">The type of the result: exactly the one that the guest declares.</typeparam>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>The result, or what the synchronous form throws.</returns>
    public Task<TResult> CallAsync<TResult>(string function, params ReadOnlySpan<GuestArgument> arguments) =>
        CallAsync<TResult>(function, default(CallOptions), arguments);

    /// <summary>Calls a guest function on a thread of its own, since a guest call occupies its thread.
    /// Cancelling the token stops the guest. The sandbox is busy until the task has ended, and arrays among
    /// the arguments must not change until then.</summary>
    /// <typeparam name="TResult">The type of the result: exactly the one that the guest declares.</typeparam>
    /// <param name="function">Its name.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it. It stands before
    /// the arguments, and not last as elsewhere in .NET, because nothing can follow `params`.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>The result, or what the synchronous form throws; a task is cancelled if the token was the
    /// cause.</returns>
    public Task<TResult> CallAsync<TResult>(string function, CallOptions options,
        params ReadOnlySpan<GuestArgument> arguments)
    {
        GuestArgument[] copy = arguments.ToArray();
        return OwnThread.Enter(_handle, () => Call<TResult>(function, options, copy), options.CancellationToken);
    }

    /// <summary>The same for a function whose result, if it has one, is dropped.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>A task that ends with the call.</returns>
    public Task CallAsync(string function, params ReadOnlySpan<GuestArgument> arguments) =>
        CallAsync(function, default(CallOptions), arguments);

    /// <summary>The same for a function whose result, if it has one, is dropped.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="options">What can end the call early; a cancellation token converts to it.</param>
    /// <param name="arguments">The arguments; see <see cref="GuestArgument"/> for what is converted.</param>
    /// <returns>A task that ends with the call.</returns>
    public Task CallAsync(string function, CallOptions options, params ReadOnlySpan<GuestArgument> arguments)
    {
        GuestArgument[] copy = arguments.ToArray();
        return OwnThread.Enter(
            _handle,
            () =>
            {
                Call(function, options, copy);
                return true;
            },
            options.CancellationToken);
    }

    /// <summary><see cref="Run"/> on a thread of its own.</summary>
    /// <param name="options">What can end it early; a cancellation token converts to it.</param>
    /// <returns>The exit status of the program, or what the synchronous form throws.</returns>
    public Task<int> RunAsync(CallOptions options = default) =>
        OwnThread.Enter(_handle, () => Run(options), options.CancellationToken);

    private void CallByName<TReceiver>(string function, CallOptions options,
        scoped ReadOnlySpan<GuestArgument> arguments, scoped ref TReceiver receiver)
        where TReceiver : struct, IReceiver, allows ref struct
    {
        GuestFunctionInfo info = Image.GetExport(function);
        if (!TReceiver.Accepts(info.Signature.Result))
        {
            throw new SandboxException(SandboxErrorCode.Signature,
                $"{info.Name} returns {info.Signature.Result}; {TReceiver.Wanted} was asked for.");
        }

        if (arguments.Length != info.Signature.Types.Length)
        {
            throw new SandboxException(SandboxErrorCode.Signature,
                $"{info.Name} has {info.Signature.Types.Length} parameters; "
                + $"{arguments.Length} arguments were given.");
        }

        NativeValue* values = stackalloc NativeValue[arguments.Length];
        new ArgumentCall(this, info, values, options).Run(arguments, ref receiver);
    }

    private GuestFunctionInfo Find(string name, SignatureBuilder builder)
    {
        GuestFunctionInfo info = Image.GetExport(name);
        GuestSignature wanted = builder.Build();
        bool sameResult = wanted.Result is GuestType.Void || wanted.Result == info.Signature.Result;
        return sameResult && wanted.Types.SequenceEqual(info.Signature.Types)
            ? info
            : throw new SandboxException(SandboxErrorCode.Signature,
                $"The guest declares {info}; it was asked for as {wanted}.");
    }
}
