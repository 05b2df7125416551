// SPDX-License-Identifier: Apache-2.0
namespace Glint;

/// <summary>What went wrong, as a number that never changes its meaning. New ones may be added.</summary>
public enum SandboxErrorCode
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>An argument is out of range.</summary>
    InvalidArgument = -1,

    /// <summary>In use: a sandbox in a call, or host functions that a sandbox has.</summary>
    Busy = -2,

    /// <summary>No function, file or item of that name or number.</summary>
    NotFound = -3,

    /// <summary>Number or types of arguments, or the type of the result, are not the declared ones.</summary>
    Signature = -4,

    /// <summary>A value or a size is over its limit.</summary>
    TooLarge = -5,

    /// <summary>A call faulted or was interrupted: the sandbox is to be restored to a snapshot, or disposed
    /// of.</summary>
    Poisoned = -6,

    /// <summary>The guest program has ended.</summary>
    Ended = -7,

    /// <summary>The image imports what the host does not offer.</summary>
    MissingImport = -8,

    /// <summary>Host and guest call each other too deeply.</summary>
    Depth = -9,

    /// <summary>A value was read as another type than it has.</summary>
    Type = -10,

    /// <summary>All sandboxes of the pool are in use.</summary>
    PoolEmpty = -11,

    /// <summary>The host process has no memory left.</summary>
    NoMemory = -20,

    /// <summary>A call to the operating system failed.</summary>
    System = -21,

    /// <summary><c>/dev/kvm</c> is missing or may not be opened.</summary>
    NoHypervisor = -22,

    /// <summary>The hypervisor, kernel or library lacks something that is needed.</summary>
    Unsupported = -23,

    /// <summary>A hypervisor call failed, or it gave up running the guest.</summary>
    Hypervisor = -24,

    /// <summary>The image is no ELF file.</summary>
    ImageNotElf = -40,

    /// <summary>A header or segment of the image points behind the end of the file.</summary>
    ImageTruncated = -41,

    /// <summary>The image is not for x86-64.</summary>
    ImageMachine = -42,

    /// <summary>The image is 32-bit, or big endian.</summary>
    ImageClass = -43,

    /// <summary>The image needs a dynamic linker: link with <c>-static</c>.</summary>
    ImageDynamic = -44,

    /// <summary>The image is an object file or core dump, not a program.</summary>
    ImageKind = -45,

    /// <summary>The image has overlapping, wrapping or malformed segments.</summary>
    ImageSegments = -46,

    /// <summary>A segment of the image is outside the addresses a guest may use.</summary>
    ImageRange = -47,

    /// <summary>A segment or page of the image is both writable and executable.</summary>
    ImageWritableCode = -48,

    /// <summary>The entry point of the image is not in executable memory.</summary>
    ImageEntry = -49,

    /// <summary>The image does not fit the memory limit.</summary>
    ImageTooLarge = -50,

    /// <summary>The image's table of exports and imports is malformed.</summary>
    ImageFunctions = -51,

    /// <summary>The image was built for another version of the guest ABI.</summary>
    ImageAbi = -52,

    /// <summary>The file is not a snapshot's.</summary>
    SnapshotFormat = -53,

    /// <summary>The snapshot's file is shorter than it says it is.</summary>
    SnapshotTruncated = -54,

    /// <summary>The snapshot's file is not what was saved: a checksum or a field is wrong.</summary>
    SnapshotCorrupt = -55,

    /// <summary>The snapshot's file was made by another version of Glint than this one reads.</summary>
    SnapshotVersion = -56,

    /// <summary>The snapshot is of another guest program, or of other options for it.</summary>
    SnapshotImage = -57,

    /// <summary>The snapshot needs a processor or a backend that is not here.</summary>
    SnapshotMachine = -58,

    /// <summary>The guest function reported an ordinary error.</summary>
    GuestError = -60,

    /// <summary>The guest faulted.</summary>
    GuestFault = -61,

    /// <summary>The guest ended itself by a signal, such as <c>abort()</c>.</summary>
    GuestAbort = -62,

    /// <summary>The guest faulted or aborted after memory was refused to it.</summary>
    GuestOutOfMemory = -63,

    /// <summary>The guest sent something that is not valid.</summary>
    GuestProtocol = -64,

    /// <summary>A host function failed.</summary>
    HostFunction = -80,

    /// <summary>The call was ended by an interrupt.</summary>
    Interrupted = -81,

    /// <summary>The call was ended because its time was over.</summary>
    Deadline = -82,

    /// <summary>A defect of Glint; please report it.</summary>
    Internal = -99,
}
