// SPDX-License-Identifier: Apache-2.0
// The constants of include/glint/*.h that have no public enum. LayoutTests compares them with the header's.
namespace Glint.Native;

internal static class NativeConstants
{
    public const uint AbiMajor = 1;
    public const uint AbiMinor = 1;

    public const int Ok = 0;

    public const int MaxArguments = 32;
    public const ulong MaxPayloadSize = 67108864;

    public const ulong DeadlineDefault = 0;
    public const ulong DeadlineNone = ulong.MaxValue;

    public const uint Exported = 1;
    public const uint Imported = 2;

    public const uint ImageLargePages = 1;

    public const uint SandboxTrace = 1;
    public const uint SandboxEndOnHostFailure = 2;
    public const uint SandboxRestoreEachCall = 4;
    public const uint SandboxDedicatedVm = 8;

    public const uint PoolLazy = 1;
    public const uint PoolNoThread = 2;
    public const uint PoolDedicatedVms = 4;

    public const ulong WaitNone = 0;
    public const ulong WaitForever = ulong.MaxValue;
}
