// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Glint;

namespace DotnetBench;

/// <summary>In this process: the libraries are found by its environment, and nothing has to be built anew.</summary>
internal sealed class InThisProcess : ManualConfig
{
    public InThisProcess() => AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
}

/// <summary>A call, and a call with a host call inside, from C# and from C.</summary>
[MemoryDiagnoser]
[Config(typeof(InThisProcess))]
public class Calls
{
    private const int CallsInC = 100;
    private ManagedGuest _managed = null!;
    private CGuest _c = null!;

    [Params(SandboxBackend.Fake, SandboxBackend.Kvm)]
    public SandboxBackend Backend { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _managed = new ManagedGuest(Backend);
        _c = new CGuest(Backend);
    }

    [GlobalCleanup]
    public void Close()
    {
        _managed.Dispose();
        _c.Dispose();
    }

    [Benchmark]
    public long CSharpCall() => _managed.Call();

    [Benchmark(OperationsPerInvoke = CallsInC)]
    public double CCall() => _c.Call(CallsInC);

    [Benchmark]
    public long CSharpHostCall() => _managed.CallWithHostCall();

    [Benchmark(OperationsPerInvoke = CallsInC)]
    public double CHostCall() => _c.CallWithHostCall(CallsInC);
}
