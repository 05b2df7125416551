// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Glint.Native;

internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, EntryPoint = "glint_image_options_init")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void ImageOptionsInit(NativeImageOptions* options, uint size);

    [LibraryImport(Library, EntryPoint = "glint_image_load_file")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageLoadFile(EngineHandle engine, NativeStr path,
        NativeImageOptions* options, nint* image, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_image_load_bytes")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageLoadBytes(EngineHandle engine, void* data, ulong size,
        NativeImageOptions* options, nint* image, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_image_free")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void ImageFree(nint image);

    [LibraryImport(Library, EntryPoint = "glint_image_function_count")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint ImageFunctionCount(ImageHandle image);

    [LibraryImport(Library, EntryPoint = "glint_image_get_function")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageGetFunction(ImageHandle image, uint index, NativeFunctionInfo* info,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_image_find_export")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageFindExport(ImageHandle image, NativeStr name, uint* function,
        nint* error);

    [LibraryImport(Library, EntryPoint = "glint_image_get_info")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageGetInfo(ImageHandle image, NativeImageInfo* info, nint* error);

    [LibraryImport(Library, EntryPoint = "glint_image_get_segment")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int ImageGetSegment(ImageHandle image, uint index, NativeSegmentInfo* info,
        nint* error);
}
