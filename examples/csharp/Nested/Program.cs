// SPDX-License-Identifier: Apache-2.0
// Control goes C# → guest → C# → another guest → C#, and back: with a result, with an exception, with a cancellation.
using Glint;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: Nested GUEST   (GUEST: the built examples/hello/greeter)");
    return 2;
}

using GuestImage image = GuestImage.Load(args[0]);

// This guest greets also those for whom it gets no title; here, a host function that fails shall end the call.
SandboxOptions options = new() { EndOnHostFailure = true };

// The inner guest asks C# for a title; the outer one asks C#, which asks the inner one.
using HostFunctions innerHost = new();
innerHost.Add("title_of", (string name) => name == "nobody" ? throw new KeyNotFoundException(name) : "Dr.");
using Sandbox inner = new(image, innerHost, options);
using HostFunctions outerHost = new();
outerHost.Add("title_of", (string name) => inner.Call<string>("greet", name));
using Sandbox outer = new(image, outerHost, options);

Console.WriteLine(outer.Call<string>("greet", "Curie"));

try
{
    outer.Call<string>("greet", "nobody");
}
catch (SandboxException e) when (e.InnerException is KeyNotFoundException original)
{
    // The object that was thrown two guests further in.
    Console.WriteLine($"{original.GetType().Name} through two guests: {original.Message}");
}

// A host function that waits is told that the call is to end.
using CancellationTokenSource cancellation = new();
using HostFunctions waitingHost = new();
waitingHost.Add("title_of", (string name, CancellationToken ending) =>
{
    cancellation.Cancel();
    ending.WaitHandle.WaitOne();
    return "too late";
});
using Sandbox waiting = new(image, waitingHost);
try
{
    await waiting.CallAsync<string>("greet", cancellation.Token, "Bose");
}
catch (OperationCanceledException)
{
    Console.WriteLine("cancelled while a host function waited");
}

return 0;
