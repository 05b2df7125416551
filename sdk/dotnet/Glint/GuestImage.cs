// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Linq;
using Glint.Native;

namespace Glint;

/// <summary>A guest program, checked and laid out for loading: a static x86-64 Linux ELF file. Immutable;
/// shared by any number of sandboxes, which hold on to it: it may be disposed of first. Safe to use from any
/// thread.</summary>
public sealed unsafe class GuestImage : IDisposable
{
    private readonly GuestFunctionInfo[] _functions;
    private readonly FrozenDictionary<string, GuestFunctionInfo> _exports;

    private GuestImage(ImageHandle handle)
    {
        Handle = handle;
        _functions = ReadFunctions(handle);
        _exports = _functions.Where(static f => f.Kind == GuestFunctionKind.Exported)
            .ToFrozenDictionary(static f => f.Name, StringComparer.Ordinal);
    }

    private delegate int Loader(EngineHandle engine, NativeImageOptions* options, nint* image, nint* error);

    /// <summary>The functions that the program declares, exports and imports, in its order.</summary>
    public IReadOnlyList<GuestFunctionInfo> Functions => _functions;

    /// <summary>How the program is laid out.</summary>
    public GuestImageInfo Info
    {
        get
        {
            NativeImageInfo info = new() { StructSize = (uint)sizeof(NativeImageInfo) };
            nint error = 0;
            Failure.ThrowIfFailed(NativeMethods.ImageGetInfo(Handle, &info, &error), error);
            return new GuestImageInfo(info);
        }
    }

    /// <summary>The ranges of the guest's addresses, in ascending order. Nothing lies between them.</summary>
    public IReadOnlyList<GuestSegment> Segments
    {
        get
        {
            var segments = new GuestSegment[Info.SegmentCount];
            for (int i = 0; i < segments.Length; i++)
            {
                NativeSegmentInfo info = new() { StructSize = (uint)sizeof(NativeSegmentInfo) };
                nint error = 0;
                Failure.ThrowIfFailed(NativeMethods.ImageGetSegment(Handle, (uint)i, &info, &error), error);
                segments[i] = new GuestSegment(info);
            }

            return segments;
        }
    }

    internal ImageHandle Handle { get; }

    /// <summary>Loads a program from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is laid out; null for the defaults.</param>
    /// <returns>The image.</returns>
    /// <exception cref="ImageException">The file is not a program that can run here.</exception>
    /// <exception cref="SandboxException">The file cannot be read, or the hypervisor cannot be
    /// used.</exception>
    public static GuestImage Load(string path, GuestImageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        using NativeTexts texts = new();
        NativeStr native = texts.Add(path);
        return Load(options, (engine, nativeOptions, image, error) =>
            NativeMethods.ImageLoadFile(engine, native, nativeOptions, image, error));
    }

    /// <summary>Loads a program from memory, which is copied.</summary>
    /// <param name="program">The content of an ELF file.</param>
    /// <param name="options">How it is laid out; null for the defaults.</param>
    /// <returns>The image.</returns>
    /// <exception cref="ImageException">It is not a program that can run here.</exception>
    /// <exception cref="SandboxException">The hypervisor cannot be used.</exception>
    public static GuestImage Load(ReadOnlySpan<byte> program, GuestImageOptions? options = null)
    {
        fixed (byte* pinned = program)
        {
            byte* data = pinned;
            var size = (ulong)program.Length;
            return Load(options, (engine, nativeOptions, image, error) =>
                NativeMethods.ImageLoadBytes(engine, data, size, nativeOptions, image, error));
        }
    }

    /// <summary>Finds an exported function.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The function.</returns>
    /// <exception cref="SandboxException">There is none of that name
    /// (<see cref="SandboxErrorCode.NotFound"/>). </exception>
    public GuestFunctionInfo GetExport(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _exports.TryGetValue(name, out GuestFunctionInfo? function)
            ? function
            : throw NoSuchExport(name);
    }

    /// <summary>Gives up the image. Sandboxes of it go on working.</summary>
    public void Dispose() => Handle.Dispose();

    private static GuestImage Load(GuestImageOptions? options, Loader load)
    {
        SandboxEngine engine = options?.Engine ?? SandboxEngine.Default;
        using NativeTexts texts = new();
        IReadOnlyCollection<KeyValuePair<string, ReadOnlyMemory<byte>>> files =
            options?.Files ?? (IReadOnlyCollection<KeyValuePair<string, ReadOnlyMemory<byte>>>)[];
        var pins = new MemoryHandle[files.Count];
        ImageHandle handle = new();
        try
        {
            NativeImageOptions native = new()
            {
                StructSize = (uint)sizeof(NativeImageOptions),
                Flags = options is { LargePages: true } ? NativeConstants.ImageLargePages : 0,
                MemorySize = (ulong)(options?.MemorySize ?? 0),
                StackSize = (ulong)(options?.StackSize ?? 0),
                Files = AddFiles(files, texts, pins),
                FileCount = (ulong)files.Count,
            };
            nint image = 0;
            nint error = 0;
            Failure.ThrowIfFailed(load(engine.Handle, &native, &image, &error), error);
            handle.Initialize(image);
            return new GuestImage(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        finally
        {
            foreach (MemoryHandle pin in pins)
            {
                pin.Dispose();
            }
        }
    }

    private static NativeFile* AddFiles(IReadOnlyCollection<KeyValuePair<string, ReadOnlyMemory<byte>>> files,
        NativeTexts texts, MemoryHandle[] pins)
    {
        var native = (NativeFile*)texts.Allocate((nuint)files.Count * (nuint)sizeof(NativeFile));
        int i = 0;
        foreach ((string path, ReadOnlyMemory<byte> content) in files)
        {
            pins[i] = content.Pin();
            native[i] = new NativeFile
            {
                Path = texts.Add(path),
                Data = pins[i].Pointer,
                Size = (ulong)content.Length,
            };
            i++;
        }

        return native;
    }

    private static GuestFunctionInfo[] ReadFunctions(ImageHandle handle)
    {
        var functions = new GuestFunctionInfo[NativeMethods.ImageFunctionCount(handle)];
        for (uint i = 0; i < functions.Length; i++)
        {
            NativeFunctionInfo info = new() { StructSize = (uint)sizeof(NativeFunctionInfo) };
            nint error = 0;
            Failure.ThrowIfFailed(NativeMethods.ImageGetFunction(handle, i, &info, &error), error);
            functions[i] = new GuestFunctionInfo(info);
        }

        return functions;
    }

    private SandboxException NoSuchExport(string name)
    {
        string known = _exports.Count == 0
            ? "it exports nothing"
            : "it exports " + string.Join(", ", _exports.Keys.Order(StringComparer.Ordinal));
        return new SandboxException(SandboxErrorCode.NotFound,
            $"The guest program does not export \"{name}\"; {known}.");
    }
}
