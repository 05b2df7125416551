// SPDX-License-Identifier: Apache-2.0
// Runs a Lua script that nobody trusts in a micro-VM, with a deadline and two functions of this program.
using Glint;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: Lua GUEST SCRIPT.lua   (GUEST: the built examples/lua)");
    return 2;
}

Dictionary<string, string> data = new()
{
    ["orders"] = "Ångström;SEK;18250.00\nBose;EUR;920.50\nCurie;EUR;1310.00\nBose;USD;415.80\nÅngström;EUR;75.25\n",
    ["rate.SEK"] = "11.40",
    ["rate.USD"] = "1.08",
};
using HostFunctions host = new();
// What the script may see of an error is said by a HostErrorException; of any other it learns a number.
host.Add("lookup", (string name) => data.TryGetValue(name, out string? value)
    ? value
    : throw new HostErrorException(1, $"the host has no '{name}'"));
host.Add("write_log", (string text) => Console.WriteLine($"log: {text}"));

using GuestImage image = GuestImage.Load(args[0]);
using Sandbox sandbox = new(image, host);
try
{
    CallOptions options = new() { Deadline = TimeSpan.FromSeconds(2) };
    Console.WriteLine(sandbox.Call<string>("run", options, File.ReadAllText(args[1])));
    return 0;
}
catch (SandboxException e)
{
    Console.WriteLine($"the script failed: {e.Message}");
    return 1;
}
