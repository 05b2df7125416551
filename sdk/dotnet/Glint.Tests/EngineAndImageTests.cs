// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;

namespace Glint.Tests;

public sealed class EngineAndImageTests : InteropTest
{
    [Fact]
    public void AnEngineSaysWhatItsBackendIs()
    {
        using SandboxEngine none = new(new SandboxEngineOptions { Backend = SandboxBackend.None });
        Assert.Equal("none", none.Backend);
        Assert.Equal("fake", Guests.Engine(SandboxBackend.Fake).Backend);
    }

    [Fact]
    public void AnEngineWithoutAHypervisorLoadsImagesAndDoesNotRunThem()
    {
        using SandboxEngine none = new(new SandboxEngineOptions { Backend = SandboxBackend.None });
        using GuestImage image = GuestImage.Load(Setup.Guest("echo"),
            new GuestImageOptions { Engine = none });
        Assert.Equal("add: Int64 (Int64, Int64)", image.GetExport("add").ToString());
        SandboxException e = Assert.Throws<SandboxException>(() => new Sandbox(image));
        Assert.Equal(SandboxErrorCode.NoHypervisor, e.Code);
        Assert.Contains("inspect images, not run them", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BadEngineOptionsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxEngineOptions { MaxShells = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxEngineOptions { MaxVms = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SandboxEngineOptions { KickSignal = -1 });
        Assert.Equal(SandboxErrorCode.InvalidArgument, Assert.Throws<SandboxException>(() =>
            new SandboxEngine(new SandboxEngineOptions { Backend = (SandboxBackend)9 })).Code);
    }

    [Fact]
    public void ImagesKeepNoMoreVmsTogetherThanTheEngineAllows()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Fake, MaxVms = 2 });
        using HostFunctions host = Guests.Mirror();
        GuestImage[] images = new GuestImage[4];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = GuestImage.Load(Setup.Guest("mirror"), new GuestImageOptions { Engine = engine });
            using Sandbox sandbox = new(images[i], host);
            sandbox.Call("add", 1, 2);
            Assert.Equal((ulong)Math.Min(i + 1, 2), engine.Counters.VmsLive);
        }

        foreach (GuestImage image in images)
        {
            image.Dispose();
        }

        Assert.Equal(0u, engine.Counters.VmsLive);
    }

    [Fact]
    public void AnImageMayHaveLargePages()
    {
        using SandboxEngine engine = new(new SandboxEngineOptions { Backend = SandboxBackend.Fake });
        using GuestImage image = GuestImage.Load(Setup.Guest("mirror"),
            new GuestImageOptions { Engine = engine, LargePages = true });
        using HostFunctions host = Guests.Mirror();
        using Sandbox sandbox = new(image, host);
        Assert.Equal(3, sandbox.Call<long>("add", 1, 2)); // asks host_add
    }

    [Fact]
    public void AnEngineCountsItsSandboxes()
    {
        SandboxEngineOptions options = new() { Backend = SandboxBackend.Fake, MaxShells = 1 };
        using SandboxEngine engine = new(options);
        using GuestImage image = GuestImage.Load(Setup.Guest("mirror"),
            new GuestImageOptions { Engine = engine });
        using HostFunctions host = Guests.Mirror();
        using (Sandbox sandbox = new(image, host))
        {
            sandbox.Call("add", 1, 2);
            Assert.Equal(1u, engine.Counters.SandboxesLive);
            Assert.Equal(1u, engine.Counters.VmsCreated);
            Assert.Equal(1u, sandbox.Counters.Calls);
            Assert.Equal(1u, sandbox.Counters.HostCalls);
        }

        Assert.Equal(0u, engine.Counters.SandboxesLive);
        Assert.Equal(1u, engine.Counters.SandboxesCreated);
    }

    [Fact]
    public void AnImageTellsItsFunctionsWithTheirSignatures()
    {
        GuestImage image = Guests.Fake();
        GuestFunctionInfo add = image.GetExport("add");
        Assert.Equal(GuestFunctionKind.Exported, add.Kind);
        Assert.Equal(new GuestSignature(GuestType.Int64, GuestType.Int64, GuestType.Int64), add.Signature);
        GuestFunctionInfo import = image.Functions.Single(static f => f.Name == "host_echo_string");
        Assert.Equal(GuestFunctionKind.Imported, import.Kind);
        Assert.Equal("String (String)", import.Signature.ToString());
        Assert.NotEqual(add.Signature, import.Signature);
        GuestSignature same = new(GuestType.String, GuestType.String);
        Assert.Equal(same, import.Signature);
        Assert.Equal(same.GetHashCode(), import.Signature.GetHashCode());
    }

    [Fact]
    public void AnImageTellsHowItIsLaidOut()
    {
        using GuestImage image = GuestImage.Load(File.ReadAllBytes(Setup.Guest("mirror")),
            new GuestImageOptions
            {
                Engine = Guests.Engine(SandboxBackend.Fake),
                MemorySize = 8 << 20,
                StackSize = 256 << 10,
            });
        Assert.Equal(8u << 20, image.Info.MemorySize);
        Assert.Equal(256u << 10, image.Info.StackSize);
        Assert.False(image.Info.IsPositionIndependent);
        Assert.Equal(image.Info.SegmentCount, image.Segments.Count);
        Assert.Contains(image.Segments, static s =>
            s is { Purpose: "stack", IsWritable: true, IsExecutable: false });
        Assert.True(image.Segments.Zip(image.Segments.Skip(1)).All(static p =>
            p.First.Address < p.Second.Address));
    }

    [Fact]
    public void WhatIsNoProgramIsRefusedWithACodeThatSaysWhy()
    {
        GuestImageOptions options = new() { Engine = Guests.Engine(SandboxBackend.Fake) };
        Assert.Equal(SandboxErrorCode.ImageNotElf,
            Assert.Throws<ImageException>(() =>
                GuestImage.Load("plain text, long enough for a header of an ELF file"u8, options)).Code);
        byte[] program = File.ReadAllBytes(Setup.Guest("mirror"));
        Assert.Equal(SandboxErrorCode.ImageTruncated,
            Assert.Throws<ImageException>(() => GuestImage.Load(program.AsSpan(0, 4096), options)).Code);
        Assert.Throws<SandboxException>(() => GuestImage.Load("no/such/file", options));
        Assert.Throws<ArgumentNullException>(() => GuestImage.Load((string)null!, options));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GuestImageOptions { MemorySize = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new GuestImageOptions { StackSize = -1 });
        Assert.Equal(SandboxErrorCode.ImageTooLarge, Assert.Throws<ImageException>(() =>
            GuestImage.Load(program, new GuestImageOptions
            {
                Engine = options.Engine,
                MemorySize = 1 << 20,
                StackSize = 64 << 20,
            })).Code);
    }

    [Fact]
    public void TheLibraryTellsItsVersion() => Assert.StartsWith("0.2.", GlintDebug.NativeVersion,
        StringComparison.Ordinal);

    [Fact]
    public void TheDoctorReportsAlsoWhereNothingWorks()
    {
        DoctorReport report = DoctorReport.Examine();
        Assert.Contains(report.Items, static i => i.Name == "kernel");
        Assert.Equal(report.IsUsable, report.Items.All(static i => i.Severity != DoctorSeverity.Problem));
    }
}
