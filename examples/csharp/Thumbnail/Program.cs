// SPDX-License-Identifier: Apache-2.0
// Makes thumbnails of PNG files that nobody trusts: each is decoded in a micro-VM.
using Glint;

if (args.Length < 3)
{
    Console.Error.WriteLine("usage: Thumbnail GUEST OUT_DIRECTORY IN.png…   (GUEST: the built examples/thumbnail)");
    return 2;
}

using GuestImage image = GuestImage.Load(args[0]);
using HostFunctions host = new();
host.Add("progress", (uint percent) => Console.Write($" {percent}%"));
Directory.CreateDirectory(args[1]);

Sandbox sandbox = new(image, host);
int refused = 0;
foreach (string file in args[2..])
{
    Console.Write(Path.GetFileName(file));
    try
    {
        byte[] thumbnail = sandbox.Call<byte[]>("thumbnail", File.ReadAllBytes(file), 160u);
        File.WriteAllBytes(Path.Combine(args[1], Path.GetFileName(file)), thumbnail);
        Console.WriteLine($" -> {thumbnail.Length} bytes");
    }
    catch (GuestException e)
    {
        Console.WriteLine($": refused: {e.Message}");
        refused++;
    }
    catch (GuestFaultException e)
    {
        // The decoder was hit; this program was not. A guest that faulted cannot be used again, and a new one costs little.
        Console.WriteLine($": the decoder faulted in {e.Fault?.Symbol}: {e.Message}");
        sandbox.Dispose();
        sandbox = new Sandbox(image, host);
        refused++;
    }
}

sandbox.Dispose();
Console.WriteLine($"{args.Length - 2 - refused} thumbnails, {refused} files refused");
return refused == 0 ? 0 : 1;
